"""What reception sees today: appointments by doctor and time, free times, and what waits to be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.clock import day_end, day_start
from patients.models import Patient, Visit, WorkItem
from patients.queries.find import first_phones
from patients.queries.scope import visible_patients, visible_visits
from patients.queries.slots import Slot, free_slots
from patients.rules.once import submission
from patients.rules.slots import Span
from staff.access import Actor
from staff.models import Branch, Clinic, Doctor, IdempotencyRecord, Shift

MOST_ROWS, MOST_ITEMS = 400, 30  # a page is never longer, however large the clinic; filters narrow it
ROOM = 6  # free times shown a doctor
OLDEST = 120  # years of a birthday


@dataclass
class DoctorDay:
    """One doctor's day: his appointments by time and the free times left."""

    doctor: Doctor
    visits: list[Visit] = field(default_factory=list)
    free: list[Slot] = field(default_factory=list)


@dataclass(frozen=True)
class Day:
    """`cut`: there are more appointments than are shown, so filter by doctor or branch."""

    day: date
    tz: str
    doctors: list[DoctorDay]
    unconfirmed: list[Visit]
    cut: bool


@dataclass(frozen=True)
class Queue:
    """What waits beside the day; each list is cut at 30."""

    due: list[WorkItem]
    no_next: list[Visit]
    unconfirmed: list[Visit]
    birthdays: list[Patient]


def desk_tz(by: Actor, branch: Branch | None = None) -> str:
    """The zone in which "today" is meant: the branch's (chosen, or the person's own), else the clinic's."""
    if branch is not None:
        return branch.tz
    if by.branch_id is not None:
        return str(Branch.objects.values_list("tz", flat=True).get(pk=by.branch_id))
    return str(Clinic.objects.values_list("tz", flat=True).get(pk=1))


def _within(visits: QuerySet[Visit], branch: Branch | None, doctor: Doctor | None) -> QuerySet[Visit]:
    if branch is not None:
        visits = visits.filter(branch=branch)
    return visits.filter(doctor=doctor) if doctor is not None else visits


def the_day(*, day: date, by: Actor, now: datetime, branch: Branch | None = None, doctor: Doctor | None = None) -> Day:
    """A day's appointments by doctor and time, the unconfirmed ones again on top, and the free times left."""
    tz = desk_tz(by, branch)
    start, end = day_start(day, tz), day_end(day, tz)
    chosen = _within(visible_visits(by), branch, doctor).filter(start_at__gte=start, start_at__lt=end)
    visits = list(chosen.select_related("patient", "doctor", "branch").order_by("start_at", "id")[: MOST_ROWS + 1])
    cut = len(visits) > MOST_ROWS
    days = _by_doctor(visits[:MOST_ROWS], (start, end), branch=branch, doctor=doctor, by=by)
    free = free_slots(doctor_ids=list(days), start=start, end=end, minutes=30, now=now, limit=500)
    for slot in free:
        if len(days[slot.doctor_id].free) < ROOM:
            days[slot.doctor_id].free.append(slot)
    ordered = sorted(days.values(), key=lambda one: (one.doctor.name, one.doctor.pk))
    waiting = [v for v in visits if v.status == Visit.Status.SCHEDULED and not v.confirmed_at and v.start_at > now]
    return Day(day, tz, ordered, waiting, cut)


def _by_doctor(
    visits: list[Visit], span: Span, *, branch: Branch | None, doctor: Doctor | None, by: Actor
) -> dict[int, DoctorDay]:
    """Doctors who have appointments or a shift that day."""
    start, end = span
    at = branch.pk if branch else by.branch_id
    on_shift = Shift.objects.filter(start_at__lt=end, end_at__gt=start)
    doctors = Doctor.objects.filter(Exists(on_shift.filter(doctor=OuterRef("pk"))), is_active=True)
    if at is not None:
        here = Exists(on_shift.filter(doctor=OuterRef("pk"), branch=at))
        doctors = doctors.filter(Q(branch=at) | Q(here))
    if doctor is not None:
        doctors = doctors.filter(pk=doctor.pk)
    days = {one.pk: DoctorDay(one) for one in doctors.order_by("name", "id")[:100]}
    for visit in visits:
        days.setdefault(visit.doctor_id, DoctorDay(visit.doctor)).visits.append(visit)
    return days


