"""May this message still go out? Asked in SQL when a row is claimed and once more in the statement that marks it as
being handed over, so that a change one millisecond before the call wins."""

# ruff: noqa: S608 - the statements are put together from constants of this file
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import CharField, Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from messaging.models import Message, TransportSetting
from messaging.models.outbox import State
from messaging.queries.reach import GROUP
from staff.models import Clinic

TOO_CLOSE = timedelta(hours=3)
ROOT = """(SELECT COALESCE(p.canonical_id, p.id) FROM patients_patient p WHERE p.id = messaging_message.patient_id)"""
RECORDS = GROUP.format(root=ROOT)
# The newest word of any of his records on a purpose, for this transport or for all; NULL = nothing was ever said.
SAID = f"""(SELECT c.given FROM patients_consent c WHERE c.patient_id IN ({RECORDS}) AND c.purpose = {{purpose}}
    AND c.transport IN ('', messaging_message.transport) ORDER BY c.at DESC, c.id DESC LIMIT 1)"""
SAID_THIS, SAID_ANY = SAID.format(purpose="messaging_message.purpose"), SAID.format(purpose="'processing'")
VISIT = "EXISTS (SELECT 1 FROM patients_visit v WHERE v.id = messaging_message.visit_id AND {what})"
PERSON = f"EXISTS (SELECT 1 FROM patients_patient d WHERE d.id IN ({RECORDS}) AND {{what}})"
# The last thing that he was (or is being) told about this visit was the same time, and only a moment ago.
SAME_AND_RECENT = """EXISTS (SELECT 1 FROM messaging_message l WHERE l.about_at = messaging_message.about_at
    AND COALESCE(l.sent_at, l.not_before) > %s AND l.id = (SELECT MAX(b.id) FROM messaging_message b
        WHERE b.visit_id = messaging_message.visit_id AND b.id < messaging_message.id AND b.about_at IS NOT NULL
        AND b.state IN ('queued', 'claimed', 'inflight', 'sent', 'delivered', 'unknown')))"""
VERDICT = f"""CASE
    WHEN messaging_message.expires_at <= %s THEN 'window'
    WHEN messaging_message.about_at IS NOT NULL AND messaging_message.visit_id IS NULL THEN 'visit_gone'
    WHEN messaging_message.about_at IS NOT NULL AND {VISIT.format(what="v.status LIKE 'cancelled%%'")}
        THEN 'visit_cancelled'
    WHEN messaging_message.about_at IS NOT NULL AND {VISIT.format(what="v.start_at <> messaging_message.about_at")}
        THEN 'visit_moved'
    WHEN messaging_message.about_at IS NOT NULL AND {VISIT.format(what="(v.status <> 'scheduled' OR v.start_at <= %s)")}
        THEN 'visit_past'
    WHEN {PERSON.format(what="d.natural_churn_reason = 'died'")} THEN 'deceased'
    WHEN {PERSON.format(what="d.is_test")} THEN 'test'
    WHEN {SAID_THIS} = FALSE OR {SAID_ANY} = FALSE THEN 'withdrawn'
    WHEN messaging_message.purpose IN ('marketing', 'health_offers') AND {SAID_THIS} IS NULL THEN 'no_consent'
    WHEN EXISTS (SELECT 1 FROM messaging_automationsetting s WHERE s.code = messaging_message.automation
        AND NOT s.is_on) THEN 'switched_off'
    WHEN messaging_message.address = '' THEN 'no_address'
    WHEN messaging_message.automation <> '' AND messaging_message.about_at IS NOT NULL AND {SAME_AND_RECENT}
        THEN 'too_close'
    ELSE '' END"""


def judged(messages: QuerySet[Message], now: datetime) -> QuerySet[Any]:
    """`messages` with `verdict`: empty = may go out, else a Reason. Not to be nested inside another query."""
    at, recent = (connection.ops.adapt_datetimefield_value(moment) for moment in (now, now - TOO_CLOSE))
    return messages.annotate(verdict=RawSQL(VERDICT, [at, at, recent], output_field=CharField()))  # noqa: S611


def not_paused(messages: QuerySet[Any]) -> QuerySet[Any]:
    """Nothing at all while a person has paused sending, or this transport."""
    return messages.exclude(Exists(Clinic.objects.filter(sending_paused=True))).exclude(
        Exists(TransportSetting.objects.filter(transport=OuterRef("transport"), paused=True))
    )


def told_otherwise() -> Subquery:
    """Of a visit: how many messages have told the patient another start than its present one (none → null)."""
    told = Message.objects.filter(
        visit=OuterRef("pk"), state__in=(State.INFLIGHT, State.SENT, State.DELIVERED, State.UNKNOWN)
    ).exclude(about_at=OuterRef("start_at"))
    return Subquery(told.exclude(about_at=None).order_by().values("visit").annotate(n=Count("id")).values("n"))
