"""The diary: M17 no_show, M18 rebooking."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from typing import Any

from core.money import ratio
from patients.metrics.base import Period, Scope
from patients.metrics.facts import Facts, days, share

BEGUN = """
    SELECT a.id, a.person AS patient_id, a.day, a.doctor_id, a.branch_id, a.status
    FROM appointment a WHERE a.start_at < {t_end} AND a.day BETWEEN {first} AND {last}"""
# Fenced: the local day of a booking is reckoned once, not for every pair of a visit and a booking.
AHEAD = """MATERIALIZED
    SELECT a.id, a.person, a.day, a.booked_at, a.booked_day, a.cancelled_at FROM appointment a WHERE a.day > {first}"""
# Booked before the end of the visit's local day = booked on that local day or earlier.
REBOOKED = """
    SELECT v.id, v.person AS patient_id, v.day, v.doctor_id, v.branch_id,
        MAX(CASE WHEN w.booked_at >= v.start_at THEN 1 ELSE 0 END) AS rebooked,
        MAX(CASE WHEN w.id IS NULL OR w.cancelled_at < v.start_at THEN 0 ELSE 1 END) AS covered
    FROM visited v
    LEFT JOIN ahead w ON w.person = v.person AND w.day > v.day AND w.booked_day <= v.day
    GROUP BY v.id, v.person, v.day, v.doctor_id, v.branch_id"""


def no_show_facts(scope: Scope, period: Period) -> Facts:
    """Appointments of the period that have begun, with their status (`arrived` counts as scheduled)."""
    return Facts(scope, BEGUN, ("id",), values=days(period))


def no_show(scope: Scope, period: Period) -> dict[str, Any]:
    """M17."""
    rows = no_show_facts(scope, period).ask("SELECT status, COUNT(*) AS n FROM fact GROUP BY status")
    return no_show_result({row["status"]: row["n"] for row in rows})


def no_show_result(counts: dict[str, int]) -> dict[str, Any]:
    """{status: number of appointments} -> M17."""
    missed, patient, clinic = (counts.get(s, 0) for s in ("no_show", "cancelled_patient", "cancelled_clinic"))
    due = counts.get("completed", 0) + missed
    return {
        "no_show": ratio(missed, due),
        "cancelled_by_patient": ratio(patient, due + patient + clinic),
        "cancelled_by_clinic": ratio(clinic, due + patient + clinic),
        "unresolved": counts.get("scheduled", 0),
    }


def rebooking_facts(scope: Scope, period: Period) -> Facts:
    """Visits of the period: was the next one booked at it (`rebooked`), or before its day was over (`covered`)."""
    return Facts(scope, REBOOKED, ("id",), ctes={"ahead": AHEAD}, values=scope.windows(period) | days(period))


def rebooking(scope: Scope, period: Period) -> dict[str, Any]:
    """M18."""
    (row,) = rebooking_facts(scope, period).ask(
        f"SELECT COUNT(*) AS n, {share('rebooked = 1')} AS rebooked, {share('covered = 1')} AS covered FROM fact"
    )
    visits = row["n"]
    return {
        "rebooked_at_visit": ratio(int(row["rebooked"] or 0), visits),
        "covered_by_future_booking": ratio(int(row["covered"] or 0), visits),
    }
