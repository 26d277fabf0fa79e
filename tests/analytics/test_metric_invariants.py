"""What must hold on any clinic whatever (metrics.md "Invariants"), tried on random ones."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from django.db import transaction

from analytics.metrics import compute
from patients.models import Patient
from tests.clinics import random_clinic, shuffled
from tests.load import load
from tests.oracle.exact import rounded

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEEDS = (21, 22, 23)


def figures(as_of: str) -> dict:
    """A handful of figures that together look at every table."""
    year = int(as_of[:4]) - 1
    period = {"from": f"{year}-01-01", "to": f"{year}-12-31", "as_of": as_of}
    asked = {
        "average_check": period, "visit_frequency": period, "no_show": period, "rebooking": period, "cac": period,
        "revenue_by_service": period, "recommendation_compliance": period, "repeat_rate": period | {"days": 90},
        "lifespan": {}, "ltv_historical": {}, "ltv_formula": {}, "ltv_horizon": {"months": 12}, "own_doctor": {},
        "rfm": {}, "overdue": {}, "cadence": {}, "churn_year": {"year": year}, "ltv_by": {"by": "sex"},
        "funnel_cohort": period | {"audience": "all"}, "funnel_snapshot": period, "losses": period,
        "response_sla": period, "response_bands": period, "cost_per": period, "product_funnel": period, "romi": period,
        "utilisation": period,
    }  # fmt: skip
    return {slug: compute(slug, {"as_of": as_of} | params, NOW) for slug, params in asked.items()}


def figures_of(clinic: dict, as_of: str | None = None) -> dict:
    """Load the clinic, ask, and forget it again."""
    with transaction.atomic():
        load(clinic)
        result = figures(as_of or clinic["clinic"]["as_of"])
        transaction.set_rollback(True)
    return result


@pytest.mark.parametrize("seed", SEEDS)
def test_a_funnel_never_widens_and_losses_and_sources_add_up(seed):
    clinic = random_clinic(seed, patients=80)
    load(clinic)
    as_of = clinic["clinic"]["as_of"]
    always = {"from": "1971-01-01", "to": as_of, "as_of": as_of}
    for audience in ("new", "existing", "all"):
        found = compute("funnel_cohort", always | {"audience": audience}, NOW)
        by_channel = compute("funnel_cohort", always | {"audience": audience, "by": "channel"}, NOW)
        assert sum(row["leads"] for row in by_channel.values()) == found["leads"]
        for stage in ("booked", "arrived", "paid", "repeat", "referral"):
            assert found[stage]["of_previous"]["num"] <= found[stage]["of_previous"]["den"]
            assert found[stage]["mature"] + found[stage]["immature"] == found["leads"]
        same_leads = [found[stage]["of_leads"]["num"] for stage in ("arrived", "paid")]
        assert same_leads == sorted(same_leads, reverse=True)
    lost = compute("losses", always, NOW)
    assert sum(lost["by"].values()) == lost["total"]
    for slug, names in {"cost_per": ("spend", "leads", "bookings"), "romi": ("spend", "revenue", "margin")}.items():
        rows = compute(slug, always, NOW)
        for name in names:
            assert sum(Fraction(row[name]) for code, row in rows.items() if code != "all") == Fraction(
                rows["all"][name]
            )


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_of_parts_are_the_whole(seed):
    clinic = random_clinic(seed, patients=50)
    load(clinic)
    as_of = clinic["clinic"]["as_of"]
    whole = compute("ltv_historical", {"as_of": as_of}, NOW)
    for by in ("channel", "first_doctor", "diagnosis_first", "sex", "age_band", "speciality", "segment"):
        rows = compute("ltv_by", {"as_of": as_of, "by": by}, NOW).values()
        assert sum(row["patients"] for row in rows) == whole["patients"]
        assert sum(Fraction(row["revenue"]) for row in rows) == Fraction(whole["revenue"])
    always = {"from": "1971-01-01", "to": as_of, "as_of": as_of}
    cash = compute("average_check", always, NOW)["cash_flow"]
    assert Fraction(whole["revenue"]) + Fraction(whole["money_outside_acquired"]) == Fraction(cash)
    cac = compute("cac", always, NOW)
    assert sum(row["new_patients"] for row in cac["channels"].values()) == cac["blended"]["new_patients"]
    assert sum(Fraction(row["spend"]) for row in cac["channels"].values()) == Fraction(cac["blended"]["spend"])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_formula_is_the_plain_mean_however_it_is_taken_apart(seed):
    clinic = random_clinic(seed, patients=50)
    load(clinic)
    r = compute("ltv_formula", {"as_of": clinic["clinic"]["as_of"]}, NOW)
    sales, life = (Fraction(r[k]["num"], r[k]["den"]) for k in ("sales_per_year", "lifespan_months"))
    profit = Fraction(r["profit_share"]["num"], r["profit_share"]["den"])
    check = Fraction(r["profit_share"]["den"], 100 * r["paid_visits"])
    assert rounded(check * sales / 12 * life, 2) == r["simple"]
    assert rounded(check * sales * life / 12 * profit, 2) == r["full"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_year_ends_with_those_with_whom_the_next_begins(seed):
    clinic = random_clinic(seed, patients=50)
    load(clinic)
    end = date.fromisoformat(clinic["clinic"]["as_of"])
    years = range(end.year - 4, end.year + 1)
    found = {year: compute("churn_year", {"year": year, "as_of": end}, NOW) for year in years}
    for year in years:
        assert found[year]["lost"] <= found[year]["base"]
        if year + 1 in found:
            assert found[year]["active_at_end"] == found[year + 1]["active_at_start"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_loading_changes_nothing(seed):
    clinic = random_clinic(seed, patients=30)
    assert figures_of(clinic) == figures_of(shuffled(clinic, seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_test_person_changes_nothing(seed):
    clinic = random_clinic(seed, patients=30)
    more = copy.deepcopy(clinic)
    busy = clinic["appointments"][0]["patient_id"]
    twin = next(row for row in clinic["patients"] if row["patient_id"] == busy)
    more["patients"].append(twin | {"patient_id": "TEST", "is_test": "1", "merged_into": ""})
    for table, key in (("appointments", "appointment_id"), ("payments", "payment_id")):
        for row in clinic[table]:
            if row["patient_id"] == busy and not row.get("refund_of"):
                copied = row | {key: f"T{row[key]}", "patient_id": "TEST"}
                more[table].append(copied | ({"appointment_id": ""} if table == "payments" else {}))
    assert figures_of(clinic) == figures_of(more)


@pytest.mark.parametrize("seed", SEEDS)
def test_moving_the_zone_and_all_instants_together_changes_nothing(seed):
    clinic = random_clinic(seed, patients=30, tz="Etc/GMT-5")
    moved = copy.deepcopy(clinic)
    moved["clinic"]["tz"] = "Etc/GMT-8"
    for rows in moved.values():
        for row in rows if isinstance(rows, list) else []:
            for name, text in row.items():
                if name.endswith("_at") and text:
                    row[name] = (datetime.fromisoformat(text) - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert figures_of(clinic) == figures_of(moved)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_figure_of_a_day_is_what_it_was_on_that_day(seed):
    clinic = random_clinic(seed, patients=40, tz="Asia/Kathmandu")
    day = date.fromisoformat(clinic["clinic"]["as_of"]) - timedelta(days=200)
    t_end = datetime(day.year, day.month, day.day, 18, 15, tzinfo=UTC)  # local midnight at +05:45
    seen = lambda text: datetime.fromisoformat(text) < t_end  # noqa: E731
    then = copy.deepcopy(clinic)
    then["appointments"] = [
        row
        if not (row["cancelled_at"] and not seen(row["cancelled_at"])) and seen(row["start_at"])
        else row | ({"status": "scheduled", "cancelled_at": ""} if not seen(row["start_at"]) else {})
        for row in then["appointments"]
        if seen(row["booked_at"])
    ]
    for row, now in zip(then["appointments"], [r for r in clinic["appointments"] if seen(r["booked_at"])], strict=True):
        if not seen(row["start_at"]) and now["cancelled_at"] and seen(now["cancelled_at"]):
            row.update(status=now["status"], cancelled_at=now["cancelled_at"])
    kept = {row["appointment_id"] for row in then["appointments"]}
    then["payments"] = [row for row in then["payments"] if seen(row["paid_at"])]
    paid = {row["payment_id"] for row in then["payments"]}
    then["payments"] = [
        row | {"appointment_id": row["appointment_id"] if row["appointment_id"] in kept else ""}
        for row in then["payments"]
        if not row["refund_of"] or row["refund_of"] in paid
    ]
    then["items"] = [row for row in then["items"] if row["appointment_id"] in kept]
    then["allocations"] = [
        row for row in then["allocations"] if row["payment_id"] in paid and row["appointment_id"] in kept
    ]
    assert figures_of(clinic, day.isoformat()) == figures_of(then, day.isoformat())


@pytest.mark.parametrize("seed", SEEDS)
def test_merging_two_and_splitting_them_again_leads_back(seed):
    clinic = random_clinic(seed, patients=30)
    load(clinic)
    as_of = clinic["clinic"]["as_of"]
    before = figures(as_of)
    left, right = Patient.objects.filter(
        merged_into=None, records=None, is_test=False, visits__isnull=False
    ).distinct()[:2]
    Patient.objects.filter(pk=right.pk).update(merged_into=left, canonical=left)
    assert figures(as_of) != before
    Patient.objects.filter(pk=right.pk).update(merged_into=None, canonical=None)
    assert figures(as_of) == before
