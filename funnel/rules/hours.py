"""How long somebody has waited while the phone is answered (R95). Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.clock import local_date, zone

SOON_SECONDS, LATE_SECONDS = 60, 120  # R95: green until a minute, red from two
LONGEST = timedelta(days=60)  # whoever has waited longer has waited long enough for any rule


@dataclass(frozen=True)
class Hours:
    """When a branch answers: local times and ISO weekdays ("12345"). `opens == closes` or either unknown: at all hours
    of the working days. `closes` before `opens` goes past midnight and belongs to the day on which it opened."""

    opens: time | None
    closes: time | None
    days: str = "1234567"

    @property
    def always(self) -> bool:
        return self.opens is None or self.closes is None or self.opens == self.closes


def _instant(day: date, at: time, tz: str) -> datetime:
    """UTC. A local time that a clock change skips is the instant at which the clocks jump on; one that comes twice is
    its first coming."""
    return datetime.combine(day, at, tzinfo=zone(tz)).astimezone(UTC)


def _span(day: date, tz: str, hours: Hours) -> tuple[datetime, datetime]:
    """The working time that begins on that local day."""
    if hours.opens is None or hours.closes is None or hours.opens == hours.closes:
        return _instant(day, time.min, tz), _instant(day + timedelta(days=1), time.min, tz)
    last = day if hours.closes > hours.opens else day + timedelta(days=1)
    return _instant(day, hours.opens, tz), _instant(last, hours.closes, tz)


def _spans(start: datetime, end: datetime, tz: str, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    day, last = local_date(start, tz) - timedelta(days=1), local_date(end, tz)
    while day <= last:
        if str(day.isoweekday()) in hours.days:
            yield _span(day, tz, hours)
        day += timedelta(days=1)


def working_seconds(start: datetime, end: datetime, tz: str, hours: Hours) -> int:
    """Whole seconds of working time between two instants; 0 when `end` is not after `start`. At most 60 days back are
    looked at. An hour that the clock skips is not worked, one that it repeats is worked twice, as on the wall."""
    start = max(start, end - LONGEST)
    if end <= start:
        return 0
    total = sum((_common(span, start, end) for span in _spans(start, end, tz, hours)), timedelta())
    return int(total.total_seconds())


def _common(span: tuple[datetime, datetime], start: datetime, end: datetime) -> timedelta:
    return max(min(span[1], end) - max(span[0], start), timedelta())


def is_open(at: datetime, tz: str, hours: Hours) -> bool:
    return any(first <= at < last for first, last in _spans(at, at, tz, hours))
