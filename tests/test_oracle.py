"""The oracle must agree with every expected figure of the sample clinic; its worked examples are in tests/oracle/."""

import json
from math import isclose
from pathlib import Path
from typing import Any

import pytest

from tests.clinics import random_clinic, shuffled, split, write_folder
from tests.oracle import METRICS, compute, load
from tests.oracle.clinic import TABLES, read_folder

SAMPLE = Path(__file__).parent / "data" / "clinic90"
REQUESTS = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))["requests"]


@pytest.fixture(scope="module")
def clinic90():
    return load(SAMPLE)


def same(got: Any, expected: Any, key: str = "") -> bool:
    """Exactly equal, except floats under keys ending in _f (rel 1e-9; intervals 1e-6)."""
    if isinstance(expected, dict):
        return got is not None and got.keys() == expected.keys() and all(same(got[k], expected[k], k) for k in expected)
    if isinstance(expected, list) and key.endswith("_f"):
        return len(got) == len(expected) and all(
            isclose(a, b, rel_tol=1e-6) for a, b in zip(got, expected, strict=True)
        )
    if isinstance(expected, float) and key.endswith("_f"):
        return isclose(got, expected, rel_tol=1e-9)
    return got == expected and type(got) is type(expected)


@pytest.mark.parametrize(
    "request_", REQUESTS, ids=lambda r: f"{r['metric']}-{'-'.join(map(str, r['params'].values()))}"
)
def test_the_oracle_gives_the_expected_figure(clinic90, request_):
    got = compute(clinic90, request_["metric"], request_["params"])
    assert same(got, request_["result"]), f"\n{got}\nis not\n{request_['result']}"


def test_every_metric_has_a_slug_and_an_expected_figure():
    assert set(METRICS) == {r["metric"] for r in REQUESTS}
    assert len(METRICS) == 34


@pytest.mark.parametrize("seed", range(6))
def test_a_random_clinic_is_the_same_for_the_same_seed(seed):
    assert random_clinic(seed, patients=20) == random_clinic(seed, patients=20)


def test_a_clinic_survives_being_written_and_read_again(tmp_path):
    clinic = random_clinic(3, patients=25)
    write_folder(clinic, tmp_path)
    assert read_folder(tmp_path) == clinic


def everything(clinic: dict) -> list:
    """A figure of each kind that needs no choice of parameters."""
    loaded, as_of = load(clinic), clinic["clinic"]["as_of"]
    period = {"as_of": as_of, "from": f"{int(as_of[:4]) - 1}-01-01", "to": as_of}
    by_period = (
        "average_check",
        "cac",
        "romi",
        "rebooking",
        "funnel_cohort",
        "losses",
        "satisfaction",
        "product_funnel",
    )
    at_day = ("lifespan", "ltv_historical", "ltv_formula", "own_doctor", "rfm", "overdue", "cadence")
    return [compute(loaded, m, period) for m in by_period] + [compute(loaded, m, {"as_of": as_of}) for m in at_day]


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_rows_and_the_batches_change_no_figure(seed):
    clinic = random_clinic(seed, patients=40)
    batches = split(clinic, 3)
    joined = {table: [row for b in batches for row in b[table]] for table in TABLES} | {"clinic": clinic["clinic"]}
    assert everything(clinic) == everything(shuffled(clinic, seed)) == everything(joined)


@pytest.mark.parametrize("seed", range(8))
def test_all_money_is_either_of_patients_or_outside(seed):
    clinic = random_clinic(seed, patients=40)
    loaded, as_of = load(clinic), clinic["clinic"]["as_of"]
    ltv = compute(loaded, "ltv_historical", {"as_of": as_of})
    cash = compute(loaded, "average_check", {"as_of": as_of, "from": "1990-01-01", "to": "2099-12-31"})["cash_flow"]
    kopecks = [int(ltv[k].replace(".", "")) for k in ("revenue", "money_outside_acquired")]
    assert sum(kopecks) == int(cash.replace(".", ""))


@pytest.mark.parametrize("seed", range(8))
def test_those_active_at_the_end_of_a_year_are_active_at_the_start_of_the_next(seed):
    clinic = random_clinic(seed, patients=40)
    loaded, as_of = load(clinic), clinic["clinic"]["as_of"]
    last = int(as_of[:4])
    years = [compute(loaded, "churn_year", {"as_of": as_of, "year": y}) for y in range(last - 4, last + 1)]
    assert [y["active_at_end"] for y in years[:-1]] == [y["active_at_start"] for y in years[1:]]
    assert all(y["lost"] <= y["base"] for y in years)


def test_a_filter_by_doctor_sees_only_visits_and_money_of_that_doctor(clinic90):
    params = {"as_of": "2025-06-30", "from": "2024-01-01", "to": "2024-12-31"}
    doctors = [d.doctor_id for d in clinic90.doctors]
    rows = [compute(clinic90, "average_check", params | {"doctor": d}) for d in doctors]
    assert sum(r["completed_visits"] for r in rows) == compute(clinic90, "average_check", params)["completed_visits"]
    card = compute(clinic90, "doctor_scorecard", params)
    assert [r["net_sum"] for r in rows] == [card[d]["revenue"] for d in doctors]


def test_filters_by_channel_add_up_to_the_whole(clinic90):
    channels = [c.channel_id for c in clinic90.channels] + ["unknown"]
    rows = [compute(clinic90, "ltv_historical", {"as_of": "2025-06-30", "channel": c}) for c in channels]
    by = compute(clinic90, "ltv_by", {"as_of": "2025-06-30", "by": "channel"})
    assert [r["revenue"] for r in rows] == [by[c]["revenue"] for c in channels]


def test_a_filter_by_branch_adds_up_and_takes_the_zone_of_the_branch():
    clinic = random_clinic(5, branches=2)
    clinic["clinic"]["branch_zones"] = {"B1": clinic["clinic"]["tz"]}
    params = {"as_of": clinic["clinic"]["as_of"], "from": "2000-01-01", "to": "2099-12-31"}
    whole, one, two = (
        compute(load(clinic), "average_check", params | more) for more in ({}, {"branch": "B1"}, {"branch": "B2"})
    )
    assert whole["completed_visits"] == one["completed_visits"] + two["completed_visits"]
