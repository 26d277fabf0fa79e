"""Cohorts: patients by the month of their first visit, and what they did month by month after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from analytics.queries.flows import month_key
from core.clock import add_months, month_index
from loyalty.metrics.ltv import MONTHS as MONTH_CTES
from patients.metrics import Scope

COHORTS = 24
COLUMNS = 13  # the month of the first visit and twelve after it
VISITED = """
    SELECT b.m0, {index:c.day|b.m0|b.dom0} AS k, COUNT(DISTINCT b.person) AS n
    FROM began b JOIN chain c ON c.person = b.person WHERE b.m0 >= {since} GROUP BY 1, 2"""
EARNED = """
    SELECT b.m0, {index:d.day|b.m0|b.dom0} AS k, CAST(SUM(d.revenue) AS BIGINT) AS revenue,
        CAST(SUM(d.margin) AS BIGINT) AS margin
    FROM began b JOIN dated d ON d.person = b.person WHERE b.m0 >= {since} GROUP BY 1, 2"""


@dataclass(frozen=True)
class Cohort:
    """`key`: month of the first visit; by month after it who came and their money; from `young` on incomplete."""

    key: int
    size: int
    came: list[int]
    revenue: list[int]
    margin: list[int]
    young: int

    def cells(self, what: str) -> list[tuple[int, int]]:
        """(sum, patients) of each month that has begun for somebody."""
        return [(value, self.size) for value in getattr(self, what)]


def cohorts(scope: Scope) -> list[Cohort]:
    """The latest COHORTS months with new patients; those of incomplete history are left out. Two questions."""
    since = month_key(scope.as_of) - COHORTS + 1
    came, earned = (scope.ask(text, MONTH_CTES, since=since, tomorrow=scope.day + 1) for text in (VISITED, EARNED))
    sizes = {row["m0"]: row["n"] for row in came if row["k"] == 0}
    return [_cohort(key, sizes[key], came, earned, scope.as_of) for key in sorted(sizes)]


def _cohort(key: int, size: int, came: list[dict[str, Any]], earned: list[dict[str, Any]], as_of: date) -> Cohort:
    year, month0 = divmod(key - 1, 12)
    first = date(year, month0 + 1, 1)
    last = add_months(first, 1) - timedelta(days=1)
    begun = min(month_index(as_of, first) + 1, COLUMNS)
    columns = {
        name: {row["k"]: int(row[name]) for row in rows if row["m0"] == key}
        for name, rows in (("n", came), ("revenue", earned), ("margin", earned))
    }
    full = month_index(as_of + timedelta(days=1), last) if as_of >= last else 0
    values = {name: [found.get(k, 0) for k in range(begun)] for name, found in columns.items()}
    return Cohort(key, size, values["n"], values["revenue"], values["margin"], full)
