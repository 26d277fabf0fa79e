"""The doors of this room's resources."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from staff.access import Actor
from staff.actions import record_branches, record_doctors, record_shifts
from staff.actions.intake.ground import BRANCHES, DOCTORS, ROOMS, SHIFTS, own_branches, record_rooms
from staff.api.doors import Column, Door, reference
from staff.api.filters import DoorFilters, IdFilter, InstantFilter, TextFilter, TruthFilter
from staff.models import Doctor, Room, Shift


class DoctorFilters(DoorFilters):
    speciality = TextFilter()
    branch = IdFilter(field_name="branch_id")
    is_active = TruthFilter()


class ShiftFilters(DoorFilters):
    doctor = IdFilter(field_name="doctor_id")
    branch = IdFilter(field_name="branch_id")
    start_at__gte = InstantFilter(field_name="start_at", lookup_expr="gte")
    start_at__lt = InstantFilter(field_name="start_at", lookup_expr="lt")


def own_shifts(by: Actor) -> QuerySet[Shift]:
    shifts = Shift.objects.all()
    return shifts if by.branch_id is None else shifts.filter(Q(branch_id=by.branch_id) | Q(branch_id=None))


class RoomFilters(DoorFilters):
    branch = IdFilter(field_name="branch_id")
    is_active = TruthFilter()


def own_rooms(by: Actor) -> QuerySet[Room]:
    return Room.objects.all() if by.branch_id is None else Room.objects.filter(branch_id=by.branch_id)


BRANCH_DOOR = Door(
    name="branches",
    one="branch",
    resource=BRANCHES,
    record=record_branches,
    scope=own_branches,
    columns=(
        Column("name"),
        Column("tz"),
        Column("phone_region"),
        Column("address"),
        Column("phone"),
        Column("is_default", "bool"),
    ),
    filters=DoorFilters,
)
DOCTOR_DOOR = Door(
    name="doctors",
    one="doctor",
    resource=DOCTORS,
    record=record_doctors,
    scope=lambda by: Doctor.objects.all(),
    columns=(Column("name"), Column("speciality"), Column("is_active", "bool"), *reference("branch")),
    filters=DoctorFilters,
)
SHIFT_DOOR = Door(
    name="shifts",
    one="shift",
    resource=SHIFTS,
    record=record_shifts,
    scope=own_shifts,
    columns=(
        *reference("doctor"),
        *reference("branch"),
        *reference("room"),
        Column("start_at", "instant"),
        Column("end_at", "instant"),
    ),
    filters=ShiftFilters,
)
ROOM_DOOR = Door(
    name="rooms",
    one="room",
    resource=ROOMS,
    record=record_rooms,
    scope=own_rooms,
    columns=(Column("name"), Column("is_active", "bool"), *reference("branch")),
    filters=RoomFilters,
)
DOORS = (BRANCH_DOOR, DOCTOR_DOOR, ROOM_DOOR, SHIFT_DOOR)
