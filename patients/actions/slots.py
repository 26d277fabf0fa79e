"""The timetable that another system keeps: which times of a doctor are busy there."""

from __future__ import annotations

from patients.models import BusyTime
from staff.actions.intake import Field, Ref, Resource, plain
from staff.actions.intake.ground import BRANCH, check_span
from staff.actions.intake.parsers import instant, truth
from staff.models import Doctor

SLOTS = Resource(
    name="slots",
    model=BusyTime,
    keys=(
        Ref("doctor_id", "doctor_id", "doctor", Doctor, extras=("branch_id",), required=True),
        BRANCH,
        Field("start_at", instant, "start_at", required=True),
        Field("end_at", instant, "end_at", required=True),
        Field("is_busy", truth, "is_busy"),
    ),
    check=check_span,
    branch=lambda record: record.values["branch_id"],
)
record_slots = plain(SLOTS)
