"""Appointments made, moved and closed here. Two locks guard a slot: the doctor's row (then the room's) and the database's
constraints.

The row lock keeps the answer quick and exact under contention; the constraint holds whatever door forgot it
(security.md "Double booking": the constraint alone deadlocks, the check alone books twice).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from core.clock import local_date
from core.names import clean_text, new_code
from patients.actions.traces import user_id, visit_changed
from patients.models import BusyTime, Patient, SlotHold, Visit, WorkItem
from patients.queries.slots import Slot, nearest_free, room_at
from patients.rules.moves import allowed
from staff.access import Actor
from staff.models import Branch, Clinic, Doctor, Room, Source
from staff.models.base import OWN_SOURCE

Status = Visit.Status
OVERLAP = "no_overlap"  # part of the constraint's name on both databases
LONGEST = timedelta(hours=24)


class SlotTaken(Exception):
    """Somebody else holds that time. `free`: the nearest free times of the same doctor."""

    def __init__(self, free: Sequence[Slot] = ()) -> None:
        super().__init__("slot taken")
        self.free = list(free)


class BadTime(Exception):
    """The end is not after the start, or the appointment is longer than a day."""


class MoveNotAllowed(Exception):
    """The appointment's status does not allow this (`patients.rules.moves`), or its day has not come."""


def clinic_tz() -> str:
    return str(Clinic.objects.values_list("tz", flat=True).get(pk=1))


def lock_doctors(*doctor_ids: int) -> None:
    """In one order, so that two moves that cross cannot wait for each other. On SQLite BEGIN IMMEDIATE is the lock."""
    list(Doctor.objects.select_for_update(no_key=True).filter(pk__in=doctor_ids).order_by("pk").values_list("pk"))


def lock_room(room_id: int | None) -> None:
    """After the doctors, always: two bookings that share doctor and room cannot wait for each other."""
    if room_id is not None:
        list(Room.objects.select_for_update(no_key=True).filter(pk=room_id).values_list("pk"))


def lock_slot(*, doctor_id: int, start_at: datetime, end_at: datetime) -> None:
    """Both locks of a time, for an action that writes other rows before it books: the doctor, then the room."""
    lock_doctors(doctor_id)
    lock_room(room_at(doctor_id, start_at, end_at))


def _require_free(visit: Visit, now: datetime, hold: SlotHold | None = None) -> None:
    """Neither doctor nor room has a visit then, and nobody else (`hold`: but oneself) is about to book it."""
    whose = Q(doctor_id=visit.doctor_id) | (Q(room_id=visit.room_id) if visit.room_id else Q(pk__in=[]))
    others = Visit.objects.filter(whose).holding_slot().overlapping(visit.start_at, visit.end_at)
    holds = SlotHold.objects.live(now).filter(whose, start_at__lt=visit.end_at, end_at__gt=visit.start_at)
    if others.exclude(pk=visit.pk).exists() or holds.exclude(pk=hold.pk if hold else 0).exists():
        raise _taken(visit, now)


def _require_untold(visit: Visit, now: datetime, mirror: tuple[datetime, datetime] | None = None) -> None:
    """No timetable of another system says that the doctor is busy then. `mirror`: the visit's own time until now, which
    that system may know as busy because of this very visit."""
    told = BusyTime.objects.filter(doctor_id=visit.doctor_id, is_busy=True)
    told = told.filter(start_at__lt=visit.end_at, end_at__gt=visit.start_at)
    if mirror is not None:
        told = told.exclude(start_at=mirror[0], end_at=mirror[1])
    if told.exists():
        raise _taken(visit, now)


def require_bookable(visit: Visit, now: datetime, mirror: tuple[datetime, datetime] | None = None) -> None:
    """Nothing takes this time, under the locks that the caller holds. Raises SlotTaken. `mirror`: as in a move."""
    _require_free(visit, now)
    _require_untold(visit, now, mirror)


