"""Local dates and calendar months (metrics.md section 1).

Instants are UTC datetimes, dates are local to a named IANA zone. Never use the server's zone: a clinic in Almaty
whose server stands in Moscow would count its evening visits on the wrong day.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

EPOCH = date(1970, 1, 1)


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises ValueError for an unknown name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone: {name!r}") from error


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def local_date(instant: datetime, tz: str) -> date:
    """The calendar date of `instant` in `tz`, with the offset in force at that instant."""
    return instant.astimezone(zone(tz)).date()


def day_start(day: date, tz: str) -> datetime:
    """The first instant (UTC) of local `day`. Where midnight is skipped by a clock change, the first that exists."""
    naive = datetime.combine(day, time.min, tzinfo=zone(tz))
    start = naive.astimezone(UTC)
    # Danger: a skipped midnight (e.g. Cairo) maps to 23:00 of the day before or 01:00; step to the true border.
    while local_date(start, tz) < day:
        start += timedelta(minutes=15)
    while local_date(start - timedelta(seconds=1), tz) >= day:
        start -= timedelta(minutes=15)
    return start


def day_end(day: date, tz: str) -> datetime:
    """The first instant after local `day`: the exclusive end, `t_end` of metrics.md."""
    return day_start(day + timedelta(days=1), tz)


def add_months(day: date, months: int) -> date:
    """`day` plus calendar months, clamped to the month's end, always counted from `day` (31 Jan + 1 = 29 Feb 2024)."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def month_index(day: date, start: date) -> int:
    """Largest k >= 0 with add_months(start, k) <= day; days before `start` have k = 0."""
    k = (day.year - start.year) * 12 + day.month - start.month
    return max(0, k if add_months(start, k) <= day else k - 1)


@dataclass(frozen=True)
class OffsetSpan:
    """From `start` (UTC, None = since ever) on, the zone is `seconds` ahead of UTC."""

    start: datetime | None
    seconds: int


def _offset(instant: datetime, tz: ZoneInfo) -> int:
    return int(instant.astimezone(tz).utcoffset().total_seconds())  # type: ignore[union-attr]


def _change_between(low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    """The second at which the offset stops being that of `low` (binary search)."""
    before = _offset(low, tz)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(middle, tz) == before else (low, middle)
    return high


@lru_cache(maxsize=256)
def offset_spans(tz: str, first_year: int, last_year: int) -> tuple[OffsetSpan, ...]:
    """All offsets of `tz` from `first_year` to `last_year`, in order: what SQL needs to find a local date.

    Taken from Python's tzdata, so that SQLite and PostgreSQL answer the same, whatever the server has installed.
    """
    info, step = zone(tz), timedelta(days=7)
    at, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    spans = [OffsetSpan(None, _offset(at, info))]
    while at < end:
        if _offset(at + step, info) != _offset(at, info):
            change = _change_between(at, at + step, info)
            spans.append(OffsetSpan(change, _offset(change, info)))
        at += step
    return tuple(spans)


def day_number(day: date) -> int:
    """Days since 1970-01-01: the portable date of our SQL."""
    return (day - EPOCH).days


def from_day_number(number: int) -> date:
    return EPOCH + timedelta(days=number)
