"""What patients are worth: everything that the page of value shows, as figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analytics.queries.cohorts import Cohort, cohorts
from analytics.queries.flows import mean
from analytics.queries.kept import numbered
from analytics.queries.lens import Lens
from core.money import parse_money
from loyalty.metrics import lifespan, ltv_by, ltv_formula, ltv_historical, ltv_horizon_facts, own_doctor, rfm
from loyalty.metrics.ltv import horizon
from patients.metrics import Scope

HORIZONS = (12, 36, 60)  # one, three and five years (R4)
MATURE = 100  # patients from which the mature mean is shown rather than the chained one (M06)
Values = dict[str, Any]

# R14: specialities of the doctors whom a patient has seen.
SPECIALITIES = """
    SELECT s.n, COUNT(*) AS patients, CAST(SUM(COALESCE(e.revenue, 0)) AS BIGINT) AS revenue,
        CAST(SUM(a.cost) AS BIGINT) AS cost
    FROM acquired a JOIN (
        SELECT v.person, COUNT(DISTINCT d.speciality) AS n FROM visited v JOIN staff_doctor d ON d.id = v.doctor_id
        GROUP BY v.person) s ON s.person = a.person
    LEFT JOIN earned e ON e.person = a.person
    GROUP BY s.n ORDER BY s.n"""


@dataclass(frozen=True)
class Worth:
    """`groups`: LTV by `by`, dearest first; `horizons`: {months: {revenue, margin: M06}}."""

    ltv: Values
    formula: Values
    lifespan: Values
    own: Values
    rfm: Values
    by: str
    groups: list[Values]
    specialities: list[Values]
    horizons: dict[int, Values]
    segments: list[Values]
    cohorts: list[Cohort]

    @classmethod
    def restored(cls, kept: Values) -> Worth:
        """From the JSON in which a page keeps it."""
        cohorts = [Cohort(**row) for row in kept["cohorts"]]
        return cls(**{**kept, "horizons": numbered(kept["horizons"]), "cohorts": cohorts})


def worth_of(lens: Lens, by: str) -> Worth:
    scope = lens.scope
    groups = grouped(scope, by)
    return Worth(
        ltv=ltv_historical(scope),
        formula=ltv_formula(scope),
        lifespan=lifespan(scope),
        own=own_doctor(scope),
        rfm=rfm(scope),
        by=by,
        groups=groups,
        specialities=specialities(scope),
        horizons=horizons(scope),
        cohorts=cohorts(scope),
        segments=groups if by == "segment" else grouped(scope, "segment"),
    )


def grouped(scope: Scope, by: str) -> list[Values]:
    """M07, dearest by margin first: {code, patients, revenue, ltv_revenue, ltv_margin}, minor units."""
    rows = [
        {
            "code": code,
            "patients": row["patients"],
            **{k: _minor(row[k]) for k in ("revenue", "ltv_revenue", "ltv_margin")},
        }
        for code, row in ltv_by(scope, by).items()
    ]
    return sorted(rows, key=lambda row: (-row["ltv_margin"], row["code"]))


def _minor(text: str | None) -> int:
    return parse_money(text or "0.00")


def specialities(scope: Scope) -> list[Values]:
    return [
        {
            "n": row["n"],
            "patients": row["patients"],
            "ltv_revenue": mean(row["revenue"], row["patients"]),
            "ltv_margin": mean(row["revenue"] - row["cost"], row["patients"]),
        }
        for row in scope.ask(SPECIALITIES)
    ]


def horizons(scope: Scope) -> dict[int, Values]:
    """M06 of all horizons from one question: the months of the longest hold those of the others."""
    rows = ltv_horizon_facts(scope, max(HORIZONS)).ask(
        "SELECT observed, month, COUNT(*) AS n, SUM(revenue) AS revenue, SUM(margin) AS margin "
        "FROM fact GROUP BY observed, month"
    )
    return {
        months: {
            measure: horizon([row for row in rows if row["month"] < months], months, measure)
            for measure in ("revenue", "margin")
        }
        | {"patients": sum(row["n"] for row in rows if row["month"] == 0)}
        for months in HORIZONS
    }
