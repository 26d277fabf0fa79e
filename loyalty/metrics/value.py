"""M34 patient_value: one patient, whichever record of the merged group is named."""

from __future__ import annotations

from typing import Any

from core.clock import from_day_number
from core.money import mean_money, money_text, ratio
from loyalty.metrics.ltv import PAID
from patients.metrics import Facts, Scope

ONE = """
    SELECT b.person AS patient_id, COALESCE(l.visits, 0) AS visits, COALESCE(l.visit_days, 0) AS visit_days,
        COALESCE(c.paid_visits, 0) AS paid_visits, COALESCE(c.paid_sum, 0) AS paid_sum,
        COALESCE(e.revenue, 0) AS revenue, COALESCE(l.cost, 0) AS cost, l.d0, l.dl, o.doctor_id AS first_doctor_id
    FROM (SELECT DISTINCT person FROM member) b LEFT JOIN life l ON l.person = b.person
    LEFT JOIN paid c ON c.person = b.person LEFT JOIN earned e ON e.person = b.person
    LEFT JOIN opening o ON o.person = b.person"""


def patient_value_facts(scope: Scope) -> Facts:
    """`scope.records` = all records of the person. No row for a test person."""
    return Facts(scope, ONE, ("patient_id",), ctes={"paid": PAID})


def patient_value(scope: Scope, doctor_codes: dict[int, str]) -> dict[str, Any] | None:
    """M34; None for a test person."""
    rows = patient_value_facts(scope).ask("SELECT * FROM fact")
    if not rows:
        return None
    row = rows[0]
    money = {
        "visits": row["visits"],
        "visit_days": row["visit_days"],
        "paid_visits": row["paid_visits"],
        "revenue": money_text(row["revenue"]),
        "cost": money_text(row["cost"]),
        "margin": money_text(row["revenue"] - row["cost"]),
        "average_check": mean_money(row["paid_sum"], row["paid_visits"]),
    }
    return money | life(scope, row, doctor_codes)


def life(scope: Scope, row: dict[str, Any], doctor_codes: dict[int, str]) -> dict[str, Any]:
    if row["d0"] is None:
        return dict.fromkeys(("d0", "dl", "lifespan_months", "state", "first_doctor"))
    return {
        "d0": from_day_number(row["d0"]).isoformat(),
        "dl": from_day_number(row["dl"]).isoformat(),
        "lifespan_months": ratio(16 * (row["dl"] - row["d0"]), 487),
        "state": "active" if scope.day - row["dl"] <= scope.theta else "lost",
        "first_doctor": doctor_codes[row["first_doctor_id"]],
    }
