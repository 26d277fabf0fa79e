"""M15 of every year at once: the counts of `churn_year`, one question for all years. A test holds both side by side."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from analytics.metrics.replacement import replacement
from analytics.queries.stays import CTES as STAYS
from analytics.queries.together import Asked, Rows, ask_together
from core.clock import day_number
from funnel.metrics import cac_facts
from loyalty.metrics import churn_result
from patients.metrics import Period, Scope
from patients.metrics.facts import share

MOST_YEARS = 10
A_YEAR_AGO = 0  # in place of a year: the year of the same day a year ago, up to that day
CTES = STAYS | {
    "person_year": """
        SELECT y.year, s.person, MAX(CASE WHEN s.since < y.first THEN 1 ELSE 0 END) AS active_at_start,
            MAX(CASE WHEN s.since >= y.first AND s.kind = 'new' THEN 1 ELSE 0 END) AS is_new,
            MAX(CASE WHEN s.since >= y.first AND s.kind = 'returned' THEN 1 ELSE 0 END) AS reactivated,
            MAX(CASE WHEN s.until + {theta} <= y.last THEN 1 ELSE 0 END) AS lost,
            MIN(CASE WHEN s.until + {theta} <= y.last THEN s.until END) AS last_seen
        FROM years y JOIN stay s ON s.since <= y.last AND s.until + {theta} >= y.first
        GROUP BY y.year, s.person""",
    "reasoned": """
        SELECT g.year, g.person, MAX(CASE WHEN p.natural_churn_reason = 'recovered' THEN 0 ELSE 1 END) AS left_us
        FROM person_year g JOIN patients_patient p ON COALESCE(p.canonical_id, p.id) = g.person
        WHERE g.lost = 1 AND p.natural_churn_reason IN ('moved', 'died', 'income', 'recovered')
            AND {day:p.natural_churn_date} BETWEEN g.last_seen AND g.last_seen + {theta}
        GROUP BY g.year, g.person""",
}
COUNTS = {
    "active_at_start": "active_at_start = 1",
    "new": "is_new = 1",
    "reactivated": "reactivated = 1",
    "base": "active_at_start + is_new + reactivated > 0",
    "lost": "lost = 1",
    "lost_natural": "left_us = 1",
    "lost_recovered": "left_us = 0",
    "lost_avoidable": "lost = 1 AND left_us IS NULL",
    "lost_of_active": "lost = 1 AND active_at_start = 1",
}
QUESTION = """
    SELECT g.year, {sums} FROM person_year g
    LEFT JOIN reasoned r ON r.year = g.year AND r.person = g.person GROUP BY g.year"""


def years_asked(scope: Scope, years: Iterable[int], year_ago: date | None = None) -> Asked:
    """The counts of these years and, under A_YEAR_AGO, of the year of that day as they were at its end.

    Danger: the latter only where `stays.shows_the_same`.
    """
    spans = [(year, Period(date(year, 1, 1), min(date(year, 12, 31), scope.as_of))) for year in years]
    if year_ago:
        spans.append((A_YEAR_AGO, Period(date(year_ago.year, 1, 1), year_ago)))
    rows = " UNION ALL ".join(
        f"SELECT {year} AS year, {day_number(span.first)} AS first, {day_number(span.last)} AS last"
        for year, span in spans
    )
    sums = ", ".join(f"CAST({share(condition)} AS BIGINT) AS {name}" for name, condition in COUNTS.items())
    return Asked(QUESTION.format(sums=sums), ("year", *COUNTS), {"years": rows, **CTES})


def years_of(rows: Rows, ends: dict[int, int]) -> dict[int, dict[str, Any]]:
    """{year: M15} without the cost of replacement. `ends`: active patients at the end of each wanted year."""
    found = _counts(rows)
    return {year: _result(found.get(year), end, 0, 0) for year, end in ends.items()}


def churn_years(scope: Scope, ends: dict[int, int]) -> dict[int, dict[str, Any]]:
    """{year: M15}. `ends`: active patients at the end of each wanted year (the bridge knows them)."""
    years = latest(ends)
    if not years:
        return {}
    found = _counts(ask_together(scope, {"years": years_asked(scope, years)})["years"])
    costs = _cost_of_new(scope, years)
    return {year: _result(found.get(year), ends[year], *costs[year]) for year in years}


def latest(years: Iterable[int]) -> list[int]:
    """The years that a page shows, in order."""
    return sorted(years)[-MOST_YEARS:]


def _counts(rows: Rows) -> dict[int, dict[str, int]]:
    return {row["year"]: {name: int(row[name] or 0) for name in COUNTS} for row in rows}


def _result(counts: dict[str, int] | None, end: int, spend: int, new: int) -> dict[str, Any]:
    counts = counts or dict.fromkeys(COUNTS, 0)
    return churn_result({**counts, "active_at_end": end}) | replacement(spend, {**counts, "new": new})


def _cost_of_new(scope: Scope, years: list[int]) -> dict[int, tuple[int, int]]:
    """{year: (acquisition spend, new patients)}: M09 blended, not yet divided."""
    period = Period(date(years[0], 1, 1), date(years[-1], 12, 31))
    rows = cac_facts(scope, period).ask(
        "SELECT kind, ({month:day} - 1) / 12 AS year, COUNT(*) AS n, SUM(amount) AS amount "
        "FROM fact WHERE kind <> 'channel' GROUP BY 1, 2"
    )
    spend = {row["year"]: int(row["amount"]) for row in rows if row["kind"] == "spend"}
    new = {row["year"]: int(row["n"]) for row in rows if row["kind"] == "patient"}
    return {year: (spend.get(year, 0), new.get(year, 0)) for year in years}
