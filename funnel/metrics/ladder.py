"""The product ladder: M23 product_funnel."""

from __future__ import annotations

from typing import Any

from core.money import ratio
from patients.metrics import Facts, Period, Scope
from patients.metrics.facts import days

LADDER_DAYS = 180
PAIRS = (
    ("lead_magnet", "tripwire"),
    ("tripwire", "core"),
    ("core", "maximizer"),
    ("core", "return"),
    ("lead_magnet", "core"),
)
STEPS = {
    "fresh": "SELECT person, d0 FROM acquired WHERE truncated = 0 AND d0 BETWEEN {first} AND {last}",
    "held": """
        SELECT DISTINCT v.person, s.tier, v.day
        FROM fresh f JOIN visited v ON v.person = f.person JOIN patients_visititem i ON i.visit_id = v.id
            JOIN patients_service s ON s.id = i.service_id""",
    "begun": "SELECT person, tier, MIN(day) AS day FROM held GROUP BY person, tier",
    "pair": "{pairs}",
    "passed": """
        SELECT b.person, b.tier || '>' || r.later AS kind, b.day, MIN(h.day) AS next_day
        FROM begun b JOIN pair r ON r.earlier = b.tier
            LEFT JOIN held h ON h.person = b.person AND h.tier = r.later AND h.day >= b.day
        GROUP BY b.person, b.tier, r.later, b.day""",
}
# Kinds: `patient` new in the period; a tier, with the day of its first item; a pair "a>b", with the first b after a.
LADDER = """
    SELECT 'patient' AS kind, f.person AS patient_id, f.d0 AS index_day, CAST(NULL AS INTEGER) AS next_day, 1 AS mature,
        0 AS success
    FROM fresh f
    UNION ALL
    SELECT b.tier, b.person, b.day, CAST(NULL AS INTEGER), 1, 0 FROM begun b
    UNION ALL
    SELECT p.kind, p.person, p.day, p.next_day, CASE WHEN p.day + {n} <= {D} THEN 1 ELSE 0 END,
        CASE WHEN p.day + {n} <= {D} AND p.next_day <= p.day + {n} THEN 1 ELSE 0 END
    FROM passed p"""


def product_funnel_facts(scope: Scope, period: Period, window: int = LADDER_DAYS) -> Facts:
    """Patients new in the period, the steps that each has reached, and the ways from step to step.

    A filter by branch or doctor: as if only those visits existed, so also who is new.
    """
    pairs = " UNION ALL ".join(f"SELECT '{a}' AS earlier, '{b}' AS later" for a, b in PAIRS)
    values = days(period) | {"n": window, "pairs": pairs}
    return Facts(scope, LADDER, ("kind", "patient_id"), ctes=STEPS, values=values)


def product_funnel(scope: Scope, period: Period, window: int = LADDER_DAYS) -> dict[str, Any]:
    """M23. {patients, reach: {tier: number}, pairs: {"a>b": share}}. Free items count."""
    rows = product_funnel_facts(scope, period, window).ask(
        "SELECT kind, COUNT(*) AS n, SUM(mature) AS mature, SUM(success) AS success FROM fact GROUP BY kind"
    )
    found = {row["kind"]: row for row in rows}
    nothing = {"mature": 0, "success": 0, "n": 0}
    pairs = {f"{a}>{b}": found.pop(f"{a}>{b}", nothing) for a, b in PAIRS}
    patients = found.pop("patient", nothing)["n"]
    return {
        "patients": patients,
        "reach": {tier: found[tier]["n"] for tier in sorted(found)},
        "pairs": {name: ratio(int(row["success"]), int(row["mature"])) for name, row in pairs.items()},
    }
