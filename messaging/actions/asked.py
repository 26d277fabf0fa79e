"""Messages that other systems ask for, as rows of intake: `record_messages(source=, rows=, by=, now=)`.

A message is immutable once it is asked for: the same row again changes nothing, another one under its id is refused. It
waits in the outbox like every other, and the contact policy decides about it when its time comes.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from messaging.models import Approval, Message
from messaging.queries.lint import specialities
from messaging.queries.reached import Reach, reach_of
from messaging.queries.texts import texts_for
from messaging.rules.lint import lint
from messaging.rules.placeholders import LONGEST
from messaging.rules.priority import priority_of
from messaging.rules.texts import Wording
from patients.models import Patient, Visit
from patients.models.contact import ADVERTISES, Purpose
from patients.queries.scope import visible_patients, visible_visits
from staff.actions.intake import Batch, Field, Record, Ref, Resource, fail, plain
from staff.actions.intake.parsers import choice, instant, long_text, text, whole

BEST = "best"
TRANSPORTS = ("sms", "email", "telegram")
PURPOSES = (Purpose.SERVICE.value, Purpose.FEEDBACK.value, *ADVERTISES)
SENSIBLE = {Purpose.SERVICE.value: timedelta(days=1)}  # how long a message makes sense when the row does not say
SENSIBLE_ELSE = timedelta(days=3)
PATIENT = Ref(
    "patient_id", "patient_id", "patient", Patient, extras=("branch_id",), required=True, scope=visible_patients
)
VISIT = Ref("visit_id", "visit_id", "visit", Visit, extras=("start_at",), scope=visible_visits)


def _prepare(batch: Batch) -> None:
    """How to reach everybody whom the rows name: one query. The texts of all templates: another."""
    outer, inner = batch.found[PATIENT]
    batch.kept["reach"] = reach_of([row["id"] for row in (*outer.values(), *inner.values())], now=batch.now)
    codes = {str(record.given.get("template") or "") for record in batch.records} - {""}
    batch.kept["specialities"] = specialities()
    batch.kept["texts"] = texts_for(codes) if codes else None
    approvals = {int(record.given["approval_id"]) for record in batch.records if record.given.get("approval_id")}
    valid = Approval.objects.filter(pk__in=approvals, withdrawn_at=None)
    batch.kept["approvals"] = set(valid.values_list("pk", flat=True)) if approvals else set()


def _check(batch: Batch, record: Record) -> None:
    if record.old is not None:
        _unchanged(record)
        return
    values = record.values
    _address(record, batch.kept["reach"].get(values["patient_id"]))
    _words(batch, record)
    _times(record, batch.now)
    _lawful(batch, record)
    visit = record.related.get("visit_id")
    values |= {
        "about_at": visit["start_at"] if visit else None,
        "priority": priority_of(values["purpose"]),
        "dedupe_key": key_of(batch.source.pk, record.external_id),
        "variables": "{}",
    }


def _unchanged(record: Record) -> None:
    """What was asked for stays: it may have gone out already."""
    for column, value in record.values.items():
        if value != record.old[column]:  # type: ignore[index]
            fail(record, column.removesuffix("_id"), _("cannot be changed: the message was asked for already"))
    asked = record.loose.get("transport", BEST)
    if asked not in (BEST, record.old["transport"]):  # type: ignore[index]
        fail(record, "transport", _("cannot be changed: the message was asked for already"))


def _lawful(batch: Batch, record: Record) -> None:
    """Whether the approval holds at the moment of sending is the policy's question; here, whether there is one."""
    approval = record.values["approval_id"]
    if approval is not None and approval not in batch.kept["approvals"]:
        fail(record, "approval", _("%(id)s is not known") % {"id": approval})
    elif approval is None and record.values["purpose"] in ADVERTISES:
        fail(record, "approval", _("an advertisement needs the approval of a person"))


def _address(record: Record, reach: Reach | None) -> None:
    """Without an address the row is taken all the same: the outbox ends it with its reason, like everybody's."""
    asked = record.loose.get("transport") or BEST
    if reach is not None:
        transport = reach.best if asked == BEST else asked
        chosen = {"transport": transport, "address": reach.addresses.get(transport) or ""}
        record.values |= {**chosen, "tz": reach.tz, "language": reach.language}


def _words(batch: Batch, record: Record) -> None:
    """Either a text or a template that exists; a mail has a subject."""
    values = record.values
    if bool(values["text"]) == bool(values["template"]):
        fail(record, "text", _("give a text or a template, one of the two"))
    elif values["template"]:
        texts = batch.kept["texts"]
        if texts is None or texts.get(values["template"], values["transport"], values["language"]) is None:
            fail(record, "template", _("there is no such template"))
    elif len(values["text"]) > LONGEST:
        fail(record, "text", _("is longer than %(limit)d characters") % {"limit": LONGEST})
    elif values["transport"] == "email" and not values["subject"]:
        fail(record, "subject", _("is required for an e-mail"))
    else:
        _linted(batch, record)


def _linted(batch: Batch, record: Record) -> None:
    """What needs no consent may neither advertise nor tell a medical secret, whoever wrote it (R124)."""
    values = record.values
    if values["purpose"] in ADVERTISES:
        return
    words = Wording(values["text"], values["subject"])
    given = {"transport": values["transport"], "language": values["language"], "advertises": False}
    for finding in lint(words, specialities=batch.kept["specialities"], **given):
        if finding.is_error:
            fail(record, "text", _("may not be sent without consent: “%(word)s” (%(code)s)") % vars(finding))


def _times(record: Record, now: datetime) -> None:
    values = record.values
    values["not_before"] = values["not_before"] or now
    sensible = SENSIBLE.get(values["purpose"], SENSIBLE_ELSE)
    values["expires_at"] = values["expires_at"] or max(values["not_before"], now) + sensible
    if values["expires_at"] <= values["not_before"]:
        fail(record, "expires_at", _("must be after not_before"))


def key_of(source_id: int, external_id: str) -> str:
    """The dedupe key of a row: once per (source, external id)."""
    return f"asked:{source_id}:{hashlib.sha256(external_id.encode()).hexdigest()[:40]}"


MESSAGES = Resource(
    name="messages",
    model=Message,
    keys=(
        PATIENT,
        VISIT,
        Field("approval", whole(1), "approval_id"),
        Field("purpose", choice(PURPOSES), "purpose", required=True),
        Field("transport", choice((BEST, *TRANSPORTS))),
        Field("template", text(40), "template"),
        Field("subject", text(200), "subject"),
        Field("text", long_text(LONGEST), "text"),
        Field("not_before", instant, "not_before"),
        Field("expires_at", instant, "expires_at"),
    ),
    check=_check,
    prepare=_prepare,
    scope=lambda by: Message.objects.filter(patient__in=visible_patients(by).values("pk")),
    branch=lambda record: record.related.get("patient_id", {}).get("branch_id"),
    on_create=("created_at",),
)
record_messages = plain(MESSAGES)
