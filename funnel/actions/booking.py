"""Booking by the patient himself: a time is held, the phone is shown to be his, then it is a visit like any other."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from core.names import clean_text, folded
from core.phones import Phone
from funnel.actions.codes import send_code
from funnel.actions.incoming import Enquiry, link_visit, take_lead
from funnel.models import Lead, OnlineBooking, PhoneCode
from funnel.queries.booking import managed_visit, rules_of_booking
from funnel.rules.booking import MARKETING, PROCESSING, VERSION, said, split_name
from messaging.queries.asked import owners_of
from patients import actions as patients
from patients.actions.booking import MoveNotAllowed
from patients.actions.consents import ConsentDraft
from patients.actions.holds import hold_slot, release
from patients.actions.people_desk import PatientDraft
from patients.models import Consent, Patient, Service, Visit
from patients.models.contact import Purpose
from patients.queries.slots import Slot
from staff import actions as staff
from staff.access import Actor
from staff.models import Branch, Doctor

CANCELLED = "cancelled by the patient's own link"


class Unfinished(Exception):
    """The steps before are not done: no time is held, or the phone is not confirmed."""


@dataclass(frozen=True)
class Visitor:
    """Who books, as he typed it. `phone` is E.164."""

    name: str
    phone: str
    language: str
    marketing: bool
    address: str


@transaction.atomic
def begin_booking(
    *, branch: Branch, slot: Slot, service: Service | None, address: str, before: OnlineBooking | None, now: datetime
) -> OnlineBooking:
    """Hold the slot for a visitor whose earlier choice (`before`) is let go. Raises SlotTaken, TooManyHolds."""
    if before is not None and before.done_at is None:
        release(hold_id=before.hold_id, now=now)
    until = now + timedelta(minutes=rules_of_booking().hold_minutes)
    hold = hold_slot(slot=slot, address=address, until=until, now=now)
    return OnlineBooking.objects.create(
        token=secrets.token_urlsafe(24),
        branch=branch,
        doctor_id=slot.doctor_id,
        service=service,
        hold=hold,
        start_at=slot.start_at,
        end_at=slot.end_at,
        address=address[:64],
        created_at=now,
    )


@transaction.atomic
def name_visitor(*, booking: OnlineBooking, visitor: Visitor, now: datetime) -> OnlineBooking:
    """Who he is and what he agreed to; a code goes to the phone. Raises TooManyCodes."""
    booking.name = clean_text(visitor.name)[:200]
    booking.phone, booking.language = visitor.phone, visitor.language
    booking.marketing, booking.agreed_at, booking.address = visitor.marketing, now, visitor.address[:64]
    booking.code = send_code(phone=visitor.phone, address=visitor.address, language=visitor.language, now=now)
    booking.save()
    return booking


@transaction.atomic
def resend_code(*, booking: OnlineBooking, now: datetime) -> PhoneCode:
    """Another code to the same phone; the one before is worth nothing from now on. Raises TooManyCodes."""
    booking.code = send_code(phone=booking.phone, address=booking.address, language=booking.language, now=now)
    booking.save(update_fields=["code"])
    return booking.code


def confirmed(booking: OnlineBooking) -> OnlineBooking:
    """The row as it is now, locked. Raises Unfinished without a confirmed phone."""
    current = OnlineBooking.objects.select_for_update(of=("self",)).select_related("code", "hold", "branch", "doctor")
    row = current.get(pk=booking.pk)
    if row.code is None or row.code.used_at is None or row.code.phone != row.phone or row.agreed_at is None:
        raise Unfinished
    return row


@staff.one_deed()
def finish_booking(*, booking: OnlineBooking, by: Actor, now: datetime) -> Visit:
    """The visit of a visitor whose phone is confirmed, once. Raises Unfinished, SlotTaken, BadTime."""
    row = confirmed(booking)
    if row.visit is not None:
        return row.visit
    if row.start_at is None or row.end_at is None or row.doctor is None:
        raise Unfinished
    patients.lock_slot(doctor_id=row.doctor.pk, start_at=row.start_at, end_at=row.end_at)
    patient = known_or_new(booking=row, by=by, now=now)
    visit = patients.book_visit(
        patient=patient,
        doctor=row.doctor,
        branch=row.branch,
        start_at=row.start_at,
        end_at=row.end_at,
        goal=row.service.name if row.service else "",
        hold=row.hold,
        by=by,
        now=now,
    )
    lead = enquiry_of(booking=row, patient=patient, by=by, now=now)
    link_visit(lead=lead, visit=visit, by=by, now=now)
    row.visit, row.hold, row.done_at = visit, None, now
    row.save(update_fields=["visit", "hold", "done_at"])
    return visit


def enquiry_of(*, booking: OnlineBooking, patient: Patient, by: Actor, now: datetime) -> Lead:
    words = said(PROCESSING, booking.language)
    enquiry = Enquiry(
        kind=Lead.Kind.BOOKING.value,
        created_at=booking.created_at,
        name=booking.name,
        phone=booking.phone,
        language=booking.language,
        branch=booking.branch,
        patient=patient,
        consent_text_hash=hashlib.sha256(words.encode()).hexdigest(),
        consent_at=booking.agreed_at,
        consent_address=booking.address,
        door="booking",
    )
    return take_lead(enquiry=enquiry, by=by, now=now)


def known_or_new(*, booking: OnlineBooking, by: Actor, now: datetime) -> Patient:
    """The one patient whose phone and name these are, else a new record (the night looks for duplicates).

    A family shares a phone: a phone alone makes nobody. What we know of the phone is never shown to the visitor.
    """
    first, last = split_name(booking.name)
    found = [each for each in owners_of("sms", booking.phone) if _same_name(each, first, last)]
    agreed = _agreements(booking)
    if len(found) == 1:
        for one in agreed:
            patients.record_consent(patient=found[0], draft=one, by=by, now=now)
        return found[0]
    draft = PatientDraft(
        first_name=first,
        last_name=last,
        branch=booking.branch,
        phones=[Phone(booking.phone, booking.phone)],
        language=booking.language,
        consents=agreed,
    )
    return patients.register_patient(draft=draft, submission_key=f"booking:{booking.pk}", by=by, now=now)


def _same_name(patient: Patient, first: str, last: str) -> bool:
    return folded(patient.first_name) == folded(first) and folded(patient.last_name) == folded(last)


def _agreements(booking: OnlineBooking) -> list[ConsentDraft]:
    given = [(Purpose.PROCESSING.value, PROCESSING)]
    given += [(Purpose.MARKETING.value, MARKETING)] if booking.marketing else []
    return [
        ConsentDraft(
            purpose=purpose,
            how=Consent.How.FORM,
            text_version=VERSION,
            text=said(texts, booking.language),
            evidence=f"online booking {booking.pk}, phone confirmed by code",
            language=booking.language,
        )
        for purpose, texts in given
    ]


@staff.one_deed()
def move_own(*, visit_id: int, slot: Slot, by: Actor, now: datetime) -> Visit:
    """The patient moves his visit by his link. Raises SlotTaken, BadTime, MoveNotAllowed."""
    visit = _own(visit_id, now)
    doctor = Doctor.objects.get(pk=slot.doctor_id)
    return patients.move_visit(visit=visit, doctor=doctor, start_at=slot.start_at, end_at=slot.end_at, by=by, now=now)


@staff.one_deed()
def cancel_own(*, visit_id: int, by: Actor, now: datetime) -> Visit:
    """The patient cancels by his link. Raises MoveNotAllowed."""
    return patients.cancel_visit(visit=_own(visit_id, now), reason=CANCELLED, by_clinic=False, by=by, now=now)


def _own(visit_id: int, now: datetime) -> Visit:
    visit = managed_visit(visit_id, now)
    if visit is None:
        raise MoveNotAllowed("early")
    return visit


def forget_drafts(*, now: datetime) -> int:
    """What visitors began and did not finish is deleted a day later. Returns the number."""
    old = OnlineBooking.objects.filter(done_at=None, created_at__lt=now - timedelta(days=1))
    PhoneCode.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    return old.delete()[0]
