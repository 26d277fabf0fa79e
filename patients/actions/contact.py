"""Consents and touchpoints as other systems send them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from patients.models import Consent, Patient, Touchpoint, Visit
from patients.models.contact import ADVERTISES, OWN_WAYS, Purpose
from patients.models.person import Transport
from patients.queries.scope import visible_patients, visible_visits
from patients.rules.consents import PROOFS, SKEW, lacks_proof
from staff.actions.intake import Batch, Field, Record, Ref, Resource, fail, plain
from staff.actions.intake.parsers import choice, instant, long_text, text, truth

# A link of ours was opened, a message of ours was answered: that we see ourselves, nobody tells it to us.
HOW = [value for value in Consent.How.values if value not in OWN_WAYS]
PATIENT = Ref(
    "patient_id", "patient_id", "patient", Patient, extras=("branch_id",), required=True, scope=visible_patients
)


def _branch(record: Record) -> int | None:
    return record.related.get("patient_id", {}).get("branch_id")


def _zone(batch: Batch, record: Record) -> str:
    return batch.branches.tz(_branch(record))


def _check_consent(batch: Batch, record: Record) -> None:
    """The ledger is append-only: a line that is known may come again, but it cannot say something else."""
    if record.old is None:
        record.values["actor"], record.values["address"] = batch.by.name[:200], batch.by.address
        record.values["how"] = record.values["how"] or Consent.How.IMPORTED.value
        if record.values["at"] is not None and record.values["at"] > batch.now + SKEW:
            # The newest line holds: one of tomorrow would outlive every withdrawal of today.
            fail(record, "at", _("is in the future"))
        _check_proof(record)
        return
    if not record.values["how"]:
        record.values["how"] = record.old["how"]
    for column, value in record.values.items():
        if value != record.old[column]:
            fail(record, column, _("differs from the ledger, which is append-only: send a new line with its own id"))


def _check_proof(record: Record) -> None:
    """What is shown as proof of agreeing to advertising must be one. Without any the line is kept and proves nothing."""
    values = record.values
    must = values["given"] and values["purpose"] in ADVERTISES and values["evidence"]
    if must and lacks_proof(values["how"], values["evidence"]):
        fail(record, "evidence", str(PROOFS[values["how"]]))


CONSENTS = Resource(
    name="consents",
    model=Consent,
    keys=(
        PATIENT,
        Field("purpose", choice(Purpose.values), "purpose", required=True),
        Field("transport", choice(Transport.values), "transport"),
        Field("given", truth, "given", required=True),
        Field("at", instant, "at", required=True),
        Field("how", choice(HOW), "how"),
        Field("text_version", text(40), "text_version"),
        Field("text_hash", text(64), "text_hash"),
        Field("evidence", text(300), "evidence"),
    ),
    check=_check_consent,
    zone=_zone,
    scope=lambda by: Consent.objects.filter(patient__in=visible_patients(by)),
    branch=_branch,
    on_create=("recorded_at",),
)


def _check_touchpoint(batch: Batch, record: Record) -> None:
    if record.old is None and batch.by.kind == "user":
        record.values["user_id"] = batch.by.id


TOUCHPOINTS = Resource(
    name="touchpoints",
    model=Touchpoint,
    keys=(
        PATIENT,
        Ref("visit_id", "visit_id", "visit", Visit, scope=visible_visits, aliases=("appointment_id",)),
        Field("at", instant, "at", required=True),
        Field("kind", text(20), "kind", required=True),
        Field("direction", choice(Touchpoint.Direction.values), "direction"),
        Field("transport", choice(Transport.values), "transport"),
        Field("purpose", choice(Purpose.values), "purpose"),
        Field("outcome", text(40), "outcome"),
        Field("note", long_text(), "note"),
    ),
    check=_check_touchpoint,
    zone=_zone,
    scope=lambda by: Touchpoint.objects.filter(patient__in=visible_patients(by)),
    branch=_branch,
)

record_consents = plain(CONSENTS)
record_touchpoints = plain(TOUCHPOINTS)
