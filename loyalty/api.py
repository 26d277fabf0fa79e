"""`/api/v1/patients/{id}/value/`: what a patient is to the clinic, live."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.money import mean_money, money_text, ratio
from loyalty.metrics.facts import HORIZONS
from loyalty.models import PatientValue
from loyalty.queries import live_scope, live_value
from loyalty.rules import RULES
from patients.metrics.codes import codes_of
from patients.queries import visible_patients
from staff import actions as staff
from staff.access import Actor
from staff.api.described import ID, READ_ERRORS, errors

NULLABLE_DAY = {"type": ["string", "null"], "format": "date"}
MONEY = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "patient_id": {"type": "integer"},
    "patient": {"type": "string"},
    "as_of": {"type": "string", "format": "date"},
    **{name: {"type": "integer"} for name in ("visits", "visit_days", "paid_visits")},
    "average_check": {"type": ["string", "null"]},
    **dict.fromkeys(("first_visit", "last_visit"), NULLABLE_DAY),
    "lifespan_months": {"type": ["object", "null"]},
    **dict.fromkeys(("ltv_revenue", "ltv_margin", "cost"), MONEY),
    "money": {"type": "array", "items": {"type": "object"}},
    "kind": {"type": "string", "enum": ["none", "primary", "permanent"]},
    "permanent_since": NULLABLE_DAY,
    "churn": {"type": "object"},
    "rfm": {"type": ["object", "null"]},
    **{name: {"type": ["string", "null"]} for name in ("first_doctor", "own_doctor")},
}
ANSWER = {"type": "object", "properties": SCHEMA, "required": list(SCHEMA)}


class ValueView(APIView):
    """The value of the person to whom the record belongs, from visits and payments as they are now."""

    deeds: ClassVar = {"GET": "read_api"}

    @extend_schema(
        operation_id="patients_value",
        summary="patients: value",
        tags=["patients"],
        parameters=[OpenApiParameter("patient_id", ID, OpenApiParameter.PATH)],
        responses={200: ANSWER} | errors(READ_ERRORS),
    )
    def get(self, request: Request, patient_id: int) -> Response:
        by: Actor = request._request.actor  # type: ignore[attr-defined]
        if not by.may("see_money"):
            raise PermissionDenied
        now = timezone.now()
        patient = visible_patients(by).filter(pk=patient_id).select_related("canonical").first()
        value = live_value(patient.pk, now) if patient else None
        if patient is None or value is None:
            raise NotFound
        staff.record(
            by=by, deed="read_value", now=now, object_kind="patient", object_id=patient.pk, patient_id=value.pk
        )
        return Response(
            {"patient_id": value.pk, "patient": (patient.canonical or patient).code}
            | shown(value, live_scope(now).as_of)
        )


def shown(value: PatientValue, as_of: date) -> dict[str, Any]:
    """The facts as JSON; `churn.booked` is the start of the next booked visit, whatever the state."""
    doctors = codes_of("doctor")
    return {
        "as_of": as_of,
        "visits": value.visits,
        "visit_days": value.visit_days,
        "paid_visits": value.paid_visits,
        "average_check": mean_money(value.paid_sum, value.paid_visits),
        "first_visit": value.first_day,
        "last_visit": value.last_day,
        "lifespan_months": lifespan(value),
        "ltv_revenue": money_text(value.revenue),
        "ltv_margin": money_text(value.margin),
        "cost": money_text(value.cost),
        "money": [horizon(value, months) for months in HORIZONS],
        "kind": "none" if not value.visits else "permanent" if value.second_day else "primary",
        "permanent_since": value.second_day,
        "churn": churn(value),
        "rfm": {"scores": value.rfm, "segment": value.segment} if value.rfm else None,
        "first_doctor": doctors.get(value.first_doctor_id or 0),
        "own_doctor": doctors.get(value.own_doctor_id or 0),
    }


def lifespan(value: PatientValue) -> dict[str, Any] | None:
    if value.first_day is None or value.last_day is None:
        return None
    return {**ratio(16 * (value.last_day - value.first_day).days, 487)}


def horizon(value: PatientValue, months: int) -> dict[str, Any]:
    """Money with a month index below `months` (R4: one, three and five years)."""
    revenue, margin = (getattr(value, f"{what}_{months}") for what in ("revenue", "margin"))
    return {"months": months, "revenue": money_text(revenue), "margin": money_text(margin)}


def churn(value: PatientValue) -> dict[str, Any]:
    return {
        "state": value.state,
        "rule": value.rule,
        "because": str(RULES[value.rule]),
        "theta_days": value.theta_days,
        "median_gap_days": value.median_gap,
        "booked": value.booked_at is not None,
        "booked_at": value.booked_at,
    }
