"""Lifetime value: M04 ltv_historical, M05 ltv_formula, M06 ltv_horizon, M07 ltv_by."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from core.money import mean_money, money_text, ratio, round_half_away
from loyalty.metrics.groups import CTES as GROUP_CTES
from loyalty.metrics.groups import GROUPINGS, NAMED_BY
from patients.metrics import Facts, Scope
from patients.metrics.codes import codes_of

MONEY = """
    SELECT 'patient' AS kind, a.person AS patient_id, COALESCE(e.revenue, 0) AS revenue, a.cost
    FROM acquired a LEFT JOIN earned e ON e.person = a.person
    UNION ALL
    SELECT 'outsider', e.person, e.revenue, 0 FROM earned e LEFT JOIN life l ON l.person = e.person
    WHERE l.person IS NULL"""
PARTS = """
    SELECT a.person AS patient_id, a.d0, a.dl, COALESCE(c.paid_visits, 0) AS paid_visits,
        COALESCE(c.paid_sum, 0) AS paid_sum, a.cost
    FROM acquired a LEFT JOIN paid c ON c.person = a.person"""
PAID = """
    SELECT person, COUNT(*) AS paid_visits, CAST(SUM(net) AS BIGINT) AS paid_sum
    FROM net WHERE net > 0 GROUP BY person"""
MONTHS = {
    # margin goes by the value date of money and the visit's date of costs
    "dated": """
        SELECT person, value_day AS day, amount AS revenue, amount AS margin FROM money
        UNION ALL SELECT person, day, 0, -cost FROM visited""",
    "began": """
        SELECT person, d0, {month:d0} AS m0, {dom:d0} AS dom0 FROM acquired WHERE truncated = 0""",
    "aged": """
        SELECT person, d0, m0, dom0, {index:{tomorrow}|m0|dom0} AS observed FROM began""",
}
# Every acquired patient has a row of month 0: the visit of d0 puts one there, even if it was free.
BY_MONTH = """
    SELECT patient_id, d0, observed, month,
        CAST(SUM(revenue) AS BIGINT) AS revenue, CAST(SUM(margin) AS BIGINT) AS margin
    FROM (SELECT a.person AS patient_id, a.d0, a.observed, d.revenue, d.margin, {index:d.day|a.m0|a.dom0} AS month
        FROM aged a JOIN dated d ON d.person = a.person) e
    WHERE month < {months}
    GROUP BY patient_id, d0, observed, month"""


def ltv_historical_facts(scope: Scope) -> Facts:
    """Acquired patients with their money and cost; `outsider` = a person with money and without a visit."""
    return Facts(scope, MONEY, ("kind", "patient_id"))


def ltv_historical(scope: Scope) -> dict[str, Any]:
    """M04."""
    rows = ltv_historical_facts(scope).ask(
        "SELECT kind, COUNT(*) AS n, SUM(revenue) AS revenue, SUM(cost) AS cost FROM fact GROUP BY kind"
    )
    found = {row["kind"]: row for row in rows}
    nothing = {"n": 0, "revenue": 0, "cost": 0}
    us, others = found.get("patient", nothing), found.get("outsider", nothing)
    n, revenue, margin = us["n"], int(us["revenue"]), int(us["revenue"] - us["cost"])
    return {
        "patients": n,
        "revenue": money_text(revenue),
        "margin": money_text(margin),
        "ltv_revenue": mean_money(revenue, n),
        "ltv_margin": mean_money(margin, n),
        "money_outside_acquired": money_text(int(others["revenue"])),
    }


def ltv_formula_facts(scope: Scope) -> Facts:
    return Facts(scope, PARTS, ("patient_id",), ctes={"paid": PAID})


def ltv_formula(scope: Scope) -> dict[str, Any]:
    """M05. Lengths are in 1/487 of a month: max(487, 16 * days) a patient."""
    (row,) = ltv_formula_facts(scope).ask(
        "SELECT COUNT(*) AS n, SUM(paid_visits) AS visits, SUM(paid_sum) AS revenue, SUM(cost) AS cost, "
        "SUM(CASE WHEN 16 * (dl - d0) > 487 THEN 16 * (dl - d0) ELSE 487 END) AS lengths FROM fact"
    )
    n, visits, revenue, cost, lengths = (int(row[k] or 0) for k in ("n", "visits", "revenue", "cost", "lengths"))
    return {
        "patients": n,
        "paid_visits": visits,
        "average_check": mean_money(revenue, visits),
        "lifespan_months": ratio(lengths, 487 * n),
        "sales_per_year": ratio(12 * 487 * visits, lengths),
        "profit_share": ratio(revenue - cost, revenue),
        "simple": mean_money(revenue, n),
        "full": mean_money(revenue - cost, n),
    }


def ltv_horizon_facts(scope: Scope, months: int) -> Facts:
    """A patient's money and margin by month after d0; `observed` = complete months that lie behind the patient."""
    values = {"months": months, "tomorrow": scope.day + 1}
    return Facts(scope, BY_MONTH, ("patient_id", "month"), ctes=MONTHS, values=values)


