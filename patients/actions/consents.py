"""The consent ledger: given or withdrawn, with the words that were shown and the proof. Append-only (R28, R29)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from core.names import clean_text
from core.sealed import seal, unseal
from patients.actions.traces import patient_changed, user_id
from patients.models import Consent, ConsentScan, ConsentText, Patient
from patients.rules.consents import kind_of_scan
from staff.access import Actor


@dataclass(frozen=True)
class ConsentDraft:
    """One fact: for one purpose and transport ("" = every one), given or not, how we know, in which words.

    `paper`: the signed paper, photographed or scanned (PDF, PNG, JPEG).
    """

    purpose: str
    transport: str = ""
    given: bool = True
    how: str = Consent.How.DESK
    text_version: str = ""
    text: str = ""
    evidence: str = ""
    language: str = "ru"
    paper: bytes = b""


@transaction.atomic
def record_consent(*, patient: Patient, draft: ConsentDraft, by: Actor, now: datetime) -> Consent:
    """One more line of the ledger: given or withdrawn. Nothing is ever changed in it."""
    consent = write_consent(patient, draft, by, now)
    deed = "give_consent" if draft.given else "withdraw_consent"
    patient_changed(patient, deed=deed, by=by, now=now, fields=("consents",))
    return consent


def withdraw(
    *, patient: Patient, purpose: str, transport: str, how: str, by: Actor, now: datetime, evidence: str = ""
) -> Consent:
    """The patient takes it back, for one transport or for every one (""). What is queued asks again before it goes."""
    draft = ConsentDraft(purpose, transport, False, how, evidence=evidence)
    return record_consent(patient=patient, draft=draft, by=by, now=now)


def write_consent(patient: Patient, draft: ConsentDraft, by: Actor, now: datetime) -> Consent:
    """The line itself, within an action that leaves its own traces."""
    return Consent.objects.create(
        patient=patient,
        purpose=draft.purpose,
        transport=draft.transport,
        given=draft.given,
        at=now,
        how=draft.how,
        text_version=draft.text_version,
        text_hash=_kept(draft, by, now),
        evidence=clean_text(draft.evidence)[:300],
        scan=keep_scan(content=draft.paper, by=by, now=now) if draft.paper else None,
        actor=by.name[:200],
        address=by.address,
    )


def _kept(draft: ConsentDraft, by: Actor, now: datetime) -> str:
    """The hash of the words; the words themselves are kept once a version, so that the proof can quote them."""
    if not draft.text:
        return ""
    digest = hashlib.sha256(draft.text.encode()).hexdigest()
    text = ConsentText(
        purpose=draft.purpose,
        language=draft.language,
        version=draft.text_version,
        body=draft.text,
        hash=digest,
        created_at=now,
        created_by_id=user_id(by),
    )
    ConsentText.objects.bulk_create([text], ignore_conflicts=True)
    return digest


def keep_scan(*, content: bytes, by: Actor, now: datetime) -> ConsentScan:
    """The signed paper, sealed. Raises `patients.rules.consents.BadScan`."""
    return ConsentScan.objects.create(
        content_type=kind_of_scan(content),
        content=seal(content, settings.SECRET_KEY),
        hash=hashlib.sha256(content).hexdigest(),
        added_at=now,
        added_by_id=user_id(by),
    )


def scan_content(scan: ConsentScan) -> bytes:
    """The paper as it was uploaded. Raises `core.sealed.Damaged`."""
    return unseal(bytes(scan.content), [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
