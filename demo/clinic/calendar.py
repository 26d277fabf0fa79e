"""Shifts and free half-hours of the doctors: two visits never share one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

STEP = timedelta(minutes=30)


@dataclass(frozen=True)
class Chair:
    """A doctor at work: code, room code, branch code and the branch's zone. `late` = second shift on even days."""

    code: str
    name: str
    room: str
    branch: str
    tz: str
    late: bool

    def hours(self, day: date) -> tuple[datetime, datetime] | None:
        """The shift of that local day in UTC, or None on a day off."""
        if day.weekday() == 6 or (day.toordinal() + len(self.code)) % 6 == 5:
            return None
        first = 14 if self.late == (day.toordinal() % 2 == 0) else 8
        zone = ZoneInfo(self.tz)
        begin = datetime.combine(day, time(first), zone).astimezone(UTC)
        return begin, begin + timedelta(hours=6)


class Calendar:
    """Who sits when; `take` gives a free start near a wished day and marks it taken."""

    def __init__(self, chairs: list[Chair], random: Random) -> None:
        self.chairs, self.random = chairs, random
        self.taken: set[tuple[str, datetime]] = set()

    def shifts(self, first: date, last: date) -> Iterator[dict[str, object]]:
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            for chair in self.chairs:
                hours = chair.hours(day)
                if hours:
                    yield {
                        "external_id": f"H{chair.code}-{day:%Y%m%d}",
                        "doctor_id": chair.code,
                        "branch_id": chair.branch,
                        "start_at": hours[0].isoformat(),
                        "end_at": hours[1].isoformat(),
                    }

    def take(self, chair: Chair, wished: date, minutes: int, reach: int = 12) -> datetime | None:
        """A free start of `minutes` on the wished day or one of the `reach` days after it."""
        steps = max(1, minutes // 30)
        for day in (wished + timedelta(days=n) for n in range(reach)):
            hours = chair.hours(day)
            if not hours:
                continue
            starts = [hours[0] + STEP * n for n in range(12 - steps + 1)]
            self.random.shuffle(starts)
            for start in starts[:8]:
                cells = [(chair.code, start + STEP * n) for n in range(steps)]
                if not any(cell in self.taken for cell in cells):
                    self.taken.update(cells)
                    return start
        return None
