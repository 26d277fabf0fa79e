"""Money of visits: M01 average_check, M02 visit_frequency, M33 revenue_by_service."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from typing import Any

from core.money import mean_money, money_text, ratio
from patients.metrics.base import Period, Scope
from patients.metrics.codes import codes_of
from patients.metrics.facts import Facts, days, share

CHECKS = """
    SELECT 'visit' AS kind, v.id, v.person AS patient_id, v.day, COALESCE(n.net, 0) AS amount, v.doctor_id, v.branch_id
    FROM visited v LEFT JOIN net n ON n.id = v.id
    UNION ALL
    SELECT 'payment', m.id, m.person, m.day, m.amount, NULL, NULL FROM money m"""
VISITS = "SELECT v.id, v.person AS patient_id, v.day, v.doctor_id, v.branch_id FROM visited v"
ITEMS = """
    SELECT i.id, v.id AS visit_id, v.person AS patient_id, v.day, i.service_id, s.tier, i.amount, i.cost
    FROM visited v JOIN patients_visititem i ON i.visit_id = v.id JOIN patients_service s ON s.id = i.service_id"""


def average_check_facts(scope: Scope, period: Period) -> Facts:
    """Visits of the period with their net, and payments (+) and refunds (-) by their own date: the cash flow."""
    return Facts(scope, CHECKS, ("kind", "id"), values=scope.windows(period))


def average_check(scope: Scope, period: Period) -> dict[str, Any]:
    """M01. Money as decimal strings."""
    rows = average_check_facts(scope, period).ask(
        f"SELECT kind, COUNT(*) AS n, SUM(amount) AS total, {share('amount > 0')} AS paid, "
        "SUM(CASE WHEN amount > 0 THEN amount ELSE 0 END) AS paid_sum FROM fact GROUP BY kind"
    )
    found = {row["kind"]: row for row in rows}
    nothing = {"n": 0, "total": 0, "paid": 0, "paid_sum": 0}
    visits, cash = found.get("visit", nothing), found.get("payment", nothing)
    return check_result(int(visits["n"]), int(visits["paid"]), int(visits["paid_sum"]), int(visits["total"])) | {
        "cash_flow": money_text(int(cash["total"]))
    }


def check_result(visits: int, paid: int, paid_sum: int, net_sum: int) -> dict[str, Any]:
    return {
        "completed_visits": visits,
        "paid_visits": paid,
        "paid_sum": money_text(paid_sum),
        "average_check": mean_money(paid_sum, paid),
        "net_sum": money_text(net_sum),
        "revenue_per_completed_visit": mean_money(net_sum, visits),
    }


def visit_frequency_facts(scope: Scope, period: Period) -> Facts:
    return Facts(scope, VISITS, ("id",), values=scope.windows(period))


def visit_frequency(scope: Scope, period: Period) -> dict[str, Any]:
    """M02."""
    (row,) = visit_frequency_facts(scope, period).ask(
        "SELECT COUNT(*) AS visits, COUNT(DISTINCT patient_id) AS patients FROM fact"
    )
    return {"visits_per_active_patient": ratio(row["visits"], row["patients"])}


def revenue_by_service_facts(scope: Scope, period: Period) -> Facts:
    values = scope.windows(period) | days(period)
    return Facts(scope, ITEMS, ("id",), values=values)


def revenue_by_service(scope: Scope, period: Period) -> dict[str, Any]:
    """M33. List amounts, not cash. Keys: service codes, `total`, `tiers`."""
    rows = revenue_by_service_facts(scope, period).ask(
        "SELECT service_id, tier, COUNT(*) AS quantity, SUM(amount) AS amount, SUM(cost) AS cost "
        "FROM fact GROUP BY service_id, tier"
    )
    codes = codes_of("service")
    tiers: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tiers.setdefault(row["tier"], []).append(row)
    return {
        **dict(sorted((codes[row["service_id"]], service_row([row])) for row in rows)),
        "total": service_row(rows),
        "tiers": {tier: service_row(tiers[tier]) for tier in sorted(tiers)},
    }


def service_row(rows: list[dict[str, Any]]) -> dict[str, Any]:
    quantity, amount, cost = (int(sum(row[name] for row in rows)) for name in ("quantity", "amount", "cost"))
    return {
        "quantity": quantity,
        "amount": money_text(amount),
        "cost": money_text(cost),
        "margin": money_text(amount - cost),
    }
