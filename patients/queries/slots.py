"""Free times of doctors: four queries for any number of doctors and days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from patients.models import BusyTime, SlotHold, Visit
from patients.rules.slots import Span, cut, gaps
from staff.models import Shift

STEP = timedelta(minutes=30)
MOST_DAYS = timedelta(days=31)  # nobody chooses among more, and an open end would read the whole table


@dataclass(frozen=True)
class Slot:
    """A free time [start_at, end_at) of a doctor; `branch_id` is where he sits then (None: not said), `room_id` in which
    room (None: not said)."""

    doctor_id: int
    branch_id: int | None
    start_at: datetime
    end_at: datetime
    room_id: int | None = None

    @property
    def value(self) -> str:
        """What a form sends back for it."""
        return f"{self.doctor_id}:{self.branch_id or ''}:{self.start_at.isoformat()}"


@dataclass(frozen=True)
class Busy:
    """What nobody may book within a stretch of time: spans by doctor and by room, each sorted by start."""

    doctors: dict[int, list[Span]]
    rooms: dict[int, list[Span]]

    def of(self, doctor_id: int, room_id: int | None) -> list[Span]:
        own = self.doctors.get(doctor_id, [])
        return own if room_id is None else sorted([*own, *self.rooms.get(room_id, [])])


@dataclass(frozen=True)
class Gap:
    """A stretch of free time of a doctor. `branch_id`: as the shift says it; `place_id`: else where he is at home."""

    doctor_id: int
    branch_id: int | None
    place_id: int | None
    room_id: int | None
    span: Span


def busy_spans(doctor_ids: Iterable[int], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """What holds each doctor's time within [start, end), rows of other systems included, by start."""
    visits = Visit.objects.filter(doctor__in=list(doctor_ids)).holding_slot().overlapping(start, end)
    return _by_first(visits.values_list("doctor_id", "start_at", "end_at"))


def _by_first(rows: Iterable[tuple[int, datetime, datetime]]) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = defaultdict(list)
    for owner, begin, stop in sorted(rows):
        found[owner].append((begin, stop))
    return found


def _busy(doctor_ids: list[int], room_ids: list[int], start: datetime, end: datetime, now: datetime) -> Busy:
    """Visits, the timetables of other systems, and times that somebody is about to book: at most four queries."""
    span = {"start_at__lt": end, "end_at__gt": start}
    names = ("doctor_id", "room_id", "start_at", "end_at")
    ours = Q(doctor__in=doctor_ids) | Q(room__in=room_ids)
    visits = list(Visit.objects.filter(ours, **span).holding_slot().values_list(*names))
    holds = list(SlotHold.objects.live(now).filter(ours, **span).values_list(*names))
    told = BusyTime.objects.filter(doctor__in=doctor_ids, is_busy=True, **span)
    doctors = [(owner, a, b) for owner, _room, a, b in (*visits, *holds)]
    rooms = [(room, a, b) for _owner, room, a, b in (*visits, *holds) if room is not None]
    return Busy(_by_first([*doctors, *told.values_list("doctor_id", "start_at", "end_at")]), _by_first(rooms))


def free_gaps(*, doctor_ids: Iterable[int], start: datetime, end: datetime, now: datetime) -> list[Gap]:
    """What a shift covers and nothing takes within [start, end) (31 days at most): no holding visit of the doctor or in the
    shift's room, no busy time that another system told, no hold. Four queries, whoever is asked about."""
    ids, end = list(doctor_ids), min(end, start + MOST_DAYS)
    shifts = Shift.objects.filter(doctor__in=ids, start_at__lt=end, end_at__gt=start).order_by("start_at", "id")
    names = ("doctor_id", "branch_id", "doctor__branch_id", "room_id", "start_at", "end_at")
    rows = list(shifts.values_list(*names))
    busy = _busy(ids, list({row[3] for row in rows if row[3] is not None}), start, end, now)
    return [
        Gap(doctor_id, branch_id, branch_id or home_id, room_id, span)
        for doctor_id, branch_id, home_id, room_id, begin, stop in rows
        for span in gaps((max(begin, start), min(stop, end)), busy.of(doctor_id, room_id))
    ]


def slots_in(found: Iterable[Gap], *, minutes: int, now: datetime, limit: int) -> list[Slot]:
    """The nearest slots of `minutes` that fit, earliest first, none in the past."""
    length, step = timedelta(minutes=minutes), min(STEP, timedelta(minutes=minutes))
    slots: dict[tuple[datetime, int], Slot] = {}
    for gap in found:
        for a, b in cut(gap.span, length, step, now):
            slots.setdefault((a, gap.doctor_id), Slot(gap.doctor_id, gap.branch_id, a, b, gap.room_id))
    return [slots[key] for key in sorted(slots)[:limit]]


def free_slots(
    *,
    doctor_ids: Iterable[int],
    start: datetime,
    end: datetime,
    minutes: int,
    now: datetime,
    limit: int = 60,
    branch_id: int | None = None,
) -> list[Slot]:
    """`free_gaps` cut into slots. Doctors without shifts have none. `branch_id`: only where he sits there then."""
    found = free_gaps(doctor_ids=doctor_ids, start=start, end=end, now=now)
    here = found if branch_id is None else [gap for gap in found if gap.place_id == branch_id]
    return slots_in(here, minutes=minutes, now=now, limit=limit)


def nearest_free(doctor_id: int, start: datetime, minutes: int, now: datetime, limit: int = 6) -> list[Slot]:
    """What is offered instead of a taken time: free slots of that doctor in the two weeks from that day on."""
    day = max(start - timedelta(hours=12), now)
    return free_slots(
        doctor_ids=[doctor_id], start=day, end=day + timedelta(days=14), minutes=minutes, now=now, limit=limit
    )


def room_at(doctor_id: int, start: datetime, end: datetime) -> int | None:
    """The room of the doctor's shift that covers this time; None where no shift says one."""
    shifts = Shift.objects.filter(doctor=doctor_id, start_at__lte=start, end_at__gte=end, room__isnull=False)
    return shifts.order_by("start_at", "id").values_list("room_id", flat=True).first()
