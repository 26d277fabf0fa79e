"""Leads as other systems send them, and visits whose rows name the lead that brought them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from core.phones import BadPhone, parse_phone
from funnel.actions.stages import advance_leads
from funnel.models import Lead, LeadBooking
from funnel.queries.scope import visible_leads
from patients import actions as patients
from patients.actions.booked_rows import book_row as book_plain_row
from patients.actions.visits import VISITS
from patients.models import Channel, Patient
from patients.queries.scope import visible_patients
from staff.access import Actor
from staff.actions.intake import Batch, Field, Record, Ref, Resource, fail, plain, store
from staff.actions.intake.ground import BRANCH
from staff.actions.intake.parsers import email, instant, long_text, text, truth
from staff.models import Source


def _check_lead(batch: Batch, record: Record) -> None:
    values = record.values
    answered = values["first_response_at"]
    if answered is not None and answered < values["created_at"]:
        fail(record, "first_response_at", _("is before the question"))
    if values["duplicate_of_id"] is not None and values["duplicate_of_id"] == values["id"]:
        fail(record, "duplicate_of", _("is the row itself"))
    if "phone_raw" in record.given:
        values["phone"] = _number(batch, record)
    if record.old is None:
        values["last_channel_id"] = values["channel_id"]


def _number(batch: Batch, record: Record) -> str:
    raw = record.values["phone_raw"]
    if not raw:
        return ""
    try:
        return parse_phone(raw, batch.branches.region(record.values["branch_id"] or batch.branches.default_id)).number
    except BadPhone:
        fail(record, "phone", _("is not a phone number"))
        return ""


def _staged(batch: Batch) -> None:
    advance_leads({record.id for record in (*batch.created, *batch.updated) if record.id is not None})


def _lead_zone(batch: Batch, record: Record) -> str:
    return batch.branches.tz(record.values["branch_id"] or batch.branches.default_id)


LEADS = Resource(
    name="leads",
    model=Lead,
    keys=(
        Field("created_at", instant, "created_at", required=True),
        Field("kind", text(20), "kind", required=True),
        Ref("channel_id", "channel_id", "channel", Channel),
        BRANCH,
        Ref("patient_id", "patient_id", "patient", Patient, scope=visible_patients),
        Field("name", text(200), "name"),
        Field("phone", text(60), "phone_raw"),
        Field("email", email, "email"),
        Field("text", long_text(), "text"),
        Field("page", text(500), "page"),
        Field("promo_code", text(60), "promo_code"),
        Field("is_spam", truth, "is_spam"),
        Ref("duplicate_of", "duplicate_of_id", "duplicate_of_lead", Lead, within=True, scope=visible_leads),
        Field("first_response_at", instant, "first_response_at"),
        Field("lost_at", instant, "lost_at"),
        Field("loss_stage", text(20), "loss_stage"),
        Field("loss_reason", text(40), "loss_reason"),
    ),
    check=_check_lead,
    zone=_lead_zone,
    scope=visible_leads,
    branch=lambda record: record.values["branch_id"],
    on_create=("recorded_at",),
    after=_staged,
)
record_leads = plain(LEADS)


# --- visits that name their lead ------------------------------------------------------------------------------------
def _linked(batch: Batch) -> None:
    """`kept["leads"]`: {visit id: lead id} of the stored visits whose rows name a lead."""
    naming = [r.id for r in batch.live if r.old is not None and any(ref is LEAD for ref, *_rest in r.references)]
    naming += [r.id for r in batch.live if r.old is not None and "lead_id" in r.given]
    rows = (
        LeadBooking.objects.filter(visit_id__in=store.among(naming, "bigint")) if naming else LeadBooking.objects.none()
    )
    batch.kept["leads"] = dict(rows.values_list("visit_id", "lead_id"))


def _check_visit(batch: Batch, record: Record) -> None:
    """The lead is no column of the visit: it is laid aside before the visit is looked at."""
    if "lead_id" in record.given:
        lead = record.kept["lead"] = record.values.pop("lead_id")
        record.touched |= record.old is not None and batch.kept["leads"].get(record.id) != lead
    assert VISITS.check is not None
    VISITS.check(batch, record)


def _link(batch: Batch) -> None:
    """Links of the rows that name a lead, and the stages that follow. Null takes a link back."""
    said = {r.id: r.kept["lead"] for r in (*batch.created, *batch.updated) if "lead" in r.kept and r.id is not None}
    before = {visit: lead for visit, lead in batch.kept["leads"].items() if visit in said and said[visit] != lead}
    if before:
        LeadBooking.objects.filter(visit_id__in=store.among(before, "bigint")).delete()
    fresh = [
        (visit, lead) for visit, lead in said.items() if lead is not None and batch.kept["leads"].get(visit) != lead
    ]
    store.insert(LeadBooking, ("visit_id", "lead_id"), fresh)
    visits = {record.id for record in batch.updated}
    standing = {lead for visit, lead in batch.kept["leads"].items() if visit in visits}
    advance_leads({lead for _visit, lead in fresh} | set(before.values()) | standing)


LEAD = Ref("lead_id", "lead_id", "lead", Lead, scope=visible_leads)
VISITS_OF_LEADS: Resource = replace(VISITS, keys=(*VISITS.keys, LEAD), check=_check_visit, prepare=_linked, after=_link)

record_visits = partial(patients.record_visits, resource=VISITS_OF_LEADS)
record_visits_and_items = partial(patients.record_visits_and_items, resource=VISITS_OF_LEADS)


def book_row(*, row: Mapping[str, Any], source: Source, by: Actor, now: datetime) -> int:
    """`patients.actions.booked_rows.book_row` of a row that may name its lead."""
    return book_plain_row(row=row, source=source, by=by, now=now, resource=VISITS_OF_LEADS)
