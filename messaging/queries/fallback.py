"""Messages that did not arrive, and by which transport their patients can still be told. SQL for one INSERT … SELECT.

Did not arrive: the provider says so, or refused it, or has been silent about it for longer than a person allowed. What is
`unknown` never falls back: it may have arrived. A message falls back once, its fallback once more, to a transport that was
not tried; whoever would have been told by a relative's message is told by one of his own.
"""

# ruff: noqa: S608 - the statements are put together from constants of this file
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from messaging.models import TransportSetting
from messaging.queries.reach import FIELDS, reachable_params, reachable_sql
from messaging.queries.routes import working_routes
from patients.models.contact import ADVERTISES, Purpose

RECENT = timedelta(days=3)  # an older one is told by nobody any more
REFUSED = "('blocked', 'gateway', 'bounced', 'wrong_number')"
ADVERT = "purpose IN ('{}', '{}')".format(*ADVERTISES)
# `m` is the message; the one that was handed over for it (`carrier_id`) is itself, or the relative's that carried it.
FAILED = """due AS (
    SELECT m.id AS message_id, m.patient_id, m.visit_id, m.about_at, m.expires_at, m.created_at, m.automation, m.purpose,
        m.priority, m.template, m.approval_id, m.stops_when_booked, m.text, m.subject, m.tz AS branch_tz, m.reason,
        m.transport AS first, COALESCE(o.transport, '') AS second, COALESCE(oo.transport, '') AS third,
        COALESCE(o.reason, '') AS reason_before, COALESCE(oo.dedupe_key, o.dedupe_key, m.dedupe_key) AS base_key
    FROM (SELECT id AS carrier_id, id AS told_id FROM messaging_message WHERE {ended}{silent}
        UNION ALL SELECT x.grouped_into_id, x.id FROM messaging_message x WHERE x.state = 'skipped'
            AND x.reason = 'grouped' AND x.grouped_into_id IN (SELECT id FROM messaging_message WHERE {ended}{silent})) f
    JOIN messaging_message m ON m.id = f.told_id
    LEFT JOIN messaging_message o ON o.id = m.fallback_of_id LEFT JOIN messaging_message oo ON oo.id = o.fallback_of_id
    WHERE m.patient_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM messaging_message n WHERE n.fallback_of_id = m.id)
        AND (m.about_at IS NULL OR EXISTS (SELECT 1 FROM patients_visit v WHERE v.id = m.visit_id
            AND v.status = 'scheduled' AND v.start_at = m.about_at AND v.start_at > %s))
)"""
ENDED = f"""expires_at > %s AND (state = 'undelivered' OR state IN ('refused', 'skipped') AND reason IN {REFUSED})
    AND state IN ('undelivered', 'refused', 'skipped')"""
SILENT = " OR state = 'sent' AND transport = '{name}' AND created_at > %s AND sent_at <= %s AND expires_at > %s"


def failed_sql(now: datetime) -> tuple[str, list[Any]]:
    """CTEs `due` (see FAILED) and `reached`, `next` (the transport) and `next_address`; '' where none is left."""
    silent, silent_params = _silent(now)
    at = _adapted(now)
    once = [at, *silent_params]
    due = FAILED.format(ended=ENDED, silent=silent)
    transport, address = _next(now, of_address=False), _next(now, of_address=True)
    sql = f"WITH {due},{reachable_sql()}, told AS (SELECT reached.*, {transport} AS next, {address} AS next_address \
FROM reached)"
    return sql, [*once, *once, at, *reachable_params(now)]


def _silent(now: datetime) -> tuple[str, list[Any]]:
    """Sent, and no report for longer than this transport's `fallback_minutes`."""
    patience = TransportSetting.objects.exclude(fallback_minutes=None).filter(transport__in=FIELDS)
    sql, params = "", []
    for name, minutes in patience.values_list("transport", "fallback_minutes"):
        sql += SILENT.format(name=name)
        limit = now - timedelta(minutes=minutes or 0)
        params += [_adapted(now - RECENT), _adapted(limit), _adapted(now)]
    return sql, params


def _next(now: datetime, *, of_address: bool) -> str:
    """The patient's wish first, then the order of `routes`, of those that work now and were not tried."""
    cases = []
    for advert, purpose in ((ADVERT, Purpose.MARKETING), (f"NOT {ADVERT}", Purpose.SERVICE)):
        order = working_routes(purpose, now)
        for wish in (True, False):
            for name in order:
                wished = f" AND preferred = '{name}'" if wish else ""
                answer = FIELDS[name] if of_address else f"'{name}'"
                tried = f"'{name}' NOT IN (first, second, third)"
                cases.append(f"WHEN {advert} AND {FIELDS[name]}_ok AND {tried}{wished} THEN {answer}")
    return f"CASE {' '.join(cases)} ELSE '' END" if cases else "''"


def _adapted(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)
