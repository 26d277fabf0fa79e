"""Patients as reception enters and corrects them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction

from core.names import clean_text
from core.phones import Phone, digits_of
from patients.actions.consents import ConsentDraft, write_consent
from patients.actions.once import Once
from patients.actions.people import search_text
from patients.actions.traces import patient_changed
from patients.models import Channel, Household, Patient, PatientPhone
from staff.access import Actor
from staff.models import Branch, User

NAMES = ("last_name", "first_name", "middle_name", "card_number")
PLAIN = ("birth_date", "sex", "preferred_transport", "language", "branch", "channel", "referrer", "curator", "note")


@dataclass(frozen=True)
class PatientDraft:
    """What the form of a patient says. `family`: somebody whose household he joins."""

    last_name: str
    branch: Branch
    first_name: str = ""
    middle_name: str = ""
    birth_date: date | None = None
    sex: str = ""
    phones: Sequence[Phone] = ()
    email: str = ""
    preferred_transport: str = ""
    language: str = ""
    card_number: str = ""
    channel: Channel | None = None
    referrer: Patient | None = None
    curator: User | None = None
    responsible_adult: Patient | None = None
    family: Patient | None = None
    note: str = ""
    consents: Sequence[ConsentDraft] = field(default_factory=tuple)


@transaction.atomic
def register_patient(*, draft: PatientDraft, submission_key: str, by: Actor, now: datetime) -> Patient:
    """A new patient with phones, family and consents. The same `submission_key` again answers the same patient."""
    once = Once(key=submission_key, deed="register_patient", by=by, now=now)
    if once.made_id:
        return Patient.objects.get(pk=once.made_id)
    patient = Patient(created_at=now)
    _fill(patient, draft, now)
    for consent in draft.consents:
        write_consent(patient, consent, by, now)
    once.remember(patient.pk)
    patient_changed(patient, deed="register_patient", by=by, now=now, fields=_said(draft))
    return patient


@transaction.atomic
def edit_patient(*, patient: Patient, draft: PatientDraft, by: Actor, now: datetime) -> Patient:
    """The record says what the draft says (consents apart: they are a ledger, see `record_consent`)."""
    current = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    before = {name: getattr(current, name) for name in (*NAMES, *PLAIN, "email")}
    _fill(current, draft, now)
    changed = [name for name, value in before.items() if getattr(current, name) != value]
    patient_changed(current, deed="edit_patient", by=by, now=now, fields=changed)
    return current


def _said(draft: PatientDraft) -> list[str]:
    return [name for name in (*NAMES, *PLAIN, "email", "phones", "consents") if getattr(draft, name)]


def _fill(patient: Patient, draft: PatientDraft, now: datetime) -> None:
    for name in NAMES:
        setattr(patient, name, clean_text(getattr(draft, name)))
    for name in PLAIN:
        setattr(patient, name, getattr(draft, name))
    patient.email_raw, patient.email = draft.email, draft.email.strip().lower()
    patient.responsible_adult = draft.responsible_adult
    family = draft.family or draft.responsible_adult
    if family is not None:
        patient.household = _household_of(family, now)
    values = {name: getattr(patient, name) for name in NAMES}
    patient.search = search_text(values, list(draft.phones))
    patient.save()
    _write_phones(patient, draft.phones)


def _household_of(member: Patient, now: datetime) -> Household:
    """His household, made with him in it when he has none. The row is locked: two children may join at once."""
    current = Patient.objects.select_for_update(of=("self",)).get(pk=member.pk)
    if current.household is None:
        current.household = Household.objects.create(name=current.last_name)
        current.save(update_fields=["household"])
    return current.household


def _write_phones(patient: Patient, phones: Sequence[Phone]) -> None:
    PatientPhone.objects.filter(patient=patient).delete()
    PatientPhone.objects.bulk_create(
        PatientPhone(
            patient=patient,
            number=phone.number,
            raw=phone.raw[:60],
            reverse_digits=digits_of(phone.number)[::-1],
            position=position,
        )
        for position, phone in enumerate({phone.number: phone for phone in phones}.values())
    )
