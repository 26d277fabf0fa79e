"""Stays: runs of visit-days without a gap above θ. Who came, was lost and returned follows from their two ends (M14)."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics.queries.together import Asked, Rows, ask_together
from core.clock import day_number
from core.sql import fetch, instant_literal
from patients.metrics import Period, Scope

CTES = {
    # left-truncated patients: few or none, so nobody else is joined with the record of first touch
    "elder": """
        SELECT l.person FROM (SELECT person, day AS d0 FROM chain WHERE prev IS NULL) l {truncated_join}
        WHERE {truncated} = 1""",
    "turn": """
        SELECT c.person, c.day, CASE WHEN c.prev IS NULL THEN CASE WHEN k.person IS NULL THEN 'new' ELSE 'known' END
                WHEN c.day - c.prev > {theta} THEN 'returned' END AS kind,
            CASE WHEN c.next IS NULL OR c.next - c.day > {theta} THEN 1 ELSE 0 END AS final
        FROM chain c LEFT JOIN elder k ON k.person = c.person
        WHERE c.prev IS NULL OR c.day - c.prev > {theta} OR c.next IS NULL OR c.next - c.day > {theta}""",
    # kind: how it began; since, until: its first and its last visit-day. Its loss day is until + θ.
    "stay": """
        SELECT person, kind, day AS since, CASE WHEN final = 1 THEN day ELSE ahead END AS until
        FROM (SELECT t.*, LEAD(t.day) OVER (PARTITION BY t.person ORDER BY t.day) AS ahead FROM turn t) s
        WHERE kind IS NOT NULL""",
}
# Every crossing of the border between active and not: that is why the bridge adds up, in any span of months.
CROSSINGS = """
    SELECT {{month:day}} AS month, kind, {marks} CAST(SUM(n) AS BIGINT) AS n FROM (
        SELECT since AS day, kind, COUNT(*) AS n FROM stay GROUP BY since, kind
        UNION ALL
        SELECT until + {{theta}}, 'lost', COUNT(*) FROM stay WHERE until + {{theta}} <= {{D}} GROUP BY until) d
    GROUP BY {places}"""
KINDS = ("new", "known", "returned", "lost")


@dataclass(frozen=True)
class Crossings:
    """{(month, kind): how many}: new, known (known before the complete history began), returned, lost."""

    counts: dict[tuple[int, str], int]

    @classmethod
    def of(cls, rows: Rows, wanted: Callable[[Mapping[str, Any]], Any] = bool) -> Crossings:
        """From the wanted rows of `crossings_asked`."""
        counts: dict[tuple[int, str], int] = {}
        for row in rows:
            if wanted(row):
                key = (row["month"], row["kind"])
                counts[key] = counts.get(key, 0) + int(row["n"])
        return cls(counts)

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


def crossings_asked(**spans: Period) -> Asked:
    """The crossings by month and kind, and, for each named span, whether their day lies in it."""
    names = ("month", "kind", *spans)
    marks = "".join(f"{within('day', span)} AS {name}, " for name, span in spans.items())
    places = ", ".join(str(place) for place in range(1, len(names) + 1))
    return Asked(CROSSINGS.format(marks=marks, places=places), (*names, "n"), CTES)


def within(day: str, span: Period) -> str:
    """SQL: 1 where the day lies in the span, else 0."""
    return f"CASE WHEN {day} BETWEEN {day_number(span.first)} AND {day_number(span.last)} THEN 1 ELSE 0 END"


def crossings(scope: Scope) -> Crossings:
    return Crossings.of(ask_together(scope, {"moves": crossings_asked()})["moves"])


def shows_the_same(scope: Scope, then: Scope) -> bool:
    """Whether what was seen at the end of an earlier day is what is seen now and dated by then.

    Not so for a visit that was entered after that day though it had taken place by then. Few are; an index knows them.
    """
    rows = fetch(
        f"SELECT 1 FROM patients_visit WHERE booked_at > start_at AND start_at < {instant_literal(then.t_end)} "
        f"AND booked_at >= {instant_literal(then.t_end)} AND booked_at < {instant_literal(scope.t_end)} LIMIT 1"
    )
    return not rows
