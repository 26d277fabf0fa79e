"""Branches, doctors and shifts as other systems send them."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from staff.access import Actor
from staff.actions.intake.batch import Batch
from staff.actions.intake.engine import plain
from staff.actions.intake.parsers import described, instant, text, time_zone, truth
from staff.actions.intake.resource import Field, Ref, Resource
from staff.actions.intake.results import Record, fail
from staff.models import Branch, Doctor, Room, Shift


def own_branches(by: Actor) -> QuerySet[Branch]:
    """The branches that the actor may name: all, or the one he is bound to."""
    return Branch.objects.filter(pk=by.branch_id) if by.branch_id else Branch.objects.all()


BRANCH = Ref("branch_id", "branch_id", "branch", Branch, scope=own_branches)


def country(value: Any) -> str:
    if type(value) is not str or not re.fullmatch(r"[A-Za-z]{2}", value.strip()):
        raise ValueError(_("must be a country code of two letters such as RU"))
    return value.strip().upper()


described(country, type="string", pattern="^[A-Za-z]{2}$")


def _check_branch(batch: Batch, record: Record) -> None:
    if not record.values["tz"]:
        record.values["tz"] = batch.branches.clinic_tz


def ordered(record: Record) -> bool:
    """Whether the end is not before the start; says so on the record otherwise."""
    if record.values["end_at"] < record.values["start_at"]:
        fail(record, "end_at", _("is before the start"))
    return not record.failed


def check_span(batch: Batch, record: Record) -> None:
    ordered(record)


def _check_room(batch: Batch, record: Record) -> None:
    if record.values["branch_id"] is None:
        record.values["branch_id"] = batch.branches.default_id


def _shift_zone(batch: Batch, record: Record) -> str:
    doctor = batch.target(record, "doctor_id")
    return batch.branches.tz(record.values["branch_id"] or doctor.get("branch_id"))


BRANCHES = Resource(
    name="branches",
    model=Branch,
    keys=(
        Field("name", text(200), "name", required=True),
        Field("tz", time_zone, "tz"),
        Field("phone_region", country, "phone_region"),
        Field("address", text(300), "address"),
        Field("phone", text(32), "phone"),
    ),
    check=_check_branch,
    scope=own_branches,
)
DOCTORS = Resource(
    name="doctors",
    model=Doctor,
    keys=(
        Field("name", text(200), "name", required=True),
        Field("speciality", text(120), "speciality", aliases=("specialty",)),
        Field("is_active", truth, "is_active"),
        BRANCH,
    ),
)
ROOMS = Resource(
    name="rooms",
    model=Room,
    keys=(
        Field("name", text(120), "name", required=True),
        Field("is_active", truth, "is_active"),
        BRANCH,
    ),
    check=_check_room,
    branch=lambda record: record.values["branch_id"],
)
ROOM = Ref("room_id", "room_id", "room", Room)
SHIFTS = Resource(
    name="shifts",
    model=Shift,
    keys=(
        Ref("doctor_id", "doctor_id", "doctor", Doctor, extras=("branch_id",), required=True),
        BRANCH,
        ROOM,
        Field("start_at", instant, "start_at", required=True),
        Field("end_at", instant, "end_at", required=True),
    ),
    check=check_span,
    zone=_shift_zone,
    branch=lambda record: record.values["branch_id"],
)

record_branches = plain(BRANCHES)
record_doctors = plain(DOCTORS)
record_rooms = plain(ROOMS)
record_shifts = plain(SHIFTS)
