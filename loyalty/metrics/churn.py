"""Staying and leaving: M14 lost_patients, M15 churn_year (its counts; the cost of replacement is composed above)."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from datetime import date
from typing import Any

from core.clock import day_number
from core.money import ratio
from patients.metrics import Facts, Period, Scope
from patients.metrics.facts import days, share

ALLOWANCE = 3  # α of M15: percent of the base that leaves whatever the clinic does
CTES = {
    # u = last visit-day before a loss; the loss day is u + θ if nobody came in (u, u + θ]
    "gone": """
        SELECT person, MIN(day) AS last_seen FROM chain
        WHERE (next IS NULL OR next > day + {theta}) AND day + {theta} BETWEEN {first} AND {until}
        GROUP BY person""",
    "reasons": """
        SELECT g.person, MAX(CASE WHEN p.natural_churn_reason = 'recovered' THEN 0 ELSE 1 END) AS left_us
        FROM gone g JOIN patients_patient p ON COALESCE(p.canonical_id, p.id) = g.person
        WHERE p.natural_churn_reason IN ('moved', 'died', 'income', 'recovered')
            AND {day:p.natural_churn_date} BETWEEN g.last_seen AND g.last_seen + {theta}
        GROUP BY g.person""",
    "stirred": """
        SELECT person,
            MAX(CASE WHEN day < {first} AND day + {theta} >= {first} THEN 1 ELSE 0 END) AS active_at_start,
            MAX(CASE WHEN day BETWEEN {first} AND {last} AND day - prev > {theta} THEN 1 ELSE 0 END) AS reactivated,
            MAX(CASE WHEN day <= {until} AND day + {theta} > {until} THEN 1 ELSE 0 END) AS active_at_end
        FROM chain GROUP BY person""",
}
YEAR = """
    SELECT * FROM (
        SELECT 'patient' AS kind, a.person AS id, a.person AS patient_id, a.d0, s.active_at_start, s.reactivated,
            CASE WHEN a.d0 BETWEEN {first} AND {last} AND a.truncated = 0 THEN 1 ELSE 0 END AS is_new,
            CASE WHEN g.person IS NULL THEN 0 ELSE 1 END AS lost, g.last_seen, g.last_seen + {theta} AS loss_day,
            CASE WHEN g.person IS NULL THEN NULL WHEN r.left_us = 1 THEN 'natural'
                WHEN r.left_us = 0 THEN 'recovered' ELSE 'avoidable' END AS loss_kind, s.active_at_end
        FROM acquired a JOIN stirred s ON s.person = a.person
        LEFT JOIN gone g ON g.person = a.person LEFT JOIN reasons r ON r.person = a.person) p
    WHERE active_at_start + reactivated + is_new + lost + active_at_end > 0"""
LOST = """
    SELECT c.person AS patient_id, c.day AS last_seen, c.day + {theta} AS loss_day, c.next AS returned
    FROM chain c WHERE (c.next IS NULL OR c.next > c.day + {theta}) AND c.day + {theta} BETWEEN {first} AND {until}"""


def year_of(year: int) -> Period:
    return Period(date(year, 1, 1), date(year, 12, 31))


def churn_values(scope: Scope, period: Period) -> dict[str, Any]:
    """`first`, `last` of the period, and `until` = its last day that has already been."""
    return days(period) | {"until": min(day_number(period.last), scope.day)}


def lost_patients_facts(scope: Scope, year: int) -> Facts:
    return Facts(scope, LOST, ("patient_id", "last_seen"), values=churn_values(scope, year_of(year)))


def lost_patients(scope: Scope, year: int) -> dict[str, Any]:
    """M14: loss days in the year up to D, patients behind them, and those who are back by D."""
    (row,) = lost_patients_facts(scope, year).ask(
        "SELECT COUNT(*) AS losses, COUNT(DISTINCT patient_id) AS lost, "
        f"{share('returned IS NOT NULL')} AS back FROM fact"
    )
    return {"lost": row["lost"], "losses": row["losses"], "returned_later": int(row["back"] or 0)}


def churn_facts(scope: Scope, year: int) -> Facts:
    """Patients who were active, new, reactivated or lost in the year, with the first loss and its kind."""
    return Facts(scope, YEAR, ("kind", "id"), ctes=CTES, values=churn_values(scope, year_of(year)))


COUNTS = {
    "active_at_start": "active_at_start = 1",
    "new": "is_new = 1",
    "reactivated": "reactivated = 1",
    "base": "active_at_start + is_new + reactivated > 0",
    "lost": "lost = 1",
    "lost_natural": "loss_kind = 'natural'",
    "lost_recovered": "loss_kind = 'recovered'",
    "lost_avoidable": "loss_kind = 'avoidable'",
    "lost_of_active": "lost = 1 AND active_at_start = 1",
    "active_at_end": "active_at_end = 1",
}


def churn_counts(facts: Facts) -> dict[str, int]:
    sums = ", ".join(f"{share(condition)} AS {name}" for name, condition in COUNTS.items())
    (row,) = facts.ask(f"SELECT {sums} FROM fact WHERE kind = 'patient'")
    return {name: int(row[name] or 0) for name in COUNTS}


def churn_result(counts: dict[str, int]) -> dict[str, Any]:
    """M15 without the cost of replacement."""
    base, lost, new = counts["base"], counts["lost"], counts["new"]
    shown = {name: counts[name] for name in COUNTS if name not in ("lost_of_active", "active_at_end")}
    return shown | {
        "churn": ratio(lost, base),
        "churn_of_active": ratio(counts["lost_of_active"], counts["active_at_start"]),
        "inflow": ratio(new, base),
        "avoidable_churn": ratio(counts["lost_avoidable"], base),
        "churn_after_allowance": ratio(max(0, 100 * lost - ALLOWANCE * base), 100 * base),
        "status": churn_status(lost, new, base),
        "active_at_end": counts["active_at_end"],
    }


def churn_status(lost: int, new: int, base: int) -> str:
    """R19: `trouble` when even the churn above the natural allowance is more than the inflow."""
    if base == 0:
        return "no_data"
    if lost <= new:
        return "ok"
    return "warning" if 100 * lost - ALLOWANCE * base <= 100 * new else "trouble"
