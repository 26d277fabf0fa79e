"""Pages of figures: what they show is what the metrics say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from analytics.metrics import compute
from analytics.queries.board import board
from analytics.queries.churn import churn_years
from analytics.queries.cohorts import cohorts
from analytics.queries.lens import lens_of
from analytics.queries.staying import staying, survival
from analytics.queries.stays import crossings
from analytics.queries.worth import HORIZONS, horizons, specialities, worth_of
from analytics.rules.periods import months_until, previous, year_before
from analytics.rules.whatif import what_if
from core.money import parse_money
from tests import make
from tests.clinics import random_clinic
from tests.load import load

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(params=[(3, 395, 2), (8, 365, 0)], ids=["branches", "plain"])
def clinic(request):
    seed, theta, branches = request.param
    data = random_clinic(seed, patients=120, theta_days=theta, branches=branches)
    load(data)
    return date.fromisoformat(data["clinic"]["as_of"])


def looking(as_of: date, **filters):
    return lens_of({"as_of": as_of, **filters}, NOW, make.actor("owner"))


def asked(slug: str, lens, period=None, **params):
    if period is not None:
        params |= {"from": period.first, "to": period.last}
    return compute(slug, {**lens.params, **params}, NOW, lens.actor)


def minor(text: str | None) -> int | None:
    return None if text is None else parse_money(text)


@pytest.mark.parametrize("filters", [{}, {"against": "year", "period": "30d"}, {"channel": "unknown"}], ids=str)
def test_tiles_are_the_metrics_own_figures(clinic, filters):
    lens = looking(clinic, **filters)
    found = board(lens)
    for values, period in ((found.now, lens.period), (found.before, lens.before)):
        check = asked("average_check", lens, period)
        assert values["revenue"] == minor(check["cash_flow"])
        assert (values["visits"], values["paid_visits"]) == (check["completed_visits"], check["paid_visits"])
        assert values["average_check"] == minor(check["average_check"])
        assert values["no_show"] == asked("no_show", lens, period)["no_show"]
        ends = asked("rebooking", lens, period)
        assert (values["rebooking"], values["covered"]) == (
            ends["rebooked_at_visit"],
            ends["covered_by_future_booking"],
        )
        won = asked("cac", lens, period)["blended"]
        assert (values["new"], values["spend"], values["cac"]) == (
            won["new_patients"],
            minor(won["spend"]),
            minor(won["cac"]),
        )
        again = asked("repeat_rate", lens, period, days=90)
        assert (values["repeat_primary"], values["repeat_existing"]) == (again["primary"], again["existing"])
    churn = asked("churn_year", lens, year=clinic.year)
    assert (found.now["churn"], found.now["inflow"]) == (churn["churn"], churn["inflow"])
    assert (found.now["churn_status"], found.now["active"]) == (churn["status"], churn["active_at_end"])
    worth = asked("ltv_historical", lens)
    assert found.now["ltv_margin"] == minor(worth["ltv_margin"])
    assert found.now["ltv_revenue"] == minor(worth["ltv_revenue"])


def test_what_stands_is_compared_with_the_end_of_the_period_before(clinic):
    lens = looking(clinic, period="30d")
    found, then = board(lens), lens.as_of(lens.before.last).as_of
    worth = compute("ltv_historical", {"as_of": then}, NOW)
    assert found.before["ltv_margin"] == minor(worth["ltv_margin"])
    assert found.before["active"] == compute("churn_year", {"as_of": then, "year": then.year}, NOW)["active_at_end"]


def test_a_month_of_the_sparklines_is_the_metric_of_that_month(clinic):
    lens = looking(clinic)
    found = board(lens)
    for month, (first, last) in list(zip(found.months, found.spans, strict=True))[::4]:
        period = {"from": first, "to": last, "as_of": clinic}
        assert month["revenue"] == minor(compute("average_check", period, NOW)["cash_flow"])
        assert month["no_show"] == compute("no_show", period, NOW)["no_show"]
        assert month["rebooking"] == compute("rebooking", period, NOW)["rebooked_at_visit"]
        again = compute("repeat_rate", period | {"days": 90}, NOW)
        assert (month["repeat_primary"], month["repeat_existing"]) == (again["primary"], again["existing"])
        assert month["cac"] == minor(compute("cac", period, NOW)["blended"]["cac"])


def test_all_years_at_once_are_the_churn_of_each_year(clinic):
    lens = looking(clinic)
    years = range(clinic.year - 4, clinic.year + 1)
    ends = {year: compute("churn_year", {"year": year, "as_of": clinic}, NOW)["active_at_end"] for year in years}
    found = churn_years(lens.scope, ends)
    for year in years:
        assert found[year] == compute("churn_year", {"year": year, "as_of": clinic}, NOW)


def test_the_bridge_adds_up_in_every_year_and_month(clinic):
    lens = looking(clinic)
    found = staying(lens)
    bridges = [*found.bridges.values(), *[bridge for _key, bridge in found.bridge_months]]
    assert bridges and any(bridge["lost"] for bridge in bridges)
    for bridge in bridges:
        came = bridge["new"] + bridge["known"] + bridge["returned"]
        assert bridge["start"] + came - bridge["lost"] == bridge["end"]
    for year, bridge in found.bridges.items():
        churn = compute("churn_year", {"year": year, "as_of": clinic}, NOW)
        assert (bridge["start"], bridge["end"]) == (churn["active_at_start"], churn["active_at_end"])
        assert (bridge["new"], bridge["lost"]) == (churn["new"], churn["lost"])
    for (_key, one), (_next, two) in pairwise(found.bridge_months):
        assert one["end"] == two["start"]


def test_the_base_of_the_bridge_is_the_active_patients_of_today(clinic):
    lens = looking(clinic)
    year = compute("churn_year", {"year": clinic.year, "as_of": clinic}, NOW)
    assert crossings(lens.scope).active == year["active_at_end"]


def test_horizons_from_one_question_are_those_of_the_metric(clinic):
    lens = looking(clinic)
    found = horizons(lens.scope)
    for months in HORIZONS:
        metric = asked("ltv_horizon", lens, months=months)
        assert {measure: found[months][measure] for measure in ("revenue", "margin")} == metric


def test_groups_and_specialities_hold_every_patient_once(clinic):
    lens = looking(clinic)
    found = worth_of(lens, "channel")
    total = asked("ltv_historical", lens)
    assert sum(group["patients"] for group in found.groups) == total["patients"]
    assert sum(group["revenue"] for group in found.groups) == minor(total["revenue"])
    assert sum(row["patients"] for row in specialities(lens.scope)) == total["patients"]
    assert sum(row["patients"] for row in found.segments) == total["patients"]


def test_a_cohort_begins_whole_and_marks_what_is_not_complete(clinic):
    lens = looking(clinic)
    found = cohorts(lens.scope)
    spans = {first.year * 12 + first.month: (first, last) for first, last in months_until(clinic, 24)}
    assert found
    for cohort in found:
        first, last = spans[cohort.key]
        new = compute("cac", {"from": first, "to": last, "as_of": clinic}, NOW)["blended"]["new_patients"]
        assert cohort.size == new == cohort.came[0]
        assert cohort.young >= 0
    assert found[-1].young < len(found[-1].came) or found[-1].key < clinic.year * 12 + clinic.month


def test_the_curve_of_lifespan_falls_from_one_and_its_area_is_the_headline(clinic):
    lens = looking(clinic)
    curve = survival(lens.scope)
    assert curve[0] == 1.0
    assert all(one >= two for one, two in pairwise(curve))
    headline = asked("lifespan", lens)["km_months_restricted_60_f"]
    area = sum((one + two) / 2 for one, two in pairwise(curve))
    assert area == pytest.approx(headline, abs=1.0)


def test_the_calculator_divides_by_twelve():
    found = what_if(check=Decimal(3000), sales=Decimal(4), months=Decimal(30), share=Decimal(35))
    assert (str(found.full), str(found.simple)) == ("10500.00", "30000.00")


@pytest.mark.parametrize(
    ("span", "before", "year"),
    [
        (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28"), ("2025-03-01", "2025-03-31")),
        (("2026-03-02", "2026-03-31"), ("2026-01-31", "2026-03-01"), ("2025-03-02", "2025-03-31")),
        (("2024-02-01", "2024-02-29"), ("2024-01-01", "2024-01-31"), ("2023-02-01", "2023-02-28")),
        (("2025-02-01", "2025-02-28"), ("2025-01-01", "2025-01-31"), ("2024-02-01", "2024-02-29")),
    ],
)
def test_a_period_is_compared_with_one_of_equal_length(span, before, year):
    def days(pair):
        return tuple(date.fromisoformat(text) for text in pair)

    assert previous(*days(span)) == days(before)
    assert year_before(*days(span)) == days(year)
