"""The API's `slots`: the timetable of another system as it sends it, and `slots/free/`: what can be booked now."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.clock import day_end, day_start
from patients.actions.slots import SLOTS, record_slots
from patients.models import BusyTime, Service
from patients.queries.slots import MOST_DAYS, free_slots
from staff.access import Actor
from staff.api.described import READ_ERRORS, errors
from staff.api.doors import KIND_SCHEMA, Column, Door, instant_text, reference
from staff.api.filters import DoorFilters, IdFilter, InstantFilter, TruthFilter
from staff.api.problems import Problem
from staff.models import Clinic, Doctor

MOST, USUAL, LONGEST = 200, 50, 480


class SlotFilters(DoorFilters):
    doctor = IdFilter(field_name="doctor_id")
    branch = IdFilter(field_name="branch_id")
    is_busy = TruthFilter()
    start_at__gte = InstantFilter(field_name="start_at", lookup_expr="gte")
    start_at__lt = InstantFilter(field_name="start_at", lookup_expr="lt")


def own_slots(by: Actor) -> QuerySet[BusyTime]:
    slots = BusyTime.objects.all()
    return slots if by.branch_id is None else slots.filter(Q(branch_id=by.branch_id) | Q(branch_id=None))


SLOT_DOOR = Door(
    name="slots",
    one="slot",
    resource=SLOTS,
    record=record_slots,
    scope=own_slots,
    columns=(
        *reference("doctor"),
        *reference("branch"),
        Column("start_at", "instant"),
        Column("end_at", "instant"),
        Column("is_busy", "bool"),
    ),
    filters=SlotFilters,
)


FREE = {
    "type": "object",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["doctor", "branch", "room", "start_at", "end_at"],
                "properties": {
                    "doctor": {"type": "integer"},
                    "branch": {"type": ["integer", "null"]},
                    "room": {"type": ["integer", "null"]},
                    "start_at": KIND_SCHEMA["instant"],
                    "end_at": KIND_SCHEMA["instant"],
                },
            },
        }
    },
}


class FreeSlotsView(APIView):
    """GET `slots/free/?doctor=&speciality=&branch=&service=&day=&minutes=&limit=`: the nearest free times, earliest first.

    Ids are ours; `day` is a local date of the clinic; `minutes` else the service's, else 30; at most 200 slots of 31 days.
    """

    deeds: ClassVar[dict[str, str]] = {"GET": "read_api"}
    http_method_names = ["get", "head"]  # noqa: RUF012 as the base class declares it

    @extend_schema(
        operation_id="slots_free",
        summary="slots: free",
        tags=["slots"],
        parameters=[
            OpenApiParameter(name, str)
            for name in ("doctor", "speciality", "branch", "service", "day", "minutes", "limit")
        ],
        responses={200: FREE} | errors(READ_ERRORS),
    )
    def get(self, request: Request) -> Response:
        by, now, given = request._request.actor, timezone.now(), request.query_params  # type: ignore[attr-defined]
        branch = by.branch_id or _number(given, "branch", None, 2**62)
        service = Service.objects.filter(pk=_number(given, "service", 0, 2**62) or 0).first()
        minutes = _number(given, "minutes", service.minutes if service else 30, LONGEST) or 30
        start, end = _span(given.get("day", ""), now)
        slots = free_slots(
            doctor_ids=_doctors(given, service),
            start=start,
            end=end,
            minutes=minutes,
            now=now,
            limit=_number(given, "limit", USUAL, MOST) or USUAL,
            branch_id=branch,
        )
        return Response({"results": [_row(slot) for slot in slots]})


def _number(given: Any, name: str, default: int | None, most: int) -> int | None:
    text = given.get(name, "")
    if text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19 and 1 <= int(text) <= most):
        raise Problem(400, errors={name: [_("must be between %(low)d and %(high)d") % {"low": 1, "high": most}]})
    return int(text)


def _span(day: str, now: datetime) -> tuple[datetime, datetime]:
    if not day:
        return now, now + MOST_DAYS
    tz = str(Clinic.objects.values_list("tz", flat=True).get(pk=1))
    try:
        local = datetime.strptime(day, "%Y-%m-%d").date()  # noqa: DTZ007 - a date, not a moment
        return max(day_start(local, tz), now), day_end(local, tz)
    except (ValueError, OverflowError):
        raise Problem(400, errors={"day": [_("must be a date such as 2026-11-25")]}) from None


def _doctors(given: Any, service: Service | None) -> list[int]:
    doctors = Doctor.objects.filter(is_active=True)
    one = _number(given, "doctor", None, 2**62)
    speciality = given.get("speciality", "") or (service.speciality if service else "")
    if one:
        doctors = doctors.filter(pk=one)
    if speciality:
        doctors = doctors.filter(speciality=speciality)
    return list(doctors.order_by("pk").values_list("pk", flat=True)[:500])


def _row(slot: Any) -> dict[str, Any]:
    return {
        "doctor": slot.doctor_id,
        "branch": slot.branch_id,
        "room": slot.room_id,
        "start_at": instant_text(slot.start_at),
        "end_at": instant_text(slot.end_at),
    }
