"""Everything that the dashboard shows, as figures: tiles (now, before, twelve months), months, bridge, services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

from analytics.queries.churn import A_YEAR_AGO, MOST_YEARS, latest, years_asked, years_of
from analytics.queries.flows import (
    Flow,
    flow,
    mean,
    month_key,
    repeats_asked,
    repeats_of,
    worth_asked,
    worth_at,
    worth_sum,
)
from analytics.queries.kept import numbered
from analytics.queries.lens import Lens
from analytics.queries.services import sold
from analytics.queries.stays import Crossings, crossings_asked, shows_the_same
from analytics.queries.together import Rows, ask_together
from analytics.rules.periods import Span, months_until
from core.clock import add_months
from core.money import ratio
from patients.metrics import Period, Scope

SPARK_MONTHS = 12
REPEAT_DAYS = 90
FLOWS = ("check", "no_show", "rebooking", "spend")
Values = dict[str, Any]


@dataclass(frozen=True)
class Board:
    """`now` and `before`: {figure: int (count or minor units), None or {num, den, value}}.

    `months`: the same by month of `spans`; `years`: M15 by year; `bridges`: {year: bridge}; `services`: see `sold`.
    """

    now: Values
    before: Values
    months: list[Values]
    spans: list[Span]
    years: dict[int, Values]
    bridges: dict[int, dict[str, int]]
    services: list[Values]
    empty: bool

    @classmethod
    def restored(cls, kept: Values) -> Board:
        """From the JSON in which a page keeps it."""
        spans = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in kept["spans"]]
        years = {name: numbered(kept[name]) for name in ("years", "bridges")}
        return cls(**{**kept, "spans": spans, **years})


def board(lens: Lens) -> Board:
    """The number of questions depends neither on the data nor on the length of the period."""
    scope, spans = lens.scope, months_until(lens.scope.as_of, SPARK_MONTHS)
    flows = {what: flow(what, scope, lens.period, lens.before, spans) for what in FLOWS}
    found = _standing(lens, spans)
    moves = Crossings.of(found["moves"])
    bridges = bridges_of(moves, scope)
    ends = {year: bridges[year]["end"] for year in latest(bridges)}
    years = years_of(found["years"], ends)
    again = repeats_of(found["again"], _periods(lens, spans))
    flows["won"] = Flow([row for row in found["moves"] if row["kind"] == "new"])
    months = worth_at(found["worth"], [month_key(first) for first, _last in spans])
    return Board(
        now=_figures(flows, at="now") | _repeat(again["now"]) | _now(lens, moves, years, found),
        before=_figures(flows, at="before") | _repeat(again["before"]) | _before(lens, found),
        months=_months(flows, moves, months, again),
        spans=spans,
        years=years,
        bridges=bridges,
        services=sold(scope, lens.period),
        empty=moves.first_month is None,
    )


def _standing(lens: Lens, spans: list[Span]) -> dict[str, Rows]:
    """Everything that follows from the visit-days of all patients since their first: one walk over them."""
    scope, year = lens.scope, lens.scope.as_of.year
    until = Period(date.min, _then(lens).as_of)
    return ask_together(
        scope,
        {
            "moves": crossings_asked(early=until, now=lens.period, before=lens.before),
            "years": years_asked(scope, range(year - MOST_YEARS + 1, year + 1), _year_ago(lens).as_of),
            "again": repeats_asked(REPEAT_DAYS, _periods(lens, spans)),
            "worth": worth_asked(until),
        },
    )


def _then(lens: Lens) -> Scope:
    """As of the end of the period before."""
    return lens.as_of(min(lens.before.last, lens.scope.as_of))


def _year_ago(lens: Lens) -> Scope:
    return lens.as_of(add_months(lens.scope.as_of, -12))


def bridges_of(moves: Crossings, scope: Scope) -> dict[int, dict[str, int]]:
    """{year: start + new + known + returned - lost = end}, from the first year with a visit."""
    first = moves.first_month
    if first is None:
        return {}
    years = range((first - 1) // 12, scope.as_of.year + 1)
    return {year: moves.between(year * 12 + 1, year * 12 + 12) for year in years}


def _figures(flows: dict[str, Flow], *, at: str = "", month: int = 0) -> Values:
    """Figures of one of the two periods (`at`: now or before), or of a month."""
    check, diary, ends, spent, won = (flows[what] for what in (*FLOWS, "won"))
    where: dict[str, Any] = {"at": at, "month": month}
    visits = check.total("n", "visit", **where)
    paid, paid_sum = (check.total(name, "visit", **where) for name in ("paid", "paid_sum"))
    missed, came = (diary.total("n", status, **where) for status in ("no_show", "completed"))
    new, spend = won.total("n", "new", **where), spent.total("total", "spend", **where)
    return {
        "revenue": check.total("total", "payment", **where),
        "visits": visits,
        "paid_visits": paid,
        "average_check": mean(paid_sum, paid),
        "no_show": ratio(missed, missed + came),
        "rebooking": ratio(ends.total("rebooked", "visit", **where), visits),
        "covered": ratio(ends.total("covered", "visit", **where), visits),
        "new": new,
        "spend": spend,
        "cac": mean(spend, new),
    }


def _now(lens: Lens, moves: Crossings, years: dict[int, Values], found: dict[str, Rows]) -> Values:
    year = years.get(lens.scope.as_of.year, {})
    return _ltv(worth_sum(found["worth"])) | _churn(year) | {"active": moves.active}


def _before(lens: Lens, found: dict[str, Rows]) -> Values:
    """LTV and active patients as of the end of the period before; the year as of the same day a year ago."""
    then, year_ago = _then(lens), _year_ago(lens)
    if not shows_the_same(lens.scope, then):
        until = Period(date.min, then.as_of)
        found = found | ask_together(then, {"moves": crossings_asked(early=until), "worth": worth_asked(until)})
    if not shows_the_same(lens.scope, year_ago):
        found = found | ask_together(year_ago, {"years": years_asked(year_ago, (), year_ago.as_of)})
    active = Crossings.of(found["moves"], itemgetter("early")).active
    year = years_of(found["years"], {A_YEAR_AGO: 0})[A_YEAR_AGO]
    return _ltv(worth_sum([row for row in found["worth"] if row["early"]])) | _churn(year) | {"active": active}


def _churn(year: Values) -> Values:
    return {"churn": year.get("churn"), "inflow": year.get("inflow"), "churn_status": year.get("status", "no_data")}


def _ltv(total: dict[str, int]) -> Values:
    """M04 of what has been worth so far."""
    revenue, patients = total["revenue"], total["patients"]
    return {
        "patients": patients,
        "ltv_margin": mean(revenue - total["cost"], patients),
        "ltv_revenue": mean(revenue, patients),
    }


def _periods(lens: Lens, spans: list[Span]) -> dict[str, Period]:
    months = {f"m{month_key(first)}": Period(first, last) for first, last in spans}
    return {"now": lens.period, "before": lens.before, **months}


def _repeat(rates: Values) -> Values:
    return {f"repeat_{kind}": rate for kind, rate in rates.items()}


def _months(
    flows: dict[str, Flow], moves: Crossings, standing: dict[int, dict[str, int]], again: Values
) -> list[Values]:
    """`standing`: LTV at the end of each month, `again`: M16 by name of the month."""
    months = []
    for key, total in standing.items():
        bridge = moves.between(key, key)
        margin = mean(total["revenue"] - total["cost"], total["patients"])
        months.append(
            {**_figures(flows, month=key), **_repeat(again[f"m{key}"])}
            | {"key": key, "active": bridge["end"], "bridge": bridge, "ltv_margin": margin}
        )
    return months
