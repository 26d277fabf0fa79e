"""Our SQL against the naive computation of tests/oracle, on clinics made to hit the corners of every definition."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.metrics import REGISTRY, Metric, compute
from tests import oracle
from tests.analytics.test_clinic90 import same
from tests.clinics import random_clinic
from tests.load import load

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BY = ("channel", "first_doctor", "diagnosis_first", "diagnosis_any", "sex", "age_band")


def requests_of(clinic: dict) -> list[tuple[str, dict]]:
    """Every metric that both know, over two periods and two days of looking back."""
    end = date.fromisoformat(clinic["clinic"]["as_of"])
    found = []
    for as_of in (end, end - timedelta(days=400)):
        for first, last in (
            (date(as_of.year - 1, 1, 1), date(as_of.year - 1, 12, 31)),
            (as_of - timedelta(days=300), as_of),
        ):
            period = {"from": first.isoformat(), "to": last.isoformat()}
            for slug, metric in REGISTRY.items():
                if slug in oracle.METRICS:
                    found += [
                        (slug, {**p, "as_of": as_of.isoformat()})
                        for p in variants((*metric.params, *optional_of(metric)), period, as_of, clinic)
                    ]
    return found


def optional_of(metric: Metric) -> tuple[str, ...]:
    """Names of its parameters that may be left out; grouping has its own test."""
    return tuple(param.name for param in metric.optional if param.name != "by")


def variants(wanted: tuple[str, ...], period: dict, as_of: date, clinic: dict) -> list[dict]:
    values = [{}]
    if "from" in wanted:
        values = [period]
    for name, choices in {
        "year": (as_of.year - 2, as_of.year),
        "months": (2, 12, 36),
        "days": (30, 180),
        "by": BY,
        "audience": ("new", "existing", "all"),
        "patient": [row["patient_id"] for row in clinic["patients"][:5]],
    }.items():
        if name in wanted:
            values = [value | {name: choice} for value in values for choice in choices]
    return values


def check(clinic: dict, filters: dict) -> None:
    read = oracle.load(clinic)
    for slug, params in requests_of(clinic):
        asked = params | filters
        try:
            expected = oracle.compute(read, slug, asked)
        except KeyError:
            continue  # the oracle knows no such patient after a filter by channel
        ours = compute(slug, asked, NOW)
        assert same(ours, expected), (slug, asked, ours, expected)


@pytest.mark.parametrize("seed", range(1, 7))
def test_figures_of_a_random_clinic_are_those_of_the_oracle(seed):
    clinic = random_clinic(seed, patients=40)
    load(clinic)
    check(clinic, {})


@pytest.mark.parametrize("seed", [3, 4])
def test_the_cohort_by_channel_is_that_of_the_oracle(seed):
    clinic = random_clinic(seed, patients=60)
    load(clinic)
    read, as_of = oracle.load(clinic), clinic["clinic"]["as_of"]
    for audience in ("new", "existing", "all"):
        asked = {"from": "2000-01-01", "to": as_of, "as_of": as_of, "audience": audience, "by": "channel"}
        expected = oracle.compute(read, "funnel_cohort", asked)
        assert expected, "the clinic has leads"
        assert same(compute("funnel_cohort", asked, NOW), expected)


@pytest.mark.parametrize("seed", [11, 12])
def test_filters_compute_as_if_nothing_else_existed(seed):
    clinic = random_clinic(seed, patients=40, branches=2, tz="America/New_York")
    clinic["clinic"]["branch_zones"] = {"B1": "Asia/Almaty"}
    load(clinic)
    for filters in ({"branch": "B1"}, {"branch": "B2"}, {"doctor": "D0"}, {"channel": "CH0"}, {"channel": "unknown"}):
        check(clinic, filters)
    check(clinic, {"branch": "B1", "doctor": "D0", "channel": "CH0"})
