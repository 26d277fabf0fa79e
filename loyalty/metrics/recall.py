"""Whom to call back: M28 rfm, M29 overdue and recommendation_compliance, M30 cadence."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from typing import Any

from core.money import ratio
from patients.metrics import Facts, Period, Scope
from patients.metrics.facts import days, share

RFM_CTES = {
    "year_days": "SELECT person, COUNT(*) AS n FROM chain WHERE day > {D} - 365 GROUP BY person",
    "year_money": """
        SELECT person, CAST(SUM(amount) AS BIGINT) AS amount FROM money WHERE value_day > {D} - 365 GROUP BY person""",
    "ranked": """
        SELECT a.person, a.d0, a.dl, COALESCE(f.n, 0) AS frequency, COALESCE(m.amount, 0) AS amount,
            CASE WHEN f.n IS NULL THEN 0 ELSE 1 END AS came
        FROM acquired a LEFT JOIN year_days f ON f.person = a.person LEFT JOIN year_money m ON m.person = a.person""",
    # RANK - 1 = how many are strictly smaller; F and M are ranked among those who came in the year.
    "scored": """
        SELECT person, d0, dl, frequency, amount,
            1 + 5 * (RANK() OVER (ORDER BY dl) - 1) / COUNT(*) OVER () AS r,
            CASE WHEN came = 0 THEN 1
                ELSE 1 + 5 * (RANK() OVER (PARTITION BY came ORDER BY frequency) - 1)
                    / COUNT(*) OVER (PARTITION BY came)
                END AS f,
            CASE WHEN came = 0 THEN 1
                ELSE 1 + 5 * (RANK() OVER (PARTITION BY came ORDER BY amount) - 1) / COUNT(*) OVER (PARTITION BY came)
                END AS m
        FROM ranked""",
}
SEGMENT = """CASE WHEN {D} - s.dl > {theta} THEN 'lost' WHEN s.d0 > {D} - 90 THEN 'new'
    WHEN s.r >= 4 AND s.f >= 4 AND s.m >= 4 AND s.frequency >= 3 THEN 'champions'
    WHEN s.r >= 3 AND s.f >= 4 AND s.frequency >= 3 THEN 'loyal'
    WHEN s.r >= 4 THEN 'promising' WHEN s.r = 3 THEN 'needs_attention' ELSE 'at_risk' END"""
SCORES = f"""
    SELECT s.person AS patient_id, s.d0, s.dl, {{D}} - s.dl AS recency, s.frequency, s.amount AS money,
        100 * s.r + 10 * s.f + s.m AS cell, {SEGMENT} AS segment
    FROM scored s"""


def rfm_facts(scope: Scope) -> Facts:
    """Acquired patients: days since the last visit-day, visit-days and money of 365 days, the scores as one cell."""
    return Facts(scope, SCORES, ("patient_id",), ctes=RFM_CTES)


def rfm(scope: Scope) -> dict[str, Any]:
    """M28."""
    rows = rfm_facts(scope).ask("SELECT cell, segment, COUNT(*) AS n FROM fact GROUP BY cell, segment")
    return {
        "patients": sum(row["n"] for row in rows),
        "cells": tally((str(row["cell"]), row["n"]) for row in rows),
        "segments": tally((row["segment"], row["n"]) for row in rows),
    }


def tally(pairs: Any) -> dict[str, int]:
    """(name, n) pairs -> {name: sum}, sorted."""
    sums: dict[str, int] = {}
    for name, n in pairs:
        sums[name] = sums.get(name, 0) + n
    return dict(sorted(sums.items()))


ADVICE_CTES = {
    "treated": """
        SELECT v.id, v.person, v.day, v.start_at, v.external_id, d.speciality, {day:v.recommended_return_date} AS due
        FROM visited v JOIN staff_doctor d ON d.id = v.doctor_id""",
    "advice": """
        SELECT t.*, LEAD(day) OVER (
            PARTITION BY t.person, t.speciality ORDER BY t.start_at, {text:t.external_id}, t.id) AS superseded
        FROM treated t WHERE t.due IS NOT NULL""",
    "advised": """
        SELECT r.id, r.person, r.speciality, r.day, r.due, r.superseded, MIN(b.day) AS satisfied
        FROM advice r LEFT JOIN treated b
            ON b.person = r.person AND b.speciality = r.speciality AND b.day > r.day AND b.day >= r.due - 30
        GROUP BY r.id, r.person, r.speciality, r.day, r.due, r.superseded""",
    "waiting": """
        SELECT person, MIN(due) AS due FROM advised WHERE superseded IS NULL AND satisfied IS NULL GROUP BY person""",
    "ahead": """
        SELECT DISTINCT person FROM appointment
        WHERE start_at >= {t_end} AND (cancelled_at IS NULL OR cancelled_at >= {t_end})""",
}
DUE = """
    SELECT a.person AS patient_id, a.dl, w.due, CASE WHEN f.person IS NULL THEN 0 ELSE 1 END AS booked,
        CASE WHEN f.person IS NOT NULL THEN 'booked' WHEN w.due IS NULL THEN 'no_due_date'
            WHEN w.due >= {D} THEN 'not_due' WHEN {D} - w.due <= 30 THEN 'overdue_1_30'
            WHEN {D} - w.due <= 90 THEN 'overdue_31_90' ELSE 'overdue_90_plus' END AS bucket
    FROM acquired a LEFT JOIN waiting w ON w.person = a.person LEFT JOIN ahead f ON f.person = a.person"""
ADVISED = """
    SELECT r.id, r.person AS patient_id, r.day, r.due, r.superseded, r.satisfied FROM advised r
    WHERE r.due BETWEEN {first} AND {last} AND (r.superseded IS NULL OR r.superseded >= r.due - 30)"""


def overdue_facts(scope: Scope) -> Facts:
    """Acquired patients with the date on which they are due back, if there is one, and the bucket."""
    return Facts(scope, DUE, ("patient_id",), ctes=ADVICE_CTES)


def overdue(scope: Scope) -> dict[str, Any]:
    """M29."""
    rows = overdue_facts(scope).ask("SELECT bucket, COUNT(*) AS n FROM fact GROUP BY bucket")
    return {"patients": sum(row["n"] for row in rows), "buckets": tally((row["bucket"], row["n"]) for row in rows)}


def recommendation_compliance_facts(scope: Scope, period: Period) -> Facts:
    """Recommendations (id of the visit that made them) due in the period; those superseded early are left out."""
    return Facts(scope, ADVISED, ("id",), ctes=ADVICE_CTES, values=days(period))


def recommendation_compliance(scope: Scope, period: Period) -> dict[str, Any]:
    """M29: on time = satisfied by due + 30; of those that were not, satisfied by due + 120."""
    mature, old = f"due + 30 <= {scope.day}", f"due + 120 <= {scope.day}"
    in_time, late = "(satisfied IS NOT NULL AND satisfied <= due + 30)", "satisfied <= due + 120"
    (row,) = recommendation_compliance_facts(scope, period).ask(
        f"SELECT {share(mature)} AS mature, {share(f'{mature} AND {in_time}')} AS in_time, "
        f"{share(f'{old} AND NOT {in_time}')} AS missed, "
        f"{share(f'{old} AND NOT {in_time} AND {late}')} AS late FROM fact"
    )
    count = {name: int(value or 0) for name, value in row.items()}
    return {
        "on_time": ratio(count["in_time"], count["mature"]),
        "returned_within_90_after_30_overdue": ratio(count["late"], count["missed"]),
    }


CADENCE_CTES = {
    "gaps": """
        SELECT person, day - prev AS gap, COUNT(*) OVER (PARTITION BY person) AS n,
            ROW_NUMBER() OVER (PARTITION BY person ORDER BY day - prev) AS place
        FROM chain WHERE prev IS NOT NULL""",
}
RHYTHM = """
    SELECT patient_id, gaps, median, silence, CASE WHEN silence <= median THEN 'on_time'
        WHEN 2 * silence <= 3 * median THEN 'late' WHEN silence <= 3 * median THEN 'overdue'
        ELSE 'critical' END AS bucket
    FROM (SELECT g.person AS patient_id, g.n AS gaps, g.gap AS median, {D} - l.dl AS silence
        FROM gaps g JOIN life l ON l.person = g.person WHERE g.n >= 3 AND g.place = (g.n - 1) / 2 + 1) r"""


def cadence_facts(scope: Scope) -> Facts:
    """Patients with three gaps between visit-days: their lower median gap and the present silence, days."""
    return Facts(scope, RHYTHM, ("patient_id",), ctes=CADENCE_CTES)


def cadence(scope: Scope) -> dict[str, Any]:
    """M30."""
    rows = cadence_facts(scope).ask("SELECT bucket, COUNT(*) AS n FROM fact GROUP BY bucket")
    buckets = tally((row["bucket"], row["n"]) for row in rows)
    return {"patients_with_cadence": sum(buckets.values()), "buckets": buckets}