def _taken(visit: Visit, now: datetime) -> SlotTaken:
    minutes = max(5, int((visit.end_at - visit.start_at).total_seconds() // 60))
    return SlotTaken(nearest_free(visit.doctor_id, visit.start_at, minutes, now))


def _store(visit: Visit, now: datetime, fields: Sequence[str] | None = None) -> None:
    """Save; the database's refusal of an overlap becomes SlotTaken."""
    try:
        with transaction.atomic():
            visit.save(update_fields=fields)
    except IntegrityError as error:
        if OVERLAP in str(error):
            raise _taken(visit, now) from error
        raise


def _check_span(start_at: datetime, end_at: datetime) -> None:
    if not timedelta(0) < end_at - start_at <= LONGEST:
        raise BadTime


@transaction.atomic
def book_visit(
    *,
    patient: Patient,
    doctor: Doctor,
    branch: Branch,
    start_at: datetime,
    end_at: datetime,
    by: Actor,
    now: datetime,
    goal: str = "",
    source: Source | None = None,
    external_id: str | None = None,
    status: str = Status.SCHEDULED,
    overlap: bool = False,
    room: Room | None = None,
    hold: SlotHold | None = None,
) -> Visit:
    """One appointment in a free slot [start_at, end_at). `overlap`: squeeze it in deliberately among others.

    `room`: where; without it, the room of the doctor's shift. `hold`: the hold that this booking was waiting under; it is
    over with it.

    Raises SlotTaken (with the nearest free times), BadTime. What follows (confirmation, answered work items)
    is for the follow-up.
    """
    _check_span(start_at, end_at)
    lock_doctors(doctor.pk)
    room_id = room.pk if room else room_at(doctor.pk, start_at, end_at)
    lock_room(room_id)
    visit = Visit(
        patient=patient,
        doctor=doctor,
        branch=branch,
        room_id=room_id,
        source_id=source.pk if source else OWN_SOURCE,
        external_id=external_id or new_code(),
        status=status,
        booked_at=now,
        start_at=start_at,
        end_at=end_at,
        day=local_date(start_at, clinic_tz()),
        goal=clean_text(goal)[:300],
        may_overlap=overlap,
        created_by_id=user_id(by),
    )
    if not overlap:
        _require_free(visit, now, hold)
        _require_untold(visit, now)
    _store(visit, now)
    if hold is not None:
        SlotHold.objects.filter(pk=hold.pk).delete()
    visit_changed(visit, deed="book_visit", by=by, now=now, fields=("doctor", "branch", "start_at", "end_at", "goal"))
    return visit


def locked(visit: Visit, move: str) -> Visit:
    """The row as it is now, locked, if `move` may start from its status."""
    current = Visit.objects.select_for_update(of=("self",)).select_related("source").get(pk=visit.pk)
    if not allowed(move, current.status):
        raise MoveNotAllowed(move)
    return current


def require_day(visit: Visit, now: datetime) -> None:
    """A visit of tomorrow cannot be over today: figures would count what has not happened."""
    if visit.day > local_date(now, clinic_tz()):
        raise MoveNotAllowed("early")


@transaction.atomic
def move_visit(
    *,
    visit: Visit,
    start_at: datetime,
    end_at: datetime,
    by: Actor,
    now: datetime,
    doctor: Doctor | None = None,
    branch: Branch | None = None,
    overlap: bool = False,
    room: Room | None = None,
) -> Visit:
    """Another time (or doctor) for the same appointment: it keeps its id, and what was confirmed is not any more.

    Raises SlotTaken, BadTime, MoveNotAllowed.
    """
    _check_span(start_at, end_at)
    lock_doctors(visit.doctor_id, doctor.pk if doctor else visit.doctor_id)
    room_id = room.pk if room else room_at(doctor.pk if doctor else visit.doctor_id, start_at, end_at)
    lock_room(room_id)
    current = locked(visit, "move")
    until_now = (current.start_at, current.end_at)
    current.doctor, current.branch = doctor or current.doctor, branch or current.branch
    current.room_id = room_id
    current.start_at, current.end_at = start_at, end_at
    current.day = local_date(start_at, clinic_tz())
    current.confirmed_at = None
    current.may_overlap = current.may_overlap or overlap
    current.followed_up_at = None
    if not overlap:
        require_bookable(current, now, until_now)
    _store(current, now)
    visit_changed(current, deed="move_visit", by=by, now=now, fields=("doctor", "branch", "start_at", "end_at"))
    return current


def _change(visit: Visit, deed: str, by: Actor, now: datetime, **values: object) -> Visit:
    """Write the columns and their traces. The follow-up looks at the visit again: each of its steps happens once."""
    for name, value in (values | {"followed_up_at": None}).items():
        setattr(visit, name, value)
    _store(visit, now, [*values, "followed_up_at"])
    visit_changed(visit, deed=deed, by=by, now=now, fields=values)
    return visit


@transaction.atomic
def confirm_visit(*, visit: Visit, by: Actor, now: datetime) -> Visit:
    """The patient said that he comes. Twice is once. Raises MoveNotAllowed."""
    current = locked(visit, "confirm")
    return current if current.confirmed_at else _change(current, "confirm_visit", by, now, confirmed_at=now)


@transaction.atomic
def arrive(*, visit: Visit, by: Actor, now: datetime) -> Visit:
    """He is here. Raises MoveNotAllowed, SlotTaken (written off as a no-show, and his time was given away)."""
    lock_doctors(visit.doctor_id)
    current = locked(visit, "arrive")
    require_day(current, now)
    if current.status == Status.NO_SHOW:
        _require_free(current, now)
    WorkItem.objects.filter(visit=current, kind=WorkItem.Kind.NO_SHOW, status=WorkItem.Status.OPEN).update(
        status=WorkItem.Status.DROPPED, outcome="came late", closed_at=now
    )
    return _change(current, "arrive", by, now, status=Status.ARRIVED, arrived_at=now)


@transaction.atomic
def finish_visit(*, visit: Visit, by: Actor, now: datetime) -> Visit:
    """The visit took place. Raises MoveNotAllowed, also before its day."""
    current = locked(visit, "finish")
    require_day(current, now)
    arrived_at = current.arrived_at or min(current.start_at, now)
    return _change(current, "finish_visit", by, now, status=Status.COMPLETED, finished_at=now, arrived_at=arrived_at)


@transaction.atomic
def mark_no_show(*, visit: Visit, by: Actor, now: datetime) -> Visit:
    """He did not come; the follow-up has him called in two weeks. Raises MoveNotAllowed, also before the time."""
    current = locked(visit, "no_show")
    if current.start_at > now:
        raise MoveNotAllowed("early")
    return _change(current, "mark_no_show", by, now, status=Status.NO_SHOW)


@transaction.atomic
def cancel_visit(*, visit: Visit, reason: str, by_clinic: bool, by: Actor, now: datetime) -> Visit:
    """Cancelled by the patient or by the clinic, with the reason in words. Raises MoveNotAllowed."""
    current = locked(visit, "cancel")
    status = Status.CANCELLED_CLINIC if by_clinic else Status.CANCELLED_PATIENT
    at = max(now, current.booked_at)  # an MIS whose clock is ahead must not make the row unwritable
    reason = clean_text(reason)[:300]
    return _change(current, "cancel_visit", by, now, status=status, cancelled_at=at, cancel_reason=reason)


@transaction.atomic
def reopen_visit(*, visit: Visit, by: Actor, now: datetime) -> Visit:
    """Back to scheduled, after a slip of the finger. Raises MoveNotAllowed, SlotTaken when the time was given away."""
    lock_doctors(visit.doctor_id)
    current = locked(visit, "reopen")
    if current.status != Status.ARRIVED and not current.may_overlap:
        _require_free(current, now)
    WorkItem.objects.filter(visit=current, kind=WorkItem.Kind.NO_SHOW, status=WorkItem.Status.OPEN).update(
        status=WorkItem.Status.DROPPED, outcome="reopened", closed_at=now
    )
    return _change(
        current, "reopen_visit", by, now, status=Status.SCHEDULED, cancelled_at=None, cancel_reason="", arrived_at=None
    )
