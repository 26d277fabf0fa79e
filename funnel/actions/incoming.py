"""An enquiry comes in, whichever door it takes: a lead of its own, or one more touch of a lead that is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from core.names import clean_text, new_code
from funnel.actions.stages import advance_leads, link_visit
from funnel.models import Lead, LeadStage, Stage
from funnel.queries.attribution import channel_of, number_of
from patients.models import Channel, Patient, PatientPhone
from staff import actions as staff
from staff.access import Actor
from staff.actions.journal import ChangedRow, note_changes
from staff.models import Branch, Source, User
from staff.models.base import OWN_SOURCE

OPEN_FOR = timedelta(days=90)  # who asks again after that begins anew
OPEN_STAGES = (Stage.LEAD, Stage.CONTACTED, Stage.BOOKED)
KEY = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7310002))"


@dataclass(frozen=True)
class Enquiry:
    """What a door knows. `phone` as typed; `created_at` of the event itself; `source` None = this product.

    `door`: form, widget, call, messenger, email, desk, booking, event.
    """

    kind: str
    created_at: datetime
    source: Source | None = None
    external_id: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    text: str = ""
    language: str = ""
    page: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)
    referrer: str = ""
    promo_code: str = ""
    called_number: str = ""
    branch: Branch | None = None
    patient: Patient | None = None
    channel: Channel | None = None
    consent_text_hash: str = ""
    consent_at: datetime | None = None
    consent_address: str = ""
    door: str = ""


@transaction.atomic
def take_lead(*, enquiry: Enquiry, by: Actor, now: datetime) -> Lead:
    """The row of this enquiry. The same (source, external_id) again is the same row, unchanged.

    A person whose lead is open (not lost, not yet come, at most 90 days old) gets a row that repeats it
    (`duplicate_of`), so that nobody is counted twice and nothing said is lost. Two at once of one person, or of one event,
    wait for each other.
    """
    phone = number_of(enquiry.phone, enquiry.branch)
    source_id = enquiry.source.pk if enquiry.source else OWN_SOURCE
    mail = enquiry.email.strip().lower()[:254]
    _one_at_a_time(source_id, enquiry, phone, mail)
    known = Lead.objects.filter(source_id=source_id, external_id=enquiry.external_id) if enquiry.external_id else None
    stored = known.select_related("duplicate_of").first() if known is not None else None
    if stored is not None:
        return stored
    patient = enquiry.patient or patient_of(phone)
    first = _open_lead(phone, mail, patient, now)
    channel = enquiry.channel or channel_of(enquiry)
    lead = Lead.objects.create(
        source_id=source_id,
        external_id=enquiry.external_id or new_code(),
        created_at=min(enquiry.created_at, now),
        kind=enquiry.kind[:20],
        channel=channel,
        last_channel=channel,
        branch=enquiry.branch,
        patient=patient,
        name=clean_text(enquiry.name)[:200],
        phone=phone,
        phone_raw=enquiry.phone[:60],
        email=mail,
        text=clean_text(enquiry.text)[:10_000],
        language=enquiry.language[:2],
        page=enquiry.page.partition("?")[0][:500],
        utm={name: str(value)[:120] for name, value in enquiry.utm.items() if value},
        promo_code=enquiry.promo_code.strip()[:60],
        called_number=enquiry.called_number[:20],
        consent_text_hash=enquiry.consent_text_hash,
        consent_at=enquiry.consent_at,
        consent_address=enquiry.consent_address,
        duplicate_of=first,
    )
    LeadStage.objects.create(
        lead=lead, stage=Stage.LEAD, at=lead.created_at, by_id=_user(by), door=(enquiry.door or enquiry.kind)[:20]
    )
    if first is not None:
        _joined(first, lead)
    advance_leads({lead.pk})
    _noted(lead, "take_lead", by, now)
    return lead


def patient_of(phone: str) -> Patient | None:
    """The one person with that phone; None for nobody, and where a family shares it: a phone is no identity."""
    if not phone:
        return None
    rows = PatientPhone.objects.filter(number=phone).annotate(root=Coalesce("patient__canonical_id", "patient_id"))
    roots = set(rows.order_by().values_list("root", flat=True)[:20])
    return Patient.objects.get(pk=roots.pop()) if len(roots) == 1 else None


def _one_at_a_time(source_id: int, enquiry: Enquiry, phone: str, mail: str) -> None:
    """Waits for whoever takes the same event or person just now. (On SQLite BEGIN IMMEDIATE does.)"""
    if connection.vendor != "postgresql":
        return
    keys = {phone, mail, f"{source_id}:{enquiry.external_id}" if enquiry.external_id else ""}
    with connection.cursor() as cursor:
        for key in sorted(keys - {""}):  # in one order: two that share two keys do not deadlock
            cursor.execute(KEY, [key])


def _open_lead(phone: str, mail: str, patient: Patient | None, now: datetime) -> Lead | None:
    same = Q(phone=phone) if phone else Q(pk=None)
    same |= Q(email=mail) if mail else Q(pk=None)
    same |= Q(patient=patient.pk) if patient is not None else Q(pk=None)
    open_ones = Lead.objects.filter(
        same, lost_at=None, duplicate_of=None, is_spam=False, stage__in=OPEN_STAGES, created_at__gte=now - OPEN_FOR
    )
    # Locked: whoever closes it now is waited for, and then it is not open any more.
    return open_ones.select_for_update(of=("self",)).order_by("created_at", "pk").first()


def _joined(first: Lead, lead: Lead) -> None:
    """What the further enquiry tells about the person; the first touch stays what it was."""
    for name in ("name", "phone", "phone_raw", "email", "patient_id", "branch_id"):
        if not getattr(first, name):
            setattr(first, name, getattr(lead, name))
    first.last_channel_id = lead.channel_id or first.last_channel_id
    first.save(update_fields=["name", "phone", "phone_raw", "email", "patient", "branch", "last_channel"])


def open_lead_of(lead: Lead) -> Lead:
    """The lead that counts: itself, or the one that it repeats."""
    return Lead.objects.get(pk=lead.duplicate_of_id) if lead.duplicate_of_id else lead


@transaction.atomic
def answer_lead(*, lead: Lead, by: Actor, now: datetime, at: datetime | None = None, user: User | None = None) -> Lead:
    """The first answer, once: `at` (now, if absent) is kept unless an earlier one stands. Answers what repeats it, too."""
    root_id = lead.duplicate_of_id or lead.pk
    moment, who = min(at or now, now), user.pk if user is not None else _user(by)
    group = list(
        Lead.objects.select_for_update(of=("self",))
        .select_related("source")
        .filter(Q(pk=root_id) | Q(duplicate_of=root_id))
        .order_by("pk")
    )
    changed = [row for row in group if row.first_response_at is None or moment < row.first_response_at]
    changed = [row for row in changed if row.created_at <= moment or row.pk == lead.pk]
    for row in changed:
        row.first_response_at, row.first_response_by_id = max(moment, row.created_at), who
        row.save(update_fields=["first_response_at", "first_response_by"])
    if changed:
        advance_leads({row.pk for row in changed})
        _noted(next(row for row in group if row.pk == root_id), "answer_lead", by, now)
    return Lead.objects.get(pk=root_id)


def _user(by: Actor) -> int | None:
    return by.id if by.kind == "user" else None


def _noted(lead: Lead, deed: str, by: Actor, now: datetime, fields: Sequence[str] = ()) -> None:
    """Call it last: it locks the head of the audit chain until the transaction ends."""
    note_changes(
        resource="leads",
        rows=[ChangedRow(lead.pk, lead.source.code, lead.external_id, lead.branch_id)],
        now=now,
    )
    staff.record(
        by=by, deed=deed, now=now, object_kind="lead", object_id=lead.pk, patient_id=lead.patient_id, fields=fields
    )


__all__ = ["Enquiry", "advance_leads", "answer_lead", "link_visit", "open_lead_of", "take_lead"]
