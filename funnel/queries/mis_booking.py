"""Bookings made here, as another system needs them, and what it said about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet

from funnel.models import MisBooking
from funnel.queries.booking import rules_of_booking
from patients.models import PatientPhone, Visit
from staff.access import Actor
from staff.models.base import OWN_SOURCE

MOST_TRIES = 40  # some six hours with the waits of `messaging.rules.backoff`
CHANGED = ~Q(sent_status="") & (
    ~Q(sent_start_at=F("visit__start_at"))
    | ~Q(sent_doctor=F("visit__doctor"))
    | (Q(visit__status__in=Visit.CANCELLED) & ~Q(sent_status__in=Visit.CANCELLED))
    | (~Q(visit__status__in=Visit.CANCELLED) & Q(sent_status__in=Visit.CANCELLED))
)


def is_told() -> bool:
    """Whether an MIS is set up that has to know our bookings: by the webhook, or because it fetches them."""
    return bool(settings.BOOKING_WEBHOOK_URL) or rules_of_booking().mis_fetches


def made_here(now: datetime) -> QuerySet[Visit]:
    """Coming visits that were booked here, whichever door: the MIS has to know them."""
    return Visit.objects.filter(source=OWN_SOURCE, start_at__gt=now).order_by("pk")


def of_place(by: Actor) -> QuerySet[MisBooking]:
    """Of the actor's branch, or of all."""
    rows = MisBooking.objects.select_related(*JOINED)
    return rows if by.branch_id is None else rows.filter(visit__branch=by.branch_id)


def unanswered(by: Actor) -> QuerySet[MisBooking]:
    """What the MIS has not decided about, in a steady order, of the actor's branch."""
    return of_place(by).filter(state__in=(MisBooking.State.WAITING, MisBooking.State.SENT)).order_by("pk")


JOINED = ("visit__patient", "visit__doctor", "visit__branch", "visit__room")


def mis_row(row: MisBooking, phone: str) -> dict[str, Any]:
    """One booking for the MIS. There is no flag to write into time that is busy there: the MIS refuses, a person decides."""
    visit = row.visit
    return {
        "external_id": visit.external_id,
        "version": row.version,
        "deed": "cancel" if visit.status in Visit.CANCELLED else "book",
        "doctor_id": visit.doctor.external_id,
        "branch_id": visit.branch.external_id,
        "room_id": visit.room.external_id if visit.room else None,
        "start_at": visit.start_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "end_at": visit.end_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "status": visit.status,
        "mis_id": row.mis_id or None,
        "patient": {
            "external_id": visit.patient.external_id,
            "last_name": visit.patient.last_name,
            "first_name": visit.patient.first_name,
            "middle_name": visit.patient.middle_name,
            "birth_date": visit.patient.birth_date.isoformat() if visit.patient.birth_date else None,
            "phone": phone or None,
        },
    }


def phones_of(rows: Iterable[MisBooking]) -> dict[int, str]:
    """patient id → the phone to use first: one query."""
    ids = [row.visit.patient_id for row in rows]
    found = PatientPhone.objects.filter(patient__in=ids).order_by("-position", "-id")
    return dict(found.values_list("patient_id", "number"))


def show_mis(visits: Iterable[Visit]) -> None:
    """Each line gets `.mis`, what the MIS knows of it (None: nothing to know): one query for any number of lines."""
    lines = list(visits)
    known = {row.visit_id: row for row in MisBooking.objects.filter(visit__in=[line.pk for line in lines])}
    for line in lines:
        line.mis = known.get(line.pk)  # type: ignore[attr-defined]
