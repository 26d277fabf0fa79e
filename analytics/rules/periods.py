"""The periods that a page offers, and what a period is compared with. Inclusive local dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from core.clock import add_months

Span = tuple[date, date]
DEFAULT = "12m"


def _start_of_month(day: date) -> date:
    return day.replace(day=1)


def _start_of_quarter(day: date) -> date:
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def _last_month(day: date) -> Span:
    first = add_months(_start_of_month(day), -1)
    return first, _start_of_month(day) - timedelta(days=1)


PRESETS: dict[str, Callable[[date], Span]] = {
    "30d": lambda day: (day - timedelta(days=29), day),
    "month": lambda day: (_start_of_month(day), day),
    "last_month": _last_month,
    "quarter": lambda day: (_start_of_quarter(day), day),
    "year": lambda day: (date(day.year, 1, 1), day),
    "12m": lambda day: (add_months(day + timedelta(days=1), -12), day),
    "last_year": lambda day: (date(day.year - 1, 1, 1), date(day.year - 1, 12, 31)),
}


def whole_months(first: date, last: date) -> int:
    """How many whole calendar months the period is; 0 if it is not made of whole months."""
    after = last + timedelta(days=1)
    if first.day != 1 or after.day != 1:
        return 0
    return (after.year - first.year) * 12 + after.month - first.month


def previous(first: date, last: date) -> Span:
    """The period just before, of equal length: as many calendar months if it is made of whole months, else days."""
    end = first - timedelta(days=1)
    months = whole_months(first, last)
    return (add_months(first, -months), end) if months else (end - (last - first), end)


def year_before(first: date, last: date) -> Span:
    """The same period a year ago; a whole February stays a whole February."""
    end = add_months(last + timedelta(days=1), -12) - timedelta(days=1)
    return add_months(first, -12), end


def months_until(day: date, count: int) -> list[Span]:
    """`count` calendar months, oldest first; the last one ends at `day`, which may cut it off."""
    start = _start_of_month(day)
    firsts = [add_months(start, -back) for back in range(count - 1, -1, -1)]
    return [(first, min(add_months(first, 1) - timedelta(days=1), day)) for first in firsts]


def is_cut(span: Span) -> bool:
    """Whether a calendar month was cut off at its end."""
    return (span[1] + timedelta(days=1)).day != 1
