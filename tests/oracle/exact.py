"""Exact arithmetic of the metrics: rounding, ratios, percentiles, calendar months. No floats."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from fractions import Fraction

Number = int | Fraction


def rounded(value: Number, digits: int) -> str:
    """A decimal string with `digits` digits, half away from zero (-0.125 -> "-0.13"; never "-0.00")."""
    scaled = int(abs(Fraction(value)) * 10**digits + Fraction(1, 2))
    whole, rest = divmod(scaled, 10**digits)
    sign = "-" if value < 0 and scaled else ""
    return f"{sign}{whole}.{rest:0{digits}d}"


def quotient(num: Number, den: Number) -> Fraction | None:
    """num / den exactly, None when den is zero."""
    return Fraction(num) / Fraction(den) if den else None


def rubles(kopecks: Number | None) -> str | None:
    """Kopecks (perhaps a fraction of one) as "123.45"; None stays None."""
    return None if kopecks is None else rounded(Fraction(kopecks) / 100, 2)


def mean_rubles(kopecks: Number, count: int) -> str | None:
    """A sum of kopecks shared by `count`, rounded once; None for nobody."""
    return rubles(quotient(kopecks, count))


def share(value: Fraction | None) -> str | None:
    """A pure number with 6 digits; None stays None."""
    return None if value is None else rounded(value, 6)


def ratio(num: int, den: int, digits: int = 6) -> dict:
    """{num, den, value}: integers as given (never reduced), value a string or None."""
    value = quotient(num, den)
    return {"num": num, "den": den, "value": None if value is None else rounded(value, digits)}


def nearest_rank(values: Sequence[int], percent: int) -> int | None:
    """The percentile: sorted value number ceil(percent/100 * n); None for no values."""
    if not values:
        return None
    number = -(-percent * len(values) // 100)
    return sorted(values)[number - 1]


def add_months(start: date, months: int) -> date:
    """Calendar months from `start`, the day clamped to the month's end (31 Jan + 1 = 29 Feb 2024)."""
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def month_index(start: date, day: date) -> int:
    """Largest k >= 0 with add_months(start, k) <= day; 0 for days before `start`."""
    k = 0
    while add_months(start, k + 1) <= day:
        k += 1
    return k


def full_years(born: date, day: date) -> int:
    """Birthdays had by `day` (born on 29 Feb: counted on 1 March of a common year)."""
    had_birthday = (day.month, day.day) >= (born.month, born.day)
    return day.year - born.year - (0 if had_birthday else 1)
