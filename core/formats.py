"""How figures, dates and phones are written for people: pure functions, text out.

Shapes: money comes as integer minor units (kopecks), shares as fractions (0.475 is 47.5 %),
phones as E.164 text. Nothing known (None) is written as an em dash, never as zero.
The language decides only the decimal sign and the words; the grouping is the same everywhere.
"""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

from django.utils import formats, timezone
from django.utils.translation import get_language, gettext, pgettext

NBSP = "\u00a0"
MINUS = "\u2212"
DASH = "\u2014"
SIGNS = {"RUB": "₽", "KZT": "₸", "BYN": "Br", "UZS": "сум", "USD": "$", "EUR": "€"}

Number = int | float | Decimal


def decimal_sign() -> str:
    """A comma, or a point in English."""
    return "." if (get_language() or "ru").startswith("en") else ","


def exact(value: Number | str) -> Decimal:
    """The value as Decimal; floats pass through their shortest text, so 0.1 stays 0.1."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def rounded(value: Number | str, digits: int = 0) -> Decimal:
    """Rounded once, half away from zero, to that many digits after the point."""
    return exact(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def number(value: Number | str | None, digits: int = 0, *, plus: bool = False) -> str:
    """``1234567.5, 1`` -> ``1 234 567,5``; ``plus`` writes the sign of gains too."""
    if value is None or value == "":
        return DASH
    figure = rounded(value, digits)
    whole, _, part = f"{abs(figure):,.{digits}f}".partition(".")
    text = whole.replace(",", NBSP) + (decimal_sign() + part if part else "")
    if figure < 0:
        return MINUS + text
    return "+" + text if plus and figure > 0 else text


def money(minor: int | None, currency: str = "RUB", *, plus: bool = False) -> str:
    """Exact: ``123450`` -> ``1 234,50 ₽``; the kopecks are left out when there are none."""
    if minor is None:
        return DASH
    digits = 2 if int(minor) % 100 else 0
    return f"{number(exact(int(minor)) / 100, digits, plus=plus)}{NBSP}{SIGNS.get(currency, currency)}"


def money_whole(minor: Number | None, currency: str = "RUB", *, plus: bool = False) -> str:
    """Rounded to whole roubles, for totals: ``123450`` -> ``1 235 ₽``."""
    if minor is None:
        return DASH
    return f"{number(exact(minor) / 100, plus=plus)}{NBSP}{SIGNS.get(currency, currency)}"


def percent(share: Number | str | None, digits: int = 1, *, plus: bool = False) -> str:
    """A fraction as percent: ``0.4755`` -> ``47,6 %``, in English ``47.6%``."""
    if share is None or share == "":
        return DASH
    gap = "" if decimal_sign() == "." else NBSP
    return f"{number(exact(share) * 100, digits, plus=plus)}{gap}%"


def compact(value: Number | None) -> str:
    """For axes: ``1234567`` -> ``1,2 млн`` / ``1.2M``; below ten thousand the full number."""
    if value is None:
        return DASH
    figure = exact(value)
    steps = (
        (Decimal(10**9), pgettext("short for billions", "B")),
        (Decimal(10**6), pgettext("short for millions", "M")),
        (Decimal(10**3), pgettext("short for thousands", "K")),
    )
    for size, name in steps:
        if abs(figure) >= size and (size > 1000 or abs(figure) >= 10_000):
            gap = "" if decimal_sign() == "." else NBSP
            return f"{_short(figure / size)}{gap}{name}"
    return _short(figure)


def compact_money(minor: Number | None, currency: str = "RUB") -> str:
    """Money on an axis: ``120000000`` kopecks -> ``1,2 млн ₽``."""
    if minor is None:
        return DASH
    return f"{compact(exact(minor) / 100)}{NBSP}{SIGNS.get(currency, currency)}"


def _short(figure: Decimal) -> str:
    """One digit after the point, and none when it is zero."""
    figure = rounded(figure, 1)
    return number(figure, 0 if figure == figure.to_integral_value() else 1)


def phone(e164: str | None) -> str:
    """``+79123456789`` -> ``+7 912 345-67-89``; other countries stay as they came."""
    if not e164:
        return DASH
    found = re.fullmatch(r"\+7(\d{3})(\d{3})(\d{2})(\d{2})", e164)
    if not found:
        return e164
    code, a, b, c = found.groups()
    return f"+7{NBSP}{code}{NBSP}{a}-{b}-{c}"


def _local(value: dt.date | dt.datetime) -> dt.date | dt.datetime:
    """An aware moment in the active time zone; plain dates and naive moments as they are."""
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value


def day(value: dt.date | dt.datetime | None) -> str:
    """``22.11.2026`` in every language: a month first would be misread."""
    return _local(value).strftime("%d.%m.%Y") if value else DASH


def moment(value: dt.datetime | None) -> str:
    """``22.11.2026 14:05`` in the active time zone."""
    return _local(value).strftime(f"%d.%m.%Y{NBSP}%H:%M") if value else DASH


def clock(value: dt.datetime | dt.time | None) -> str:
    """``14:05`` in the active time zone."""
    if value is None:
        return DASH
    return (value if isinstance(value, dt.time) else _local(value)).strftime("%H:%M")


def day_long(value: dt.date | dt.datetime | None) -> str:
    """``22 ноября 2026`` / ``22 November 2026``."""
    return formats.date_format(_local(value), "j E Y").replace(" ", NBSP) if value else DASH


def duration(seconds: int | None) -> str:
    """``95`` -> ``1:35``, ``3725`` -> ``1:02:05``: the same form as the running timers."""
    if seconds is None:
        return DASH
    hours, rest = divmod(max(int(seconds), 0), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def initials(name: str | None) -> str:
    """The first letters of the first two words: ``Соколова Анна Петровна`` -> ``СА``."""
    letters = [word[0] for word in (name or "").split() if word[0].isalpha()]
    return "".join(letters[:2]).upper() or gettext("?")
