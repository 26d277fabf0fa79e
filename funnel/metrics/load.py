"""How full the diary is: M27 utilisation.

A filter by doctor leaves that doctor's shifts alone; by branch, the shifts of the branch and those of no branch.
"""

from __future__ import annotations

from typing import Any

from core.clock import day_end, day_start
from core.money import ratio
from core.sql import Macro, epoch_of, id_list, instant_literal
from patients.metrics import Facts, Period, Scope
from patients.metrics.codes import codes_of

# Intervals of whole seconds, clipped to the period and to the end of D. Kinds: `shift`, `completed`, `no_show`.
SPANS = """
    SELECT kind, id, patient_id, doctor_id, branch_id,
        CASE WHEN begin_s < {low_s} THEN {low_s} ELSE begin_s END AS begins,
        CASE WHEN end_s > {high_s} THEN {high_s} ELSE end_s END AS ends
    FROM (
        SELECT 'shift' AS kind, s.id, CAST(NULL AS BIGINT) AS patient_id, s.doctor_id, s.branch_id,
            {epoch:s.start_at} AS begin_s, {epoch:s.end_at} AS end_s
        FROM staff_shift s
        WHERE s.start_at < {high} AND s.end_at > {low} AND s.end_at > s.start_at {only_shifts}
        UNION ALL
        SELECT a.status, a.id, a.person, a.doctor_id, a.branch_id, {epoch:a.start_at}, {epoch:v.end_at}
        FROM appointment a JOIN patients_visit v ON v.id = a.id
        WHERE a.status IN ('completed', 'no_show') AND a.start_at < {high} AND v.end_at > {low}
            AND v.end_at > a.start_at) i"""
# One walk over all edges of a doctor's intervals in time: between two edges nothing changes, so the length of a stretch
# counts once however many intervals lie over it. That is their union, without comparing every pair.
STRETCHES = """
    SELECT doctor_id, CAST(SUM(CASE WHEN on_shift > 0 THEN long ELSE 0 END) AS BIGINT) AS shift,
        CAST(SUM(CASE WHEN on_shift > 0 AND worked > 0 THEN long ELSE 0 END) AS BIGINT) AS worked,
        CAST(SUM(CASE WHEN on_shift > 0 AND sold > 0 THEN long ELSE 0 END) AS BIGINT) AS sold
    FROM (
        SELECT doctor_id, LEAD(at) OVER w - at AS long, SUM(shift) OVER w AS on_shift, SUM(worked) OVER w AS worked,
            SUM(sold) OVER w AS sold
        FROM (
            SELECT doctor_id, at, SUM(CASE WHEN kind = 'shift' THEN step ELSE 0 END) AS shift,
                SUM(CASE WHEN kind = 'completed' THEN step ELSE 0 END) AS worked,
                SUM(CASE WHEN kind <> 'shift' THEN step ELSE 0 END) AS sold
            FROM (
                SELECT doctor_id, kind, begins AS at, 1 AS step FROM fact
                UNION ALL SELECT doctor_id, kind, ends, -1 FROM fact) edges
            GROUP BY doctor_id, at) moments
        WINDOW w AS (PARTITION BY doctor_id ORDER BY at)) stretches
    GROUP BY doctor_id"""


def utilisation_facts(scope: Scope, period: Period) -> Facts:
    """Shifts, visits and no-shows as clipped intervals."""
    low = day_start(period.first, scope.tz)
    high = max(low, min(day_end(period.last, scope.tz), scope.t_end))
    values = {
        "epoch": Macro(epoch_of),
        "low": instant_literal(low),
        "high": instant_literal(high),
        "low_s": int(low.timestamp()),
        "high_s": int(high.timestamp()),
        "only_shifts": only_shifts(scope),
    }
    return Facts(scope, SPANS, ("kind", "id"), values=values)


def only_shifts(scope: Scope) -> str:
    doctor = f"AND s.doctor_id IN {id_list(scope.doctor)}" if scope.doctor else ""
    return doctor + (f" AND (s.branch_id IS NULL OR s.branch_id IN {id_list(scope.branch)})" if scope.branch else "")


def utilisation(scope: Scope, period: Period) -> dict[str, Any]:
    """M27. {doctor: {shift_seconds, worked, sold}} of every doctor."""
    found = {row["doctor_id"]: row for row in utilisation_facts(scope, period).ask(STRETCHES)}
    nothing = {"shift": 0, "worked": 0, "sold": 0}
    codes = sorted(codes_of("doctor").items(), key=lambda pair: pair[1])
    return {code: load_row(found.get(pk, nothing)) for pk, code in codes}


def load_row(row: dict[str, Any]) -> dict[str, Any]:
    shift, worked, sold = (int(row[name] or 0) for name in ("shift", "worked", "sold"))
    return {"shift_seconds": shift, "worked": ratio(worked, shift), "sold": ratio(sold, shift)}
