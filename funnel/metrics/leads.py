"""Enquiries: M19 valid leads, M20 response_sla, M22 losses.

What a filter means for a lead: by channel, the lead's own channel, and its patient (if a record is named) must be one of
that channel's. By branch or doctor, only those appointments exist: all leads stay, but a lead whose patient is known only
by an appointment that is filtered out has no patient, and no booking.
"""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.clock import day_end, day_start
from core.money import ratio
from core.sql import Macro, epoch_of, instant_literal
from patients.metrics import Facts, Period, Scope
from patients.metrics.facts import days, share

UNKNOWN, UNSPECIFIED = "unknown", "unspecified"
# `enquiry`: what counts of its own; `lead`: M19, with its canonical person (or none).
LEADS = {
    "enquiry": """
        SELECT l.id, l.patient_id, l.channel_id, l.created_at, l.first_response_at, l.lost_at, l.loss_stage,
            l.loss_reason, {local:l.created_at} AS day
        FROM funnel_lead l
        WHERE l.created_at < {t_end} AND NOT l.is_spam AND l.duplicate_of_id IS NULL {lead_window} {lead_channel}""",
    "linked": """
        SELECT b.lead_id, v.patient_id, ROW_NUMBER() OVER (
            PARTITION BY b.lead_id ORDER BY v.start_at, {text:v.external_id}, v.id) AS place
        FROM enquiry q JOIN funnel_leadbooking b ON b.lead_id = q.id JOIN patients_visit v ON v.id = b.visit_id
        WHERE v.booked_at < {t_end} {only_visits} {linked_channel}""",
    "lead": """
        SELECT q.id, q.channel_id, q.created_at, q.first_response_at, q.lost_at, q.loss_stage, q.loss_reason, q.day,
            COALESCE(m.person, q.patient_id, k.patient_id) AS person
        FROM enquiry q LEFT JOIN linked k ON k.lead_id = q.id AND k.place = 1
            LEFT JOIN merged m ON m.record = COALESCE(q.patient_id, k.patient_id)
        WHERE COALESCE(q.patient_id, k.patient_id, 0) NOT IN (SELECT record FROM hidden) {lead_person}""",
}
WAITS = """
    SELECT id, patient_id, channel_id, day, wait FROM (
        SELECT l.id, l.person AS patient_id, l.channel_id, l.day, l.created_at, {wait} AS wait FROM lead l) w
    WHERE wait IS NOT NULL OR created_at <= {old_enough}"""
LOST = """
    SELECT id, patient_id, channel_id, day, loss_stage, loss_reason FROM (
        SELECT l.id, l.person AS patient_id, l.channel_id, {local:l.lost_at} AS day,
            CASE WHEN l.loss_stage = '' THEN '{unspecified}' ELSE l.loss_stage END AS loss_stage,
            CASE WHEN l.loss_reason = '' THEN '{unspecified}' ELSE l.loss_reason END AS loss_reason
        FROM lead l WHERE l.lost_at < {t_end}) x
    WHERE day BETWEEN {first} AND {last}"""


def lead_values(scope: Scope, period: Period | None = None) -> dict[str, Any]:
    """Values of `LEADS`. `period`: only leads whose local date lies in it; None: all that are seen."""
    return {
        "epoch": Macro(epoch_of),
        "wait": wait(scope),
        "lead_window": created_within(scope, period) if period else "",
        **channel_values(scope),
    } | (days(period) if period else {})


def created_within(scope: Scope, period: Period) -> str:
    """SQL: the instants of the period's local days, so that the index on them serves."""
    first, end = day_start(period.first, scope.tz), day_end(period.last, scope.tz)
    return f"AND l.created_at >= {instant_literal(first)} AND l.created_at < {instant_literal(end)}"


def wait(scope: Scope) -> str:
    """SQL: seconds to the first answer; NULL if there was none by the end of D."""
    answered = f"l.first_response_at < {instant_literal(scope.t_end)}"
    return f"CASE WHEN {answered} THEN {epoch_of('l.first_response_at')} - {epoch_of('l.created_at')} END"


def channel_values(scope: Scope) -> dict[str, str]:
    if not scope.channels:
        return dict.fromkeys(("lead_channel", "linked_channel", "lead_person"), "")
    people = f"(SELECT person FROM touch WHERE {scope.channel_condition()})"
    records = f"(SELECT p.id FROM patients_patient p WHERE COALESCE(p.canonical_id, p.id) IN {people})"
    return {
        "lead_channel": f"AND ({scope.channel_condition('l.channel_id')})",
        "linked_channel": f"AND v.patient_id IN {records}",
        "lead_person": f"AND (q.patient_id IS NULL OR q.patient_id IN {records})",
    }


def response_sla_facts(scope: Scope, period: Period) -> Facts:
    """Leads of the period with the seconds to their first answer; those younger than 120 s at t_end are not yet."""
    young = {"old_enough": instant_literal(scope.t_end - timedelta(seconds=120))}
    return Facts(scope, WAITS, ("id",), ctes=LEADS, values=lead_values(scope, period) | young)


def response_sla(scope: Scope, period: Period) -> dict[str, Any]:
    """M20. Seconds are integers; percentiles by nearest rank. The clock runs around the clock."""
    (row,) = response_sla_facts(scope, period).ask(
        f"SELECT COUNT(*) AS n, COUNT(wait) AS answered, {share('wait <= 60')} AS fast, {share('wait <= 120')} AS near,"
        " MAX(CASE WHEN place = (known + 1) / 2 THEN wait END) AS median,"
        " MAX(CASE WHEN place = (9 * known + 9) / 10 THEN wait END) AS p90"
        " FROM (SELECT wait, ROW_NUMBER() OVER (ORDER BY CASE WHEN wait IS NULL THEN 1 ELSE 0 END, wait) AS place,"
        " COUNT(wait) OVER () AS known FROM fact) f"
    )
    n = row["n"]
    return {
        "leads": n,
        "answered": row["answered"],
        "within_60s": ratio(int(row["fast"] or 0), n),
        "within_120s": ratio(int(row["near"] or 0), n),
        "median_s": row["median"],
        "p90_s": row["p90"],
    }


def losses_facts(scope: Scope, period: Period) -> Facts:
    """Leads lost in the period, with stage and reason (`unspecified` where another system gave none)."""
    values = lead_values(scope) | days(period) | {"unspecified": UNSPECIFIED}
    return Facts(scope, LOST, ("id",), ctes=LEADS, values=values)


def losses(scope: Scope, period: Period) -> dict[str, Any]:
    """M22. {total, by: {"stage|reason": number}}."""
    rows = losses_facts(scope, period).ask(
        "SELECT loss_stage, loss_reason, COUNT(*) AS n FROM fact GROUP BY loss_stage, loss_reason"
    )
    by = {f"{row['loss_stage']}|{row['loss_reason']}": row["n"] for row in rows}
    return {"total": sum(by.values()), "by": dict(sorted(by.items()))}
