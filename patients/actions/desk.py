"""Logging a visit: what was done, what was paid and what comes next, in one transaction (R34, R45, R50)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from core.clock import local_date
from core.names import clean_text
from patients.actions.booking import (
    SlotTaken,
    Status,
    book_visit,
    clinic_tz,
    lock_doctors,
    locked,
    require_day,
)
from patients.actions.once import Once
from patients.actions.traces import visit_changed
from patients.actions.visits import refresh_amounts
from patients.actions.work import open_work_item
from patients.models import Patient, Payment, Recommendation, Service, Visit, VisitItem, WorkItem
from staff import actions as staff
from staff.access import Actor
from staff.actions.journal import ChangedRow
from staff.models import Branch, Doctor

CALL_AGAIN_AFTER = timedelta(days=14)  # "in a couple of weeks" (R98)
CALL_AGAIN: frozenset[str] = frozenset({"will_call", "no_slot", "price", "other"})  # reasons that leave a door open


class NextBookingMissing(Exception):
    """Nobody leaves without a next booking or the reason why there is none (R50)."""


class NextSlotTaken(SlotTaken):
    """The time of the next booking is taken (SlotTaken itself: that of the walk-in)."""


class GoalMissing(Exception):
    """The next booking has no goal that the patient would understand (R50)."""


@dataclass(frozen=True)
class ItemDraft:
    """A service rendered. `amount` of the whole line in minor units; None = price of the list x quantity."""

    service: Service
    quantity: int = 1
    amount: int | None = None


@dataclass(frozen=True)
class PaymentDraft:
    """Money taken, minor units, > 0."""

    amount: int
    method: str = Payment.Method.CARD


@dataclass(frozen=True)
class NextBooking:
    doctor: Doctor
    branch: Branch
    start_at: datetime
    end_at: datetime
    goal: str


@dataclass(frozen=True)
class Advice:
    """A recommendation by indication (R45)."""

    service: Service | None = None
    due_date: date | None = None
    indication: str = ""


@dataclass(frozen=True)
class VisitReport:
    """What reception says of a visit that is over. `next_booking` or `no_next_reason` must be there."""

    items: Sequence[ItemDraft]
    payments: Sequence[PaymentDraft] = ()
    next_booking: NextBooking | None = None
    no_next_reason: str = ""
    diagnosis: str | None = None  # None = untouched: the person may not see it
    advice: Advice | None = None
    app_offered: bool | None = None
    cabinet_explained: bool | None = None
    questionnaire_given: bool | None = None


@staff.one_deed()
def log_visit(*, visit: Visit, report: VisitReport, submission_key: str, by: Actor, now: datetime) -> Visit:
    """The appointment becomes a completed visit. The same `submission_key` again answers what the first one made.

    Raises NextBookingMissing, GoalMissing, MoveNotAllowed, NextSlotTaken.
    """
    once = Once(key=submission_key, deed="log_visit", by=by, now=now)
    if once.made_id:
        return Visit.objects.get(pk=once.made_id)
    _check(report)
    lock_doctors(visit.doctor_id, *_next_doctor(report))
    current = locked(visit, "finish")
    require_day(current, now)
    _complete(current, report, by, now)
    once.remember(current.pk)
    return current


@staff.one_deed()
def log_walk_in(
    *,
    patient: Patient,
    doctor: Doctor,
    branch: Branch,
    start_at: datetime,
    end_at: datetime,
    report: VisitReport,
    submission_key: str,
    by: Actor,
    now: datetime,
    overlap: bool = False,
) -> Visit:
    """A visit without an appointment: booked and completed in one go. `overlap`: squeezed in between others.

    Raises what `log_visit` and `book_visit` raise.
    """
    once = Once(key=submission_key, deed="log_walk_in", by=by, now=now)
    if once.made_id:
        return Visit.objects.get(pk=once.made_id)
    _check(report)
    lock_doctors(doctor.pk, *_next_doctor(report))
    span: dict[str, Any] = {"start_at": start_at, "end_at": end_at}
    visit = book_visit(patient=patient, doctor=doctor, branch=branch, by=by, now=now, overlap=overlap, **span)
    require_day(visit, now)
    _complete(visit, report, by, now)
    once.remember(visit.pk)
    return visit


def _check(report: VisitReport) -> None:
    if report.next_booking is None and not report.no_next_reason:
        raise NextBookingMissing
    if report.next_booking is not None and not clean_text(report.next_booking.goal):
        raise GoalMissing


def _next_doctor(report: VisitReport) -> list[int]:
    """Every doctor is locked before anything else, in one order: two visits logged at once cannot wait crosswise."""
    return [report.next_booking.doctor.pk] if report.next_booking else []


def _complete(visit: Visit, report: VisitReport, by: Actor, now: datetime) -> None:
    _write_items(visit, report.items)
    payments = _write_payments(visit, report.payments, now)
    visit.next_visit = _book_next(visit, report.next_booking, by, now)
    visit.no_next_reason = "" if report.next_booking else report.no_next_reason
    visit.status, visit.finished_at, visit.followed_up_at = Status.COMPLETED, now, None
    visit.arrived_at = visit.arrived_at or min(visit.start_at, now)
    for name in ("app_offered", "cabinet_explained", "questionnaire_given"):
        setattr(visit, name, getattr(report, name))
    if report.diagnosis is not None:
        visit.diagnosis = report.diagnosis
    visit.save()
    refresh_amounts([visit.pk])
    visit.refresh_from_db(fields=["amount", "cost"])
    _write_advice(visit, report.advice, now)
    _call_again(visit, by, now)
    rows = [ChangedRow(one.pk, "crm", one.external_id, visit.branch_id) for one in payments]
    staff.note_changes(resource="payments", rows=rows, now=now)
    visit_changed(visit, deed="log_visit", by=by, now=now, fields=("status", "items", "payments", "next_visit"))


def _write_items(visit: Visit, items: Sequence[ItemDraft]) -> None:
    VisitItem.objects.bulk_create(
        VisitItem(
            visit=visit,
            service=item.service,
            quantity=item.quantity,
            amount=item.service.price * item.quantity if item.amount is None else item.amount,
            cost=item.service.cost * item.quantity,
        )
        for item in items
    )


def _write_payments(visit: Visit, payments: Sequence[PaymentDraft], now: datetime) -> list[Payment]:
    day = local_date(now, clinic_tz())
    return Payment.objects.bulk_create(
        Payment(
            patient_id=visit.patient_id,
            visit=visit,
            kind=Payment.Kind.PAYMENT,
            method=payment.method,
            paid_at=now,
            day=day,
            value_day=day,
            amount=payment.amount,
        )
        for payment in payments
        if payment.amount
    )


def _book_next(visit: Visit, booking: NextBooking | None, by: Actor, now: datetime) -> Visit | None:
    if booking is None:
        return None
    slot: dict[str, Any] = {"start_at": booking.start_at, "end_at": booking.end_at}
    slot |= {"doctor": booking.doctor, "branch": booking.branch}
    try:
        return book_visit(patient=visit.patient, goal=booking.goal, by=by, now=now, **slot)
    except SlotTaken as error:
        raise NextSlotTaken(error.free) from error


def _write_advice(visit: Visit, advice: Advice | None, now: datetime) -> None:
    if advice is None or not (advice.service or advice.indication):
        return
    Recommendation.objects.create(
        patient_id=visit.patient_id,
        visit=visit,
        doctor_id=visit.doctor_id,
        service=advice.service,
        due_date=advice.due_date,
        indication=clean_text(advice.indication)[:300],
        created_at=now,
    )


def _call_again(visit: Visit, by: Actor, now: datetime) -> None:
    """Who left without a booking for a reason that may pass is called in a couple of weeks."""
    if visit.no_next_reason in CALL_AGAIN:
        open_work_item(
            kind=WorkItem.Kind.NO_NEXT,
            due_at=now + CALL_AGAIN_AFTER,
            by=by,
            now=now,
            patient=visit.patient,
            visit=visit,
            dedupe_key=f"no_next:{visit.pk}",
        )