def ltv_horizon(scope: Scope, months: int) -> dict[str, Any]:
    """M06."""
    rows = ltv_horizon_facts(scope, months).ask(
        "SELECT observed, month, COUNT(*) AS n, SUM(revenue) AS revenue, SUM(margin) AS margin "
        "FROM fact GROUP BY observed, month"
    )
    return {measure: horizon(rows, months, measure) for measure in ("revenue", "margin")}


def horizon(rows: list[dict[str, Any]], months: int, measure: str) -> dict[str, Any]:
    """Rows of (observed, month, n, revenue, margin): the mature mean, and the chained sum of monthly means."""
    patients = {row["observed"]: row["n"] for row in rows if row["month"] == 0}
    mature = sum(n for observed, n in patients.items() if observed >= months)
    total = int(sum(row[measure] for row in rows if row["observed"] >= months))
    means = [mean_of_month(rows, patients, k, measure) for k in range(months)]
    return {
        "mature_patients": mature,
        "mature_sum": money_text(total),
        "ltv_mature": mean_money(total, mature),
        "ltv_chained": chained(means),
    }


def mean_of_month(rows: Iterable[dict[str, Any]], patients: dict[int, int], k: int, measure: str) -> Fraction | None:
    """Mean money of month k over the patients who have lived it whole; None if nobody has."""
    seen = sum(n for observed, n in patients.items() if observed > k)
    total = sum(int(row[measure]) for row in rows if row["month"] == k and row["observed"] > k)
    return Fraction(total, seen) if seen else None


def chained(means: list[Fraction | None]) -> str | None:
    known = [mean for mean in means if mean is not None]
    if len(known) < len(means):
        return None
    total = sum(known, Fraction(0))
    return money_text(round_half_away(total.numerator, total.denominator))


def ltv_by_facts(scope: Scope, by: str) -> Facts:
    """Acquired patients with their group `grp`. By diagnosis_any a patient stands in several rows."""
    codes = {"grp": NAMED_BY[by]} if by in NAMED_BY else {}
    return Facts(scope, GROUPINGS[by], ("patient_id", "grp"), ctes=GROUP_CTES, codes=codes)


def ltv_by(scope: Scope, by: str) -> dict[str, Any]:
    """M07. {group: M04 of it}; groups are codes of channels and doctors, ICD-10 codes, or words."""
    rows = ltv_by_facts(scope, by).ask(
        "SELECT grp, COUNT(*) AS n, SUM(revenue) AS revenue, SUM(cost) AS cost FROM fact GROUP BY grp"
    )
    names = {str(pk): code for pk, code in codes_of(NAMED_BY[by]).items()} if by in NAMED_BY else {}
    return dict(sorted((names.get(row["grp"], row["grp"]), group_row(row)) for row in rows))


def group_row(row: dict[str, Any]) -> dict[str, Any]:
    revenue, margin = int(row["revenue"]), int(row["revenue"] - row["cost"])
    return {
        "patients": row["n"],
        "revenue": money_text(revenue),
        "ltv_revenue": mean_money(revenue, row["n"]),
        "ltv_margin": mean_money(margin, row["n"]),
    }
