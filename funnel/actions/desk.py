"""What the desk does with a lead: tried in vain, spam, who it is, closed with a reason, begun anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core.names import clean_text
from core.phones import parse_phone
from funnel.models import Alternative, Lead, LossReason
from patients import actions as patients
from patients.actions.people_desk import PatientDraft, register_patient
from patients.actions.traces import user_id
from patients.models import Patient, WorkItem
from staff import actions as staff
from staff.access import Actor
from staff.actions.journal import ChangedRow, note_changes
from staff.models import Branch, Doctor


class LeadClosed(Exception):
    """Somebody has closed this lead meanwhile."""


class NoReason(ValueError):
    """A lead is closed with one of our reasons, or not at all (R92)."""


def _open(lead: Lead) -> Lead:
    """The lead that counts, locked. Raises LeadClosed."""
    current = _locked(lead)
    if current.lost_at is not None:
        raise LeadClosed
    return current


def _locked(lead: Lead) -> Lead:
    leads = Lead.objects.select_for_update(of=("self",)).select_related("source", "branch", "patient")
    return leads.get(pk=lead.duplicate_of_id or lead.pk)


def _noted(lead: Lead, deed: str, by: Actor, now: datetime, fields: Iterable[str]) -> Lead:
    """Call it last: it locks the head of the audit chain until the transaction ends."""
    row = ChangedRow(lead.pk, lead.source.code, lead.external_id, lead.branch_id)
    note_changes(resource="leads", rows=[row], now=now)
    staff.record(
        by=by, deed=deed, now=now, object_kind="lead", object_id=lead.pk, patient_id=lead.patient_id, fields=fields
    )
    return lead


@transaction.atomic
def try_lead(*, lead: Lead, call_back_at: datetime, by: Actor, now: datetime) -> WorkItem:
    """Nobody took the phone: the attempt is kept in the audit log and a call is due. The timer runs on: an attempt is no
    answer (R95). Two clicks for one time are one item. Raises LeadClosed."""
    current = _open(lead)
    item = patients.open_work_item(
        kind=WorkItem.Kind.CALL_BACK,
        due_at=call_back_at,
        by=by,
        now=now,
        patient=current.patient,
        branch=current.branch,
        dedupe_key=f"lead-call:{current.pk}:{int(call_back_at.timestamp())}",
    )
    _noted(current, "try_lead", by, now, ())
    return item


@transaction.atomic
def close_lead(*, lead: Lead, reason: str, by: Actor, now: datetime, note: str = "") -> Lead:
    """Lost, with a reason of `LossReason` (R92); what was offered instead and still waits is declined (R93).

    Raises NoReason and LeadClosed.
    """
    if reason not in LossReason.values:
        raise NoReason(reason)
    current = _open(lead)
    current.lost_at, current.closed_by_id = now, user_id(by)
    current.loss_stage, current.loss_reason, current.loss_note = current.stage, reason, clean_text(note)[:300]
    current.save(update_fields=["lost_at", "closed_by", "loss_stage", "loss_reason", "loss_note"])
    current.alternatives.filter(accepted_at=None, declined_at=None).update(declined_at=now)
    return _noted(current, "close_lead", by, now, ("loss_note", "loss_reason", "loss_stage", "lost_at"))


@transaction.atomic
def reopen_lead(*, lead: Lead, by: Actor, now: datetime) -> Lead:
    """As if it had not been closed; of an open lead nothing changes."""
    current = _locked(lead)
    if current.lost_at is None:
        return current
    current.lost_at = current.closed_by = None
    current.loss_stage = current.loss_reason = current.loss_note = ""
    current.save(update_fields=["lost_at", "closed_by", "loss_stage", "loss_reason", "loss_note"])
    return _noted(current, "reopen_lead", by, now, ("lost_at",))


@transaction.atomic
def mark_spam(*, lead: Lead, is_spam: bool, by: Actor, now: datetime) -> Lead:
    """Spam counts in no figure and waits for nobody; it can be taken back."""
    current = _locked(lead)
    if current.is_spam == is_spam:
        return current
    current.is_spam = is_spam
    current.save(update_fields=["is_spam"])
    return _noted(current, "mark_spam" if is_spam else "unmark_spam", by, now, ("is_spam",))


@transaction.atomic
def attach_patient(*, lead: Lead, patient: Patient, by: Actor, now: datetime) -> Lead:
    """Who it is: the lead and what repeats it belong to this person."""
    current = _locked(lead)
    current.patient_id = patient.root_id
    current.save(update_fields=["patient"])
    current.duplicates.update(patient=patient.root_id)
    return _noted(current, "attach_patient", by, now, ("patient",))


@transaction.atomic
def enter_patient_of(*, lead: Lead, branch: Branch, by: Actor, now: datetime) -> Patient:
    """A new patient with the name, phone, e-mail and first touch of the lead; whoever it is already is answered."""
    current = _locked(lead)
    if current.patient is not None:
        return current.patient
    last, first, middle = (*clean_text(current.name).split(maxsplit=2), "", "", "")[:3]
    draft = PatientDraft(
        last_name=last or str(_("unknown")),
        first_name=first,
        middle_name=middle,
        branch=branch,
        phones=[parse_phone(current.phone, branch.phone_region)] if current.phone else [],
        email=current.email,
        language=current.language,
        channel=current.channel,
    )
    patient = register_patient(draft=draft, submission_key=f"lead:{current.pk}", by=by, now=now)
    attach_patient(lead=current, patient=patient, by=by, now=now)
    return patient


@transaction.atomic
def offer_alternative(
    *, lead: Lead, kind: str, by: Actor, now: datetime, doctor: Doctor | None = None, note: str = ""
) -> Alternative:
    """Another day, doctor, service, branch or way to pay, offered instead of a loss (R93). Raises LeadClosed."""
    current = _open(lead)
    offered = Alternative.objects.create(
        lead=current,
        kind=Alternative.Kind(kind),
        doctor=doctor,
        note=clean_text(note)[:300],
        offered_at=now,
        offered_by_id=user_id(by),
    )
    _noted(current, "offer_alternative", by, now, ("alternatives",))
    return offered


@transaction.atomic
def decline_alternative(*, offered: Alternative, by: Actor, now: datetime) -> None:
    """They did not want it; an offer that is settled already stays as it is."""
    current = _locked(offered.lead)
    if current.alternatives.filter(pk=offered.pk, accepted_at=None, declined_at=None).update(declined_at=now):
        _noted(current, "decline_alternative", by, now, ("alternatives",))


@transaction.atomic
def accept_alternatives(*, lead: Lead, by: Actor, now: datetime) -> bool:
    """Call it when the lead is booked: the latest offer that still waits saved it; older ones did not. Whether one did."""
    current = _locked(lead)
    waiting = current.alternatives.filter(accepted_at=None, declined_at=None)
    saved = waiting.order_by("-offered_at", "-pk").first()
    if saved is None:
        return False
    saved.accepted_at = now
    saved.save(update_fields=["accepted_at"])
    waiting.exclude(pk=saved.pk).update(declined_at=now)
    _noted(current, "accept_alternative", by, now, ("alternatives",))
    return True
