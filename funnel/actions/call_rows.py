"""Calls as other systems record them. They settle missed calls; they make no lead and no work item: they are history."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.phones import BadPhone, parse_phone
from funnel.actions.calls import settle_calls
from funnel.models import Call, Lead
from funnel.queries.calls import visible_calls
from funnel.queries.scope import visible_leads
from patients.models import Patient
from patients.queries.scope import visible_patients
from staff.actions.intake import Batch, Field, Record, Ref, Resource, fail, plain
from staff.actions.intake.ground import BRANCH
from staff.actions.intake.parsers import choice, instant, text, whole

NUMBERS = ("from_number", "to_number", "called_number")


def _check_call(batch: Batch, record: Record) -> None:
    values = record.values
    for name in ("answered_at", "ended_at"):
        if values[name] is not None and values[name] < values["started_at"]:
            fail(record, name, _("is before the beginning"))
    region = batch.branches.region(values["branch_id"] or batch.branches.default_id)
    for name in NUMBERS:
        if name in record.given and values[name]:
            values[name] = _number(values[name], region)


def _number(raw: str, region: str) -> str:
    """E.164; "" for an extension or a hidden number, as in what telephony says."""
    try:
        return parse_phone(raw, region).number
    except BadPhone:
        return ""


def _zone(batch: Batch, record: Record) -> str:
    return batch.branches.tz(record.values["branch_id"] or batch.branches.default_id)


def _settled(batch: Batch) -> None:
    rows = (*batch.created, *batch.updated)
    settle_calls(numbers={record.values[name] for record in rows for name in NUMBERS[:2]}, by=batch.by, now=batch.now)


CALLS = Resource(
    name="calls",
    model=Call,
    keys=(
        Field("started_at", instant, "started_at", required=True),
        Field("direction", choice(Call.Direction.values), "direction", required=True),
        Field("outcome", choice(Call.Outcome.values), "outcome", required=True),
        Field("from", text(20), "from_number"),
        Field("to", text(20), "to_number"),
        Field("called", text(20), "called_number"),
        Field("extension", text(60), "extension"),
        BRANCH,
        Ref("patient_id", "patient_id", "patient", Patient, scope=visible_patients),
        Ref("lead_id", "lead_id", "lead", Lead, scope=visible_leads),
        Field("answered_at", instant, "answered_at"),
        Field("ended_at", instant, "ended_at"),
        Field("talk_seconds", whole(0, 86_400), "talk_seconds"),
        Field("recording", text(500), "recording"),
    ),
    check=_check_call,
    zone=_zone,
    scope=visible_calls,
    branch=lambda record: record.values["branch_id"],
    on_create=("recorded_at",),
    after=_settled,
)
record_calls = plain(CALLS)
