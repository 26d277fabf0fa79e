"""M16 repeat_rate: does the next visit-day come within N days?"""

from __future__ import annotations

from typing import Any

from core.money import ratio
from patients.metrics import Facts, Period, Scope
from patients.metrics.facts import days

# Existing: known before the period; the index is the first visit-day in it, i.e. the one whose forerunner lies before.
SUBJECTS = """
    SELECT kind, patient_id, index_day, next_day, CASE WHEN index_day + {n} <= {D} THEN 1 ELSE 0 END AS mature,
        CASE WHEN index_day + {n} <= {D} AND next_day <= index_day + {n} THEN 1 ELSE 0 END AS success
    FROM (
        SELECT 'primary' AS kind, c.person AS patient_id, c.day AS index_day, c.next AS next_day
        FROM chain c JOIN acquired a ON a.person = c.person
        WHERE c.prev IS NULL AND c.day BETWEEN {first} AND {last} AND a.truncated = 0
        UNION ALL
        SELECT 'existing', c.person, c.day, c.next FROM chain c
        WHERE c.prev < {first} AND c.day BETWEEN {first} AND {last}) s"""


def repeat_rate_facts(scope: Scope, period: Period, days_after: int) -> Facts:
    return Facts(scope, SUBJECTS, ("kind", "patient_id"), values=days(period) | {"n": days_after})


def repeat_rate(scope: Scope, period: Period, days_after: int) -> dict[str, Any]:
    """M16. {primary, existing: {num, den, value, immature}}."""
    rows = repeat_rate_facts(scope, period, days_after).ask(
        "SELECT kind, COUNT(*) AS n, SUM(mature) AS mature, SUM(success) AS success FROM fact GROUP BY kind"
    )
    found = {row["kind"]: row for row in rows}
    return {kind: repeat_row(found.get(kind)) for kind in ("primary", "existing")}


def repeat_row(row: dict[str, Any] | None) -> dict[str, Any]:
    n, mature, success = (int(row[name]) if row else 0 for name in ("n", "mature", "success"))
    return {**ratio(success, mature), "immature": n - mature}
