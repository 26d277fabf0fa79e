"""The dashboard answers many questions in one statement, and for two earlier days along with its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.metrics import compute
from analytics.queries.board import board
from analytics.queries.lens import lens_of
from analytics.queries.stays import shows_the_same
from core.clock import add_months
from core.money import parse_money
from patients.models import Patient
from tests import make
from tests.clinics import random_clinic
from tests.load import load

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def opened(seed: int, theta: int, **wanted):
    data = random_clinic(seed, patients=70, theta_days=theta)
    load(data)
    return lens_of({"as_of": date.fromisoformat(data["clinic"]["as_of"]), **wanted}, NOW, make.actor("owner"))


def assert_as_the_metrics_were(lens) -> None:
    """What stands beside the tiles is what the metrics give as of those days."""
    found, as_of = board(lens), lens.scope.as_of
    then = min(lens.before.last, as_of)
    worth = compute("ltv_historical", {"as_of": then}, NOW)
    assert found.before["patients"] == worth["patients"]
    for name in ("ltv_margin", "ltv_revenue"):
        assert found.before[name] == (None if worth[name] is None else parse_money(worth[name]))
    assert found.before["active"] == compute("churn_year", {"as_of": then, "year": then.year}, NOW)["active_at_end"]
    year_ago = add_months(as_of, -12)
    churn = compute("churn_year", {"as_of": year_ago, "year": year_ago.year}, NOW)
    assert [found.before[name] for name in ("churn", "inflow", "churn_status")] == [
        churn[name] for name in ("churn", "inflow", "status")
    ]
    for year, shown in found.years.items():
        whole = compute("churn_year", {"as_of": as_of, "year": year}, NOW)
        assert {name: shown[name] for name in shown if "replace" not in name and "cac" not in name} == {
            name: whole[name] for name in shown if "replace" not in name and "cac" not in name
        }


@pytest.mark.parametrize(("seed", "theta"), [(11, 395), (12, 60), (13, 200), (14, 30)])
@pytest.mark.parametrize("wanted", [{}, {"period": "30d"}, {"period": "last_year", "against": "year"}], ids=str)
def test_earlier_days_are_answered_along_with_today(seed, theta, wanted):
    assert_as_the_metrics_were(opened(seed, theta, **wanted))


@pytest.mark.parametrize("border", ["then", "year_ago"])
def test_a_visit_that_was_entered_after_an_earlier_day_does_not_stand_in_its_figures(border):
    lens = opened(15, 200, period="30d")
    day = {"then": lens.before.last, "year_ago": add_months(lens.scope.as_of, -12)}[border]
    start = lens.as_of(day).t_end - timedelta(hours=9)
    patients = Patient.objects.filter(canonical=None, is_test=False)[:12]
    for patient in patients:
        visit = make.visit(
            patient, start=start, tz=lens.scope.tz, booked_at=start + timedelta(days=2), may_overlap=True
        )
        make.payment(patient, 777700, at=start, tz=lens.scope.tz, visit=visit)
    assert not shows_the_same(lens.scope, lens.as_of(day))
    assert_as_the_metrics_were(lens)


def test_a_visit_entered_after_the_day_of_the_page_changes_nothing():
    lens = opened(16, 200, period="30d")
    year_ago = lens.as_of(add_months(lens.scope.as_of, -12))
    same = shows_the_same(lens.scope, year_ago)
    start = year_ago.t_end - timedelta(hours=9)
    make.visit(make.patient(), start=start, tz=lens.scope.tz, booked_at=lens.scope.t_end, may_overlap=True)
    assert shows_the_same(lens.scope, year_ago) is same
