"""What is sold: M33 with the names of the services."""

from __future__ import annotations

from typing import Any

from patients.metrics import Period, Scope, revenue_by_service_facts
from patients.models import Service


def sold(scope: Scope, period: Period) -> list[dict[str, Any]]:
    """Services by list amount, largest first: {name, tier, quantity, amount, cost, margin}, minor units."""
    rows = revenue_by_service_facts(scope, period).ask(
        "SELECT service_id, tier, COUNT(*) AS quantity, SUM(amount) AS amount, SUM(cost) AS cost FROM fact "
        "GROUP BY service_id, tier ORDER BY SUM(amount) DESC, service_id"
    )
    names = dict(Service.objects.filter(id__in=[row["service_id"] for row in rows]).values_list("id", "name"))
    return [
        {
            "name": names[row["service_id"]],
            "tier": row["tier"],
            "quantity": int(row["quantity"]),
            "amount": int(row["amount"]),
            "cost": int(row["cost"]),
            "margin": int(row["amount"] - row["cost"]),
        }
        for row in rows
    ]


def by_tier(services: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same by step of the product ladder, largest first."""
    tiers: dict[str, dict[str, Any]] = {}
    for row in services:
        sums = tiers.setdefault(row["tier"], {"tier": row["tier"], "quantity": 0, "amount": 0, "cost": 0, "margin": 0})
        for name in ("quantity", "amount", "cost", "margin"):
            sums[name] += row[name]
    return sorted(tiers.values(), key=lambda row: -row["amount"])
