"""The contact policy in SQL: may this message, or this call, still go out?

One definition, asked when a row is claimed, once more in the statement that marks it as being handed over (so that a
change one millisecond before the call wins), and for a call or an offer that somebody thinks of (`queries.policy`). What
needs arithmetic over many rows (the budget) or a zone's clock (quiet hours) stands beside it, in `rules`.
"""

# ruff: noqa: S608 - the statements are put together from constants of this file
from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, CharField, Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from core.clock import local_date
from messaging.models import Message, TransportSetting
from messaging.models.outbox import State
from messaging.rules.policy import FRESH
from patients.queries.consents import begun_sql, latest_sql, proven_sql
from patients.rules.consents import SKEW
from staff.models import Clinic

TOO_CLOSE = timedelta(hours=3)
# `messaging_message` is the outbox, or a derived table of that name with the columns patient_id, purpose, transport,
# address: whoever asks about a contact that is no row yet.
ROOT = """(SELECT COALESCE(p.canonical_id, p.id) FROM patients_patient p WHERE p.id = messaging_message.patient_id)"""
# All records of the person: both sides of the OR are indexes of one table.
RECORDS = f"SELECT g.id FROM patients_patient g WHERE g.id = {ROOT} OR g.canonical_id = {ROOT}"
ADVERTISES = "messaging_message.purpose IN ('marketing', 'health_offers')"
MOMENTS = {"now": ":now", "soon": ":soon"}


def _said(column: str, purpose: str = "messaging_message.purpose") -> str:
    """Of the newest word of any of his records on a purpose, for this transport or for all; NULL = never a word."""
    asked = {"purpose": purpose, "transport": "messaging_message.transport", **MOMENTS}
    return latest_sql(column=column, records=RECORDS, **asked)


SAID_THIS, SAID_ANY = _said("c.given"), _said("c.given", "'processing'")
# The line that a message stands on: the newest word, when it says yes and can be shown.
CONSENT = _said(f"CASE WHEN c.given AND {proven_sql('c')} THEN c.id END")
ZONE = f"""CASE WHEN messaging_message.tz = '' THEN '' ELSE COALESCE(
    (SELECT NULLIF(z.tz, '') FROM patients_patient z WHERE z.id = {ROOT}),
    (SELECT NULLIF(z.tz, '') FROM patients_patient z WHERE z.id = messaging_message.patient_id),
    messaging_message.tz) END"""
VISIT = "EXISTS (SELECT 1 FROM patients_visit v WHERE v.id = messaging_message.visit_id AND {what})"
PERSON = f"EXISTS (SELECT 1 FROM patients_patient d WHERE d.id IN ({RECORDS}) AND {{what}})"
BOOKED = f"""EXISTS (SELECT 1 FROM patients_visit v WHERE v.patient_id IN ({RECORDS})
    AND v.status NOT LIKE 'cancelled%%' AND (v.booked_at > messaging_message.created_at
        OR v.status = 'scheduled' AND v.start_at > :now))"""
# The last thing that he was (or is being) told about this visit was the same time, and only a moment ago.
SAME_AND_RECENT = """EXISTS (SELECT 1 FROM messaging_message l WHERE l.about_at = messaging_message.about_at
    AND COALESCE(l.sent_at, l.not_before) > :recent AND l.id = (SELECT MAX(b.id) FROM messaging_message b
        WHERE b.visit_id = messaging_message.visit_id AND b.id < messaging_message.id AND b.about_at IS NOT NULL
        AND b.state IN ('queued', 'claimed', 'inflight', 'sent', 'delivered', 'unknown')))"""
# Facts of the address, whoever it belongs to. Refusing advertising stops advertising (until the person says yes again),
# the rest stops everything; a number that is somebody else's is so for calls too.
SUPPRESSED = f"""(SELECT MIN(s.kind) FROM messaging_suppression s WHERE s.lifted_at IS NULL
    AND s.address = LOWER(messaging_message.address) AND (s.transport = messaging_message.transport
        OR s.kind = 'wrong_number' AND s.transport IN ('sms', 'call')
            AND messaging_message.transport IN ('sms', 'call'))
    AND (s.kind <> 'unsubscribed' OR {ADVERTISES} AND NOT {_said("c.given AND c.at > s.since")}))"""
SWITCHED = f"""EXISTS (SELECT 1 FROM messaging_transportsetting t WHERE t.transport = messaging_message.transport
    AND NOT CASE WHEN {ADVERTISES} THEN t.for_adverts ELSE t.for_service END)"""
HELD = f"""EXISTS (SELECT 1 FROM messaging_promotionhold h WHERE h.patient_id IN ({RECORDS}) AND h.lifted_at IS NULL
    AND (h.until IS NULL OR h.until > :now))"""
# He refused advertising on some transport a short while ago, and has not said yes again since.
REFUSED_LATELY = f"""EXISTS (SELECT 1 FROM patients_consent w WHERE w.patient_id IN ({RECORDS}) AND NOT w.given
    AND w.purpose IN ('marketing', 'health_offers') AND w.at > :fresh AND {begun_sql("w", **MOMENTS)} AND NOT EXISTS (
        SELECT 1 FROM patients_consent y WHERE y.patient_id IN ({RECORDS}) AND y.purpose = w.purpose AND y.given
        AND y.at > w.at AND y.at <= :now AND y.transport IN ('', w.transport, messaging_message.transport)))"""
