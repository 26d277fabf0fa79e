"""Free times of doctors: two queries for any number of doctors and days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from patients.models import Visit
from patients.rules.slots import Span, cut, gaps
from staff.models import Shift

STEP = timedelta(minutes=30)
MOST_DAYS = timedelta(days=31)  # nobody chooses among more, and an open end would read the whole table


@dataclass(frozen=True)
class Slot:
    """A free time [start_at, end_at) of a doctor; `branch_id` is where he sits then (None: not said)."""

    doctor_id: int
    branch_id: int | None
    start_at: datetime
    end_at: datetime

    @property
    def value(self) -> str:
        """What a form sends back for it."""
        return f"{self.doctor_id}:{self.branch_id or ''}:{self.start_at.isoformat()}"


def busy_spans(doctor_ids: Iterable[int], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """What holds each doctor's time within [start, end), rows of other systems included, by start."""
    visits = Visit.objects.filter(doctor__in=list(doctor_ids)).holding_slot().overlapping(start, end)
    busy: dict[int, list[Span]] = defaultdict(list)
    for doctor_id, begin, stop in visits.order_by("start_at").values_list("doctor_id", "start_at", "end_at"):
        busy[doctor_id].append((begin, stop))
    return busy


def free_slots(
    *, doctor_ids: Iterable[int], start: datetime, end: datetime, minutes: int, now: datetime, limit: int = 60
) -> list[Slot]:
    """The nearest free slots of `minutes` within [start, end) (31 days at most), earliest first, none in the past.

    Free is what a shift covers and no holding visit takes. Doctors without shifts have no slots here.
    """
    ids, end = list(doctor_ids), min(end, start + MOST_DAYS)
    length, step = timedelta(minutes=minutes), min(STEP, timedelta(minutes=minutes))
    busy = busy_spans(ids, start, end)
    shifts = Shift.objects.filter(doctor__in=ids, start_at__lt=end, end_at__gt=start).order_by("start_at", "id")
    found: dict[tuple[datetime, int], Slot] = {}
    for doctor_id, branch_id, begin, stop in shifts.values_list("doctor_id", "branch_id", "start_at", "end_at"):
        for gap in gaps((max(begin, start), min(stop, end)), busy[doctor_id]):
            for a, b in cut(gap, length, step, now):
                found.setdefault((a, doctor_id), Slot(doctor_id, branch_id, a, b))
    return [found[key] for key in sorted(found)[:limit]]


def nearest_free(doctor_id: int, start: datetime, minutes: int, now: datetime, limit: int = 6) -> list[Slot]:
    """What is offered instead of a taken time: free slots of that doctor in the two weeks from that day on."""
    day = max(start - timedelta(hours=12), now)
    return free_slots(
        doctor_ids=[doctor_id], start=day, end=day + timedelta(days=14), minutes=minutes, now=now, limit=limit
    )
