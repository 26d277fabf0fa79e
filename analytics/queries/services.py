"""What is sold: M33 with the names of the services."""

from __future__ import annotations

from typing import Any

from patients.metrics import Period, Scope, revenue_by_service_facts


def sold(scope: Scope, period: Period) -> list[dict[str, Any]]:
    """Services by list amount, largest first: {name, tier, quantity, amount, cost, margin}, minor units."""
    rows = revenue_by_service_facts(scope, period).ask(
        "SELECT s.name, f.tier, COUNT(*) AS quantity, SUM(f.amount) AS amount, SUM(f.cost) AS cost "
        "FROM fact f JOIN patients_service s ON s.id = f.service_id "
        "GROUP BY f.service_id, s.name, f.tier ORDER BY SUM(f.amount) DESC, f.service_id"
    )
    numbers = ("quantity", "amount", "cost")
    sums = [{name: int(row[name]) for name in numbers} for row in rows]
    return [
        {"name": row["name"], "tier": row["tier"], **found, "margin": found["amount"] - found["cost"]}
        for row, found in zip(rows, sums, strict=True)
    ]


def by_tier(services: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same by step of the product ladder, largest first."""
    tiers: dict[str, dict[str, Any]] = {}
    for row in services:
        sums = tiers.setdefault(row["tier"], {"tier": row["tier"], "quantity": 0, "amount": 0, "cost": 0, "margin": 0})
        for name in ("quantity", "amount", "cost", "margin"):
            sums[name] += row[name]
    return sorted(tiers.values(), key=lambda row: -row["amount"])