# A person's signature under this advertisement, on this day of the clinic.
APPROVED = """EXISTS (SELECT 1 FROM messaging_approval a WHERE a.id = messaging_message.approval_id
    AND a.withdrawn_at IS NULL AND a.first_day <= :day AND a.last_day >= :day)"""

# Of one row of the outbox: is there still something to say?
MOMENT = f"""
    WHEN messaging_message.expires_at <= :now THEN 'window'
    WHEN messaging_message.stops_when_booked AND {BOOKED} THEN 'goal'
    WHEN messaging_message.about_at IS NOT NULL AND messaging_message.visit_id IS NULL THEN 'visit_gone'
    WHEN messaging_message.about_at IS NOT NULL AND {VISIT.format(what="v.status LIKE 'cancelled%%'")}
        THEN 'visit_cancelled'
    WHEN messaging_message.about_at IS NOT NULL AND {VISIT.format(what="v.start_at <> messaging_message.about_at")}
        THEN 'visit_moved'
    WHEN messaging_message.about_at IS NOT NULL
        AND {VISIT.format(what="(v.status <> 'scheduled' OR v.start_at <= :now)")} THEN 'visit_past'"""
# Of the person: alive, real, willing.
WISHES = f"""
    WHEN {PERSON.format(what="d.natural_churn_reason = 'died'")} THEN 'deceased'
    WHEN {PERSON.format(what="d.is_test")} THEN 'test'
    WHEN {SAID_THIS} = FALSE OR {SAID_ANY} = FALSE THEN 'withdrawn'
    WHEN {ADVERTISES} AND {SAID_THIS} IS NULL THEN 'no_consent'
    WHEN {ADVERTISES} AND {CONSENT} IS NULL THEN 'unproven'"""
# Of the way to him, and of advertising.
WAYS = f"""
    WHEN messaging_message.address = '' THEN 'no_address'
    WHEN {SUPPRESSED} IS NOT NULL THEN {SUPPRESSED}
    WHEN messaging_message.patient_id IS NOT NULL AND {SWITCHED} THEN 'transport_off'
    WHEN {ADVERTISES} AND ({HELD} OR {REFUSED_LATELY}) THEN 'promotion_hold'"""
SIGNED = f"""
    WHEN {ADVERTISES} AND NOT {APPROVED} THEN 'not_approved'"""
SWITCHED_OFF = """
    WHEN EXISTS (SELECT 1 FROM messaging_automationsetting s WHERE s.code = messaging_message.automation
        AND NOT s.is_on) THEN 'switched_off'"""
CLOSE = f"""
    WHEN messaging_message.automation <> '' AND messaging_message.about_at IS NOT NULL
        AND messaging_message.fallback_of_id IS NULL AND {SAME_AND_RECENT} THEN 'too_close'"""
VERDICT = f"CASE {MOMENT} {WISHES} {SWITCHED_OFF} {WAYS} {SIGNED} {CLOSE} ELSE '' END"
# Whether the person may be contacted, whatever about: no approval is asked for, a call is made by a person.
PERSONAL = f"CASE {WISHES} {WAYS} ELSE '' END"
NAMED = re.compile(r":(now|soon|recent|fresh|day)\b")


def bound(sql: str, now: datetime) -> tuple[str, list[Any]]:
    """`sql` with its named moments as %s, and their values in order. The day is the clinic's own."""
    tz = Clinic.objects.filter(pk=1).values_list("tz", flat=True).first() or "UTC"
    moments = {"now": now, "soon": now + SKEW, "recent": now - TOO_CLOSE, "fresh": now - FRESH}
    values = {name: connection.ops.adapt_datetimefield_value(at) for name, at in moments.items()}
    values["day"] = local_date(now, tz).isoformat()
    return NAMED.sub("%s", sql), [values[name] for name in NAMED.findall(sql)]


def judged(messages: QuerySet[Message], now: datetime) -> QuerySet[Any]:
    """`messages` with `verdict`: empty = may go out, else a Reason. Not to be nested inside another query."""
    sql, params = bound(VERDICT, now)
    return messages.annotate(verdict=RawSQL(sql, params, output_field=CharField()))  # noqa: S611


def good_family(messages: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Without carriers of which a member, claimed together with them, may not be told any more."""
    sql, params = bound(VERDICT.replace("messaging_message.", "member."), now)
    member = f"SELECT 1 FROM messaging_message member WHERE member.grouped_into_id = messaging_message.id AND \
member.state = 'claimed' AND ({sql}) <> ''"
    good: QuerySet[Any] = messages.annotate(stale=RawSQL(f"EXISTS ({member})", params)).filter(stale=False)  # noqa: S611
    return good


def consent_of(now: datetime) -> RawSQL:
    """The id of the consent line that a message stands on, or NULL. Of an expression over `messaging_message`."""
    sql, params = bound(CONSENT, now)
    return RawSQL(sql, params, output_field=BigIntegerField())  # noqa: S611


def zone_of() -> RawSQL:
    """The addressee's zone: the one that is known of him now, else the one that the row was planned with; '' = urgent."""
    return RawSQL(ZONE, [], output_field=CharField())  # noqa: S611


def root_of() -> RawSQL:
    """The canonical patient of a message, or NULL."""
    return RawSQL(ROOT, [], output_field=BigIntegerField())  # noqa: S611


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
