"""M15 as a whole: the counts are loyalty's, the price of a new patient is the funnel's; they meet here."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from core.money import money_text, round_half_away
from funnel.metrics import SPENT, spend_values
from loyalty.metrics import churn_counts, churn_facts, churn_result, year_of
from patients.metrics import Facts, Scope

WITH_SPEND = """
    SELECT c.*, 0 AS amount FROM churned c
    UNION ALL
    SELECT 'spend', s.id, NULL, NULL, 0, 0, 0, 0, NULL, NULL, NULL, 0, s.amount FROM spent s"""


def churn_year_facts(scope: Scope, year: int) -> Facts:
    """The patients of the year, and the acquisition spend (`kind` spend) that prices those who were lost."""
    facts = churn_facts(scope, year)
    ctes = {**facts.ctes, "churned": facts.text, "spent": SPENT}
    return replace(facts, text=WITH_SPEND, ctes=ctes, values=spend_values(scope, year_of(year)) | facts.values)


def churn_year(scope: Scope, year: int) -> dict[str, Any]:
    """M15."""
    facts = churn_year_facts(scope, year)
    counts = churn_counts(facts)
    (row,) = facts.ask("SELECT SUM(amount) AS spend FROM fact WHERE kind = 'spend'")
    return churn_result(counts) | replacement(int(row["spend"] or 0), counts)


def replacement(spend: int, counts: dict[str, int]) -> dict[str, str | None]:
    """What it costs to win as many patients as were lost, at the year's unrounded blended CAC."""
    if not counts["new"]:
        return dict.fromkeys(("cac_blended", "replacement_cost", "replacement_cost_avoidable"))
    cac = Fraction(spend, counts["new"])
    return {
        "cac_blended": rounded(cac),
        "replacement_cost": rounded(counts["lost"] * cac),
        "replacement_cost_avoidable": rounded(counts["lost_avoidable"] * cac),
    }


def rounded(minor: Fraction) -> str:
    return money_text(round_half_away(minor.numerator, minor.denominator))