def open_items(by: Actor) -> QuerySet[WorkItem]:
    """Open work items that `by` may see, with what a line shows, by due time."""
    items = WorkItem.objects.filter(status=WorkItem.Status.OPEN)
    if by.branch_id is not None:
        items = items.filter(branch=by.branch_id)
    return items.select_related("patient", "visit__doctor", "assignee").order_by("due_at", "id")


def _left_without_next(day: date, by: Actor, branch: Branch | None) -> QuerySet[Visit]:
    """Visits of that day and the day before that ended without a next booking and without the reason why (R50)."""
    later = Visit.objects.filter(
        patient=OuterRef("patient"), status=Visit.Status.SCHEDULED, start_at__gt=OuterRef("start_at")
    )
    visits = _within(visible_visits(by), branch, None).filter(
        day__in=(day, day - timedelta(days=1)), status=Visit.Status.COMPLETED, next_visit=None, no_next_reason=""
    )
    return visits.exclude(Exists(later)).select_related("patient", "doctor").order_by("-start_at", "id")


def birthdays(day: date, by: Actor, limit: int = MOST_ITEMS) -> list[Patient]:
    """Canonical patients born on that day of any year: every such date is looked up in the index of birth dates."""
    years = range(day.year - OLDEST, day.year + 1)
    dates = [date(year, day.month, day.day) for year in years if _exists(year, day)]
    patients = visible_patients(by).filter(merged_into=None).filter(birth_date__in=dates, is_test=False)
    return list(patients.order_by("birth_date", "id")[:limit])


def _exists(year: int, day: date) -> bool:
    return (day.month, day.day) != (2, 29) or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


def the_queue(*, day: date, by: Actor, now: datetime, branch: Branch | None = None) -> Queue:
    """What waits: work items due by the end of the day, hand-offs that broke, tomorrow's unconfirmed, birthdays."""
    tz = desk_tz(by, branch)
    end, later = day_end(day, tz), day_end(day + timedelta(days=1), tz)
    tomorrow = _within(visible_visits(by), branch, None).filter(
        start_at__gte=end, start_at__lt=later, status=Visit.Status.SCHEDULED, confirmed_at=None
    )
    due = open_items(by).filter(due_at__lt=end)
    if branch is not None:
        due = due.filter(branch=branch)
    return Queue(
        due=list(due[:MOST_ITEMS]),
        no_next=list(_left_without_next(day, by, branch)[:MOST_ITEMS]),
        unconfirmed=list(tomorrow.select_related("patient", "doctor").order_by("start_at", "id")[:MOST_ITEMS]),
        birthdays=birthdays(day, by),
    )


def made_before(*, deed: str, key: str, by: Actor) -> int | None:
    """The id of what this submission of a form has made already; None when it is new."""
    body = IdempotencyRecord.objects.filter(**submission(by.kind, by.id, deed, key)).values_list("body", flat=True)
    found = body.first()
    return int(bytes(found)) if found else None


def show_phones(lists: Iterable[Iterable[Patient | Visit | WorkItem]], by: Actor) -> None:
    """Puts `shown_phone` (E.164 or "") on every patient of these lists, by one query; nothing without the deed."""
    people = [row if isinstance(row, Patient) else row.patient for rows in lists for row in rows]
    known = [patient for patient in people if patient is not None]
    phones = first_phones([patient.pk for patient in known]) if by.may("see_contacts") else {}
    for patient in known:
        patient.shown_phone = phones.get(patient.pk, "")  # type: ignore[attr-defined]
