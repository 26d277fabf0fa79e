"""Figures by calendar month, and by the two periods of a page, in one question each.

The rows come from the metrics' own facts, so every sum here is the metric's own figure; a test holds both side by side.
Months are `year * 12 + month`, as `core.sql` counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.rules.periods import Span
from core.clock import day_number
from core.money import round_half_away
from funnel.metrics import cac_facts
from loyalty.metrics.repeat import repeat_row
from patients.metrics import Facts, Period, Scope, average_check_facts, no_show_facts, rebooking_facts
from patients.metrics.facts import share

Row = Mapping[str, Any]
IN = "CASE WHEN day BETWEEN {low} AND {high} THEN 1 ELSE 0 END AS {name}"
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
    "cac": (cac_facts, "kind", "COUNT(*) AS n, SUM(amount) AS total"),
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
    marks = ", ".join(_mark(name, span) for name, span in (("now", period), ("before", before)))
    only = "WHERE kind <> 'channel'" if what == "cac" else ""
    shown = f"{kind} AS kind, {{month:day}} AS month, {marks}, {sums}"
    return Flow(facts.ask(f"SELECT {shown} FROM fact {only} GROUP BY 1, 2, 3, 4"))  # noqa: S608


def _mark(name: str, span: Period) -> str:
    return IN.format(low=day_number(span.first), high=day_number(span.last), name=name)


# Every crossing of the border between active and not: that is why the bridge adds up, in any span of months.
CROSSINGS = """
    SELECT {month:c.day} AS month, CASE WHEN c.prev IS NOT NULL THEN 'returned' WHEN a.truncated = 1 THEN 'known'
        ELSE 'new' END AS kind, COUNT(*) AS n
    FROM chain c JOIN acquired a ON a.person = c.person WHERE c.prev IS NULL OR c.day - c.prev > {theta} GROUP BY 1, 2
    UNION ALL
    SELECT {month:c.day + {theta}}, 'lost', COUNT(*) FROM chain c
    WHERE (c.next IS NULL OR c.next > c.day + {theta}) AND c.day + {theta} <= {D} GROUP BY 1"""
KINDS = ("new", "known", "returned", "lost")


@dataclass(frozen=True)
class Crossings:
    """{(month, kind): how many}: new, known (known before the complete history began), returned, lost."""

    counts: dict[tuple[int, str], int]

    def between(self, first: int, last: int) -> dict[str, int]:
        """Bridge of the months first..last: start + new + known + returned - lost = end."""
        inside = {kind: self._sum(kind, lambda m: first <= m <= last) for kind in KINDS}
        start = self.active_before(first)
        end = start + inside["new"] + inside["known"] + inside["returned"] - inside["lost"]
        return {"start": start, **inside, "end": end}

    def active_before(self, month: int) -> int:
        """Active patients when the month begins."""
        signs = {"lost": -1}
        return sum(signs.get(kind, 1) * self._sum(kind, lambda m: m < month) for kind in KINDS)

    @property
    def active(self) -> int:
        """Active patients at the end of the scope's day."""
        return sum(-n if kind == "lost" else n for (_month, kind), n in self.counts.items())

    def _sum(self, kind: str, wanted: Callable[[int], bool]) -> int:
        return sum(n for (month, name), n in self.counts.items() if name == kind and wanted(month))

    @property
    def first_month(self) -> int | None:
        return min((month for month, _kind in self.counts), default=None)


def crossings(scope: Scope) -> Crossings:
    rows = scope.ask(CROSSINGS)
    return Crossings({(row["month"], row["kind"]): int(row["n"]) for row in rows})


# Money counts from the day on which its payer is a patient, cost on the day of the visit: cumulated, that is M04.
WORTH = """
    SELECT month, SUM(patients) AS patients, CAST(SUM(revenue) AS BIGINT) AS revenue, CAST(SUM(cost) AS BIGINT) AS cost
    FROM (
        SELECT {month:d0} AS month, 1 AS patients, 0 AS revenue, 0 AS cost FROM life
        UNION ALL
        SELECT {month:CASE WHEN m.day > l.d0 THEN m.day ELSE l.d0 END}, 0, m.amount, 0
        FROM money m JOIN life l ON l.person = m.person
        UNION ALL
        SELECT {month:day}, 0, 0, cost FROM visited) parts
    GROUP BY month"""


def worth(scope: Scope, months: Iterable[int]) -> dict[int, dict[str, int]]:
    """{month: {patients, revenue, cost}} at its end, cumulated: M04. Late bookings count from their visit."""
    rows = scope.ask(WORTH)
    names = ("patients", "revenue", "cost")
    return {month: {name: sum(int(r[name]) for r in rows if r["month"] <= month) for name in names} for month in months}


# M16 of any number of periods: primary = first visit-day in it, existing = first in it of those who came before it.
REPEATS = """
    SELECT name, kind, COUNT(*) AS n, SUM(CASE WHEN day + {n} <= {D} THEN 1 ELSE 0 END) AS mature,
        SUM(CASE WHEN day + {n} <= {D} AND next <= day + {n} THEN 1 ELSE 0 END) AS success
    FROM (
        SELECT p.name, 'primary' AS kind, c.day, c.next FROM periods p JOIN chain c ON c.day BETWEEN p.first AND p.last
        JOIN acquired a ON a.person = c.person WHERE c.prev IS NULL AND a.truncated = 0
        UNION ALL
        SELECT p.name, 'existing', c.day, c.next FROM periods p JOIN chain c ON c.day BETWEEN p.first AND p.last
        WHERE c.prev < p.first) s
    GROUP BY name, kind"""


def repeats(scope: Scope, days: int, periods: Mapping[str, Period]) -> dict[str, dict[str, Any]]:
    """{name of a period: M16 of it}, one question for all of them. Names are ours: letters and digits."""
    spans = " UNION ALL ".join(
        f"SELECT '{name}' AS name, {day_number(span.first)} AS first, {day_number(span.last)} AS last"
        for name, span in periods.items()
    )
    rows = scope.ask(REPEATS, {"periods": spans}, n=days)
    found = {(row["name"], row["kind"]): row for row in rows}
    return {name: {kind: repeat_row(found.get((name, kind))) for kind in ("primary", "existing")} for name in periods}


def mean(total: int, count: int) -> int | None:
    """Minor units per one, rounded once; None for none."""
    return round_half_away(total, count) if count else None
