"""Who stays, who leaves, who is due: everything that the page of retention shows, as figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analytics.queries.board import bridges_of
from analytics.queries.churn import churn_years
from analytics.queries.flows import month_key
from analytics.queries.kept import numbered
from analytics.queries.lens import Lens
from analytics.queries.stays import crossings
from analytics.rules.periods import months_until
from loyalty.metrics import cadence, lifespan, lifespan_facts, overdue, recommendation_compliance, repeat_rate
from patients.metrics import Scope

REPEAT_DAYS = (30, 90, 180, 365)
CURVE_MONTHS = 60
Values = dict[str, Any]


@dataclass(frozen=True)
class Staying:
    """`curve`: share of patients not lost by month after the first visit; `bridge_months`: [(month, bridge)]."""

    years: dict[int, Values]
    bridges: dict[int, dict[str, int]]
    bridge_months: list[tuple[int, dict[str, int]]]
    repeats: dict[int, Values]
    lifespan: Values
    curve: list[float]
    overdue: Values
    compliance: Values
    cadence: Values

    @classmethod
    def restored(cls, kept: Values) -> Staying:
        """From the JSON in which a page keeps it."""
        named = {name: numbered(kept[name]) for name in ("years", "bridges", "repeats")}
        months = [(key, bridge) for key, bridge in kept["bridge_months"]]
        return cls(**{**kept, **named, "bridge_months": months})


def staying(lens: Lens) -> Staying:
    scope = lens.scope
    moves = crossings(scope)
    bridges = bridges_of(moves, scope)
    months = [month_key(first) for first, _last in months_until(scope.as_of, 12)]
    return Staying(
        years=churn_years(scope, {year: bridge["end"] for year, bridge in bridges.items()}),
        bridges=bridges,
        bridge_months=[(key, moves.between(key, key)) for key in months],
        repeats={days: repeat_rate(scope, lens.period, days) for days in REPEAT_DAYS},
        lifespan=lifespan(scope),
        curve=survival(scope),
        overdue=overdue(scope),
        compliance=recommendation_compliance(scope, lens.period),
        cadence=cadence(scope),
    )


def survival(scope: Scope) -> list[float]:
    """Kaplan-Meier: share of patients not yet gone, at the end of each month after the first visit, as far as seen.

    A patient is gone on the last visit-day; the threshold only tells us so later. So the curve is S(θ + time).
    """
    rows = lifespan_facts(scope).ask(
        "SELECT time, COUNT(*) AS n, SUM(event) AS events FROM fact GROUP BY time ORDER BY time"
    )
    left, share, curve = sum(int(row["n"]) for row in rows), 1.0, [1.0]
    reach = rows[-1]["time"] - scope.theta if rows else 0
    for row in rows:
        while row["time"] - scope.theta > len(curve) * 487 / 16 and len(curve) <= CURVE_MONTHS:
            curve.append(share)
        share *= 1 - int(row["events"]) / left
        left -= int(row["n"])
    return curve if reach > 0 else []
