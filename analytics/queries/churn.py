"""M15 of every year at once: the counts of `churn_year`, one question for all years. A test holds both side by side."""

from __future__ import annotations

from datetime import date
from typing import Any

from analytics.metrics.replacement import replacement
from core.clock import day_number
from funnel.metrics import cac_facts
from loyalty.metrics import churn_result
from patients.metrics import Period, Scope
from patients.metrics.facts import share

MOST_YEARS = 10
CTES = {
    "marked": """
        SELECT y.year, c.person, 1 AS started, 0 AS came, 0 AS back, 0 AS gone, CAST(NULL AS INTEGER) AS last_seen
        FROM years y JOIN chain c ON c.day < y.first AND c.day + {theta} >= y.first
        UNION ALL
        SELECT ({month:d0} - 1) / 12, person, 0, 1, 0, 0, NULL FROM acquired WHERE truncated = 0
        UNION ALL
        SELECT ({month:day} - 1) / 12, person, 0, 0, 1, 0, NULL FROM chain WHERE day - prev > {theta}
        UNION ALL
        SELECT ({month:day + {theta}} - 1) / 12, person, 0, 0, 0, 1, day FROM chain
        WHERE (next IS NULL OR next > day + {theta}) AND day + {theta} <= {D}""",
    "person_year": """
        SELECT year, person, MAX(started) AS active_at_start, MAX(came) AS is_new, MAX(back) AS reactivated,
            MAX(gone) AS lost, MIN(last_seen) AS last_seen
        FROM marked GROUP BY year, person""",
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
    LEFT JOIN reasoned r ON r.year = g.year AND r.person = g.person
    WHERE g.year BETWEEN {low} AND {high} GROUP BY g.year ORDER BY g.year"""


def churn_years(scope: Scope, ends: dict[int, int], *, priced: bool = True) -> dict[int, dict[str, Any]]:
    """{year: M15}. `ends`: active patients at the end of each wanted year (the bridge knows them).

    Not `priced`: without the cost of replacement, one question less.
    """
    years = sorted(ends)[-MOST_YEARS:]
    if not years:
        return {}
    starts = " UNION ALL ".join(f"SELECT {year} AS year, {day_number(date(year, 1, 1))} AS first" for year in years)
    sums = ", ".join(f"{share(condition)} AS {name}" for name, condition in COUNTS.items())
    rows = scope.ask(QUESTION, {"years": starts, **CTES}, sums=sums, low=years[0], high=years[-1])
    found = {row["year"]: {name: int(row[name] or 0) for name in COUNTS} for row in rows}
    costs = _cost_of_new(scope, years) if priced else {}
    return {
        year: _result(found.get(year, dict.fromkeys(COUNTS, 0)), ends[year], *costs.get(year, (0, 0))) for year in years
    }


def _result(counts: dict[str, int], end: int, spend: int, new: int) -> dict[str, Any]:
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
