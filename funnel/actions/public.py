"""Enquiries from public doors become leads: with proof of what was agreed to, marked where they look like spam.

Nothing is refused because of a guess and nothing is dropped: a suspicion is a mark on the lead (`LeadPost`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from core.net import class_of
from funnel.actions.incoming import Enquiry, take_lead
from funnel.models import Lead, LeadConsent, LeadForm, LeadPost
from funnel.queries.attribution import channel_of
from funnel.queries.public import posts_of_network, posts_of_phone
from funnel.rules.public import FLOOD_LIMIT, FLOOD_WINDOW, WINDOW, suspicion_of
from patients.models import Channel, Consent, ConsentText
from patients.models.contact import ADVERTISES, Purpose
from staff import actions as staff
from staff.access import SYSTEM, Actor
from staff.models.base import OWN_SOURCE

AT_ONCE = 500  # consents that go to the ledger in one run


class AlreadySent(Exception):
    """The same page was sent before with another phone or e-mail: the person looks at it once more."""


class Flood(Exception):
    """More posts from one address in an hour than people behind it could make."""


@dataclass(frozen=True)
class Sent:
    """How a form came back. `spent`: how long its page stood open; `trap`: what stood in the field nobody sees."""

    form: LeadForm
    nonce: str
    spent: timedelta
    trap: str


def take_form(*, sent: Sent, enquiry: Enquiry, agreed: Sequence[ConsentText], by: Actor, now: datetime) -> Lead:
    """The lead of a form; the same page again is the same lead. Raises AlreadySent, Flood.

    `agreed`: the words that were ticked, processing among them; `by.address` is kept as the proof's address.
    """
    network = class_of(by.address)
    if posts_of_network(network, now - FLOOD_WINDOW, FLOOD_LIMIT) >= FLOOD_LIMIT:
        raise Flood
    external_id = f"form:{sent.nonce}"
    before = Lead.objects.filter(source=OWN_SOURCE, external_id=external_id).first()
    if before is not None:
        if (before.phone_raw, before.email) != (enquiry.phone.strip(), enquiry.email.strip().lower()):
            raise AlreadySent
        return before
    enquiry = replace(enquiry, external_id=external_id, branch=enquiry.branch or sent.form.branch)
    post = LeadPost(form=sent.form, at=now, network=network)
    return _taken(enquiry, agreed, post, sent.form.channel, sent, by, now)


def take_hook(
    *, enquiry: Enquiry, agreed: Sequence[ConsentText], channel: Channel | None, by: Actor, now: datetime
) -> Lead:
    """The lead of a signed post; the same event of the same source again is the same lead."""
    return _taken(enquiry, agreed, LeadPost(at=now, network=""), channel, None, by, now)


@transaction.atomic
def _taken(
    enquiry: Enquiry,
    agreed: Sequence[ConsentText],
    post: LeadPost,
    channel: Channel | None,
    sent: Sent | None,
    by: Actor,
    now: datetime,
) -> Lead:
    processing = next(text for text in agreed if text.purpose == Purpose.PROCESSING)
    address = enquiry.consent_address or by.address
    lead = take_lead(
        enquiry=replace(
            enquiry,
            channel=channel_of(enquiry) or channel,
            consent_text_hash=processing.hash,
            consent_at=enquiry.consent_at or now,
            consent_address=address,
        ),
        by=by,
        now=now,
    )
    since = now - WINDOW
    post.suspicion = suspicion_of(
        trap=sent.trap if sent else "",
        spent=sent.spent if sent else None,
        text=f"{enquiry.name} {enquiry.text}",
        of_network=posts_of_network(post.network, since) if sent else 0,
        of_phone=posts_of_phone(lead.phone, since),
    )
    _made, fresh = LeadPost.objects.get_or_create(
        lead=lead, defaults={"form": post.form, "at": now, "network": post.network, "suspicion": post.suspicion}
    )
    if not fresh:
        return lead
    if post.suspicion:
        Lead.objects.filter(pk=lead.pk).update(is_spam=True)
        lead.is_spam = True
    LeadConsent.objects.bulk_create(
        [
            LeadConsent(
                lead=lead,
                purpose=text.purpose,
                text_hash=text.hash,
                text_version=text.version,
                language=text.language,
                at=enquiry.consent_at or now,
                address=address[:64],
            )
            for text in agreed
        ]
    )
    return lead


@transaction.atomic
def clear_suspicion(*, lead: Lead, by: Actor, now: datetime) -> None:
    """A person has looked: it was no spam. The reason stays for those who tune the limits."""
    if Lead.objects.filter(pk=lead.pk, is_spam=True).update(is_spam=False):
        staff.record(by=by, deed="clear_suspicion", now=now, object_kind="lead", object_id=lead.pk, fields=("is_spam",))


@transaction.atomic
def consents_to_ledger(*, now: datetime) -> int:
    """What was agreed to with enquiries whose patient is known since becomes lines of his ledger; how many.

    At the moment of the tick, not of today: a withdrawal that came in between holds. Twice changes nothing. What looks like
    spam gives no consent until a person has cleared it. Danger: anybody can type the phone of a patient into a form. So
    a consent to be advertised to counts only for who became a patient after it, whom we have seen by then.
    """
    owner = Coalesce("lead__patient_id", "lead__duplicate_of__patient_id")
    since = Coalesce("lead__patient__created_at", "lead__duplicate_of__patient__created_at")
    waiting = LeadConsent.objects.filter(ledger_at=None, lead__is_spam=False).annotate(owner=owner).exclude(owner=None)
    waiting = waiting.annotate(since=since).exclude(purpose__in=ADVERTISES, since__lt=F("at"))
    rows = list(waiting.select_related("lead").select_for_update(of=("self",), skip_locked=True)[:AT_ONCE])
    if not rows:
        return 0
    Consent.objects.bulk_create([_line(row) for row in rows], ignore_conflicts=True)
    LeadConsent.objects.filter(pk__in=[row.pk for row in rows]).update(ledger_at=now)
    changed = [staff.ChangedRow(object_id=owner) for owner in sorted({row.owner for row in rows})]
    staff.note_changes(resource="patients", rows=changed, now=now)
    staff.record(by=SYSTEM, deed="give_consent", now=now, object_kind="lead", note=f"from leads: {len(rows)}")
    return len(rows)


def _line(row: LeadConsent) -> Consent:
    return Consent(
        external_id=f"lead:{row.pk}",
        patient_id=row.owner,  # type: ignore[attr-defined]
        purpose=row.purpose,
        given=True,
        at=row.at,
        how=Consent.How.FORM,
        text_version=row.text_version,
        text_hash=row.text_hash,
        evidence=row.lead.page[:300],
        actor="patient",
        address=row.address,
    )
