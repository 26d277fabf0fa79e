"""Figures by calendar month, and by the two periods of a page, in one question each.

The rows come from the metrics' own facts, so every sum here is the metric's own figure; a test holds both side by side.
Months are `year * 12 + month`, as `core.sql` counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.queries.stays import CTES as STAYS
from analytics.queries.stays import within
from analytics.queries.together import Asked, Rows
from analytics.rules.periods import Span
from core.clock import day_number
from core.money import round_half_away
from funnel.metrics import spend_facts
from loyalty.metrics.repeat import repeat_row
from patients.metrics import Facts, Period, Scope, average_check_facts, no_show_facts, rebooking_facts
from patients.metrics.base import CTES as BASE
from patients.metrics.facts import share

Row = Mapping[str, Any]
SUMS = {
    "check": (
        average_check_facts,
        "kind",
        f"COUNT(*) AS n, SUM(amount) AS total, {share('amount > 0')} AS paid, "
        "SUM(CASE WHEN amount > 0 THEN amount ELSE 0 END) AS paid_sum",
    ),
    "no_show": (no_show_facts, "status", "COUNT(*) AS n"),
    "rebooking": (
        rebooking_facts,
        "'visit'",
        f"COUNT(*) AS n, {share('rebooked = 1')} AS rebooked, {share('covered = 1')} AS covered",
    ),
    "spend": (spend_facts, "'spend'", "SUM(amount) AS total"),
}


def month_key(day: date) -> int:
    return day.year * 12 + day.month


@dataclass(frozen=True)
class Flow:
    """Rows of one question: kind, month, whether in the period (`now`) or the one before (`before`), and sums."""

    rows: list[dict[str, Any]]

    def total(self, name: str, kind: str, *, at: str = "", month: int = 0) -> int:
        """Sum of a column over one kind, in a period (`at`) or a month."""
        wanted = (r for r in self.rows if r["kind"] == kind and (r[at] if at else r["month"] == month))
        return int(sum(row[name] or 0 for row in wanted))


def flow(what: str, scope: Scope, period: Period, before: Period, months: list[Span]) -> Flow:
    """One question that answers for the period, the one before it and the months."""
    facts_of, kind, sums = SUMS[what]
    whole = Period(
        min(period.first, before.first, months[0][0]),
        max(period.last, before.last, months[-1][1]),
    )
    facts: Facts = facts_of(scope, whole)
    marks = ", ".join(f"{within('day', span)} AS {name}" for name, span in (("now", period), ("before", before)))
    shown = f"{kind} AS kind, {{month:day}} AS month, {marks}, {sums}"
    return Flow(facts.ask(f"SELECT {shown} FROM fact GROUP BY 1, 2, 3, 4"))  # noqa: S608


# Money counts from the day on which its payer is a patient, cost on the day of the visit: cumulated, that is M04.
WORTH = """
    SELECT {{month:day}} AS month, {early} AS early, CAST(SUM(patients) AS BIGINT) AS patients,
        CAST(SUM(revenue) AS BIGINT) AS revenue, CAST(SUM(cost) AS BIGINT) AS cost
    FROM (
        SELECT day, COUNT(*) AS patients, 0 AS revenue, 0 AS cost FROM chain WHERE prev IS NULL GROUP BY day
        UNION ALL
        SELECT CASE WHEN m.day > c.day THEN m.day ELSE c.day END, 0, SUM(m.amount), 0
        FROM money m JOIN chain c ON c.person = m.person WHERE c.prev IS NULL GROUP BY 1
        UNION ALL
        SELECT day, 0, 0, SUM(cost) FROM incurred GROUP BY day) parts
    GROUP BY 1, 2"""
TOTALS = ("patients", "revenue", "cost")


def worth_asked(until: Period) -> Asked:
    """M04 in steps: what each month added, apart for the days of `until` (`early`)."""
    text = WORTH.format(early=within("day", until))
    # Its own reading of the visits: named twice, they would be written down, with all their columns, to be read twice.
    return Asked(text, ("month", "early", *TOTALS), {"incurred": BASE["visited"]})


def worth_sum(rows: Rows) -> dict[str, int]:
    """{patients, revenue, cost} over the rows, minor units."""
    return {name: sum(int(row[name]) for row in rows) for name in TOTALS}


def worth_at(rows: Rows, months: Iterable[int]) -> dict[int, dict[str, int]]:
    """{month: {patients, revenue, cost}} at its end, cumulated: M04. Late bookings count from their visit."""
    return {month: worth_sum([row for row in rows if row["month"] <= month]) for month in months}


# M16 of any number of periods: primary = first visit-day in it, existing = first in it of those who came before it.
REPEATS = """
    SELECT p.name, CASE WHEN c.prev IS NULL THEN 'primary' ELSE 'existing' END AS kind, COUNT(*) AS n,
        SUM(CASE WHEN c.day + {n} <= {D} THEN 1 ELSE 0 END) AS mature,
        SUM(CASE WHEN c.day + {n} <= {D} AND c.next <= c.day + {n} THEN 1 ELSE 0 END) AS success
    FROM (SELECT * FROM chain WHERE day BETWEEN {earliest} AND {latest}) c
    JOIN periods p ON c.day BETWEEN p.first AND p.last LEFT JOIN elder k ON k.person = c.person
    WHERE c.prev < p.first OR (c.prev IS NULL AND k.person IS NULL)
    GROUP BY 1, 2"""


def repeats_asked(days: int, periods: Mapping[str, Period]) -> Asked:
    """M16 of all periods. Their names are ours: letters and digits."""
    spans = " UNION ALL ".join(
        f"SELECT '{name}' AS name, {day_number(span.first)} AS first, {day_number(span.last)} AS last"
        for name, span in periods.items()
    )
    values = {
        "n": days,
        "earliest": day_number(min(span.first for span in periods.values())),
        "latest": day_number(max(span.last for span in periods.values())),
    }
    columns = ("name", "kind", "n", "mature", "success")
    return Asked(REPEATS, columns, {"periods": spans, "elder": STAYS["elder"]}, values)


def repeats_of(rows: Rows, periods: Iterable[str]) -> dict[str, dict[str, Any]]:
    """{name of a period: M16 of it}"""
    found = {(row["name"], row["kind"]): row for row in rows}
    return {name: {kind: repeat_row(found.get((name, kind))) for kind in ("primary", "existing")} for name in periods}


def mean(total: int, count: int) -> int | None:
    """Minor units per one, rounded once; None for none."""
    return round_half_away(total, count) if count else None
