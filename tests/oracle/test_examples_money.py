"""Worked examples of metrics.md: section 1 and the metrics of money (M01 to M12, M33, M34)."""

from datetime import date

import pytest

from .build import Case
from .exact import add_months, month_index, nearest_rank, rounded


def test_halves_are_rounded_away_from_zero():
    assert rounded(150012.5 / 100, 2) == "1500.13"
    assert rounded(-125 / 1000, 2) == "-0.13"
    assert rounded(-1 / 1024, 2) == "0.00"


@pytest.mark.parametrize(
    ("start", "day", "index"),
    [
        (date(2024, 1, 31), date(2024, 2, 28), 0), (date(2024, 1, 31), date(2024, 2, 29), 1),
        (date(2024, 1, 31), date(2025, 1, 30), 11), (date(2024, 1, 31), date(2025, 1, 31), 12),
        (date(2024, 2, 29), date(2025, 2, 28), 12), (date(2024, 2, 29), date(2020, 1, 1), 0),
    ],
)  # fmt: skip
def test_months_are_counted_from_the_first_day_and_clamped(start, day, index):
    assert month_index(start, day) == index
    assert add_months(start, index) <= max(day, start)


def test_a_percentile_is_an_observed_value():
    assert nearest_rank([121, 45, 120], 50) == 120
    assert nearest_rank([], 90) is None


def test_a_certificate_pays_for_a_visit_but_its_cash_stays_where_it_was():
    case = Case()
    certificate = case.pay("A", "2024-05-10", "5000.00")
    case.add("allocations", payment_id=certificate, appointment_id=case.visit("A", "2024-07-10"), amount="2000.00")
    july = case.get("average_check", **{"from": "2024-07-01", "to": "2024-07-31"})
    may = case.get("average_check", **{"from": "2024-05-01", "to": "2024-05-31"})
    assert (july["net_sum"], july["paid_visits"], july["cash_flow"]) == ("2000.00", 1, "0.00")
    assert may["cash_flow"] == "5000.00"
    assert case.get("ltv_historical")["ltv_revenue"] == "5000.00"


@pytest.mark.parametrize(
    ("created", "first", "year", "new"),
    [
        ("2022-08-10", "2023-06-01", 2023, 0),
        ("2023-02-01", "2023-06-01", 2023, 1),
        ("2022-08-10", "2024-01-01", 2024, 1),
    ],
)
def test_who_was_known_before_the_history_is_not_new_within_theta_of_it(created, first, year, new):
    case = Case(history_from="2023-01-01")
    case.patient("A", created=created)
    case.visit("A", first)
    assert case.get("cac", year=year)["blended"]["new_patients"] == new


def test_the_local_date_takes_the_offset_in_force_at_the_instant():
    case = Case(tz="Asia/Almaty")
    case.visit("A", "2024-02-29 18:30", paid="1.00")  # +05 already: still 29 February, 23:30
    case.visit("A", "2024-02-28 18:30", paid="2.00")  # +06 then: 29 February, 00:30
    day = {"from": "2024-02-29", "to": "2024-02-29"}
    assert case.get("average_check", **day)["net_sum"] == "3.00"


def test_m01_average_check_is_over_paid_visits():
    case = Case()
    case.visit("A", "2024-05-01", paid="1000.00")
    for patient, paid, back in (("B", "2500.50", "500.25"), ("C", "1200.00", "1200.00")):
        case.pay(patient, "2024-05-02", paid, case.visit(patient, "2024-05-02"), payment_id=f"pay{patient}")
        case.refund(f"pay{patient}", "2024-05-20", back)
    case.visit("D", "2024-05-03")
    case.pay("E", "2024-05-04", "500.00", case.booking("E", "2024-05-04", "no_show"))
    result = case.get("average_check", year=2024)
    assert (result["completed_visits"], result["paid_visits"]) == (4, 2)
    assert (result["average_check"], result["revenue_per_completed_visit"]) == ("1500.13", "750.06")
    assert result["cash_flow"] == "3500.25"
    assert case.get("ltv_historical")["money_outside_acquired"] == "500.00"


def test_m02_frequency_is_visits_per_patient_seen():
    case = Case()
    for patient in "AAAABBC":
        case.visit(patient, "2024-05-01")
    assert case.get("visit_frequency", year=2024)["visits_per_active_patient"]["value"] == "2.333333"


def km_case(*lives: tuple[str, str]) -> Case:
    case = Case()
    for i, (first, last) in enumerate(lives):
        case.visit(f"P{i}", first)
        case.visit(f"P{i}", last)
    return case


def test_m03_mean_lifespans():
    result = km_case(("2024-01-10", "2024-07-11"), ("2024-01-10", "2024-01-10")).get("lifespan")
    assert (result["mean_all_months"]["value"], result["mean_repeat_months"]["value"]) == ("3.006160", "6.012320")
    assert (result["patients"], result["one_day_patients"]) == (2, 1)


def test_m03_kaplan_meier_area_ends_at_the_longest_observation():
    # as of 2026-12-31: events at 200 + 365 and 400 + 365 days, a censoring at 600
    case = km_case(("2024-01-01", "2024-07-19"), ("2024-01-01", "2025-02-04"), ("2025-05-10", "2026-12-01"))
    result = case.get("lifespan")
    assert result["km_months_restricted_60_f"] == pytest.approx(10.951403, abs=5e-7)
    assert result["horizon_months_f"] == pytest.approx(13.141684, abs=5e-7)


def test_m03_a_censoring_at_the_end_shortens_the_horizon():
    case = km_case(("2024-01-01", "2024-07-19"), ("2025-01-30", "2026-12-01"), ("2025-05-10", "2026-12-01"))
    result = case.get("lifespan")
    assert result["km_months_restricted_60_f"] == pytest.approx(9.527721, abs=5e-7)
    assert result["horizon_months_f"] == pytest.approx(11.006160, abs=5e-7)


def test_m03_without_losses_there_is_no_curve():
    result = km_case(("2026-12-01", "2026-12-20")).get("lifespan")
    assert (result["km_months_restricted_60_f"], result["horizon_months_f"]) == (None, None)


def test_m04_ltv_is_money_per_acquired_patient():
    case = Case()
    case.visit("A", "2024-05-01", paid="3500.25")
    case.visit("B", "2024-05-01")
    assert case.get("ltv_historical")["ltv_revenue"] == "1750.13"


def test_m05_the_formula_keeps_its_units():
    case = Case()
    for day in ("2024-01-10", "2024-03-01", "2024-07-11"):
        case.visit("A", day, paid="3000.00", cost="1000.00")
    case.visit("B", "2024-02-01", paid="1000.00", cost="1000.00")
    result = case.get("ltv_formula")
    assert (result["lifespan_months"]["value"], result["sales_per_year"]["value"]) == ("3.506160", "6.845095")
    assert (result["simple"], result["full"]) == ("5000.00", "3000.00")


def test_m06_chained_horizon_uses_everyone():
    case = Case()
    case.visit("A", "2024-01-10", paid="100.00")
    case.visit("A", "2024-02-15", paid="50.00")
    case.visit("B", "2024-02-10", paid="200.00")
    result = case.get("ltv_horizon", as_of="2024-03-09", months=2)["revenue"]
    assert (result["ltv_chained"], result["ltv_mature"], result["mature_patients"]) == ("200.00", "150.00", 1)


def test_m07_several_diagnoses_overlap_and_the_first_one_divides():
    case = Case()
    case.visit("A", "2024-01-10", paid="100.00", diagnosis="I10")
    case.visit("A", "2024-02-10", paid="50.00", diagnosis="K02")
    case.visit("B", "2024-02-10", paid="10.00")
    first, ever = (case.get("ltv_by", by=by) for by in ("diagnosis_first", "diagnosis_any"))
    assert {key: row["revenue"] for key, row in first.items()} == {"I10": "150.00", "none": "10.00"}
    assert {key: row["revenue"] for key, row in ever.items()} == {"I10": "150.00", "K02": "150.00", "none": "10.00"}


def visited(doctors: str, paid: str) -> Case:
    """One patient, a visit a month to each of these doctors, the first one paid."""
    case = Case()
    for i, doctor in enumerate(doctors):
        case.visit("A", f"2024-{i + 1:02d}-10", doctor=doctor, paid=paid if i == 0 else None)
    return case


@pytest.mark.parametrize(("doctors", "own"), [("XXXYZ", 1), ("XXYY", 0), ("XX", 0)])
def test_m08_own_doctor_takes_three_visits_and_sixty_percent(doctors, own):
    assert visited(doctors, "1.00").get("own_doctor")["naive"]["own"] == own


def test_m08_ratios_are_of_exact_means():
    case = visited("XXX", "20000.00")
    for patient, paid in (("B", "7500.00"), ("C", "2500.00")):
        case.visit(patient, "2024-01-10", doctor="Y", paid=paid)
    case.visit("B", "2024-02-10", doctor="Z")
    result = case.get("own_doctor")
    assert result["naive"]["ratio"] == "4.000000"
    assert (result["vs_one_time"]["mean_one_time"], result["vs_one_time"]["ratio"]) == ("2500.00", "8.000000")


def test_m09_cac_by_channel_paid_and_blended():
    case = Case()
    case.channel("paid"), case.channel("organic", "organic")
    for i, channel in enumerate(("paid", "paid", "paid", "organic", None)):
        case.patient(f"P{i}", channel_id=channel)
        case.visit(f"P{i}", "2024-05-01")
    for channel, amount in (("paid", "10000.00"), ("organic", "500.00"), (None, "100.00")):
        case.spend("2024-04-01", amount, channel)
    result = case.get("cac", year=2024)
    assert result["channels"]["paid"]["cac"] == result["paid"]["cac"] == "3333.33"
    assert (result["channels"]["unknown"]["cac"], result["blended"]["cac"]) == ("100.00", "2120.00")
    assert case.get("cac", year=2025)["blended"] == {"spend": "0.00", "new_patients": 0, "cac": None}


def advertised(spend: str, *paid: tuple[str, str, str]) -> Case:
    """One patient of channel X; (day, paid, cost) of each visit."""
    case = Case()
    case.channel("X")
    case.patient("A", channel_id="X")
    case.spend("2024-01-01", spend, "X")
    for day, amount, cost in paid:
        case.visit("A", day, paid=amount, cost=cost)
    return case


def test_m10_ltv_to_cac_waits_until_everybody_is_mature():
    case = advertised("10000.00", ("2024-01-10", "20000.00", "5000.00"))
    assert case.get("ltv_cac", year=2024, months=12)["X"]["ltv_cac"] == "1.500000"
    early = case.get("ltv_cac", as_of="2025-12-29", year=2024, months=12)["X"]
    assert (early["mature"], early["ltv_cac"], early["margin"]) == (False, None, "15000.00")
    assert case.get("ltv_cac", as_of="2025-12-30", year=2024, months=12)["X"]["mature"] is True


def test_m11_payback_is_the_first_month_that_covers_the_spend():
    months = [("2024-01-10", "5000.00", "1000.00"), ("2024-02-10", "3000.00", "0"), ("2024-03-10", "3000.00", "0")]
    result = advertised("10000.00", *months).get("payback", year=2024)
    assert result["X"]["payback_months"] == result["all"]["payback_months"] == 3


def test_m12_romi_to_date_and_within_a_horizon():
    case = advertised("10000.00", ("2024-01-10", "24000.00", "13000.00"), ("2025-01-10", "8000.00", "4000.00"))
    to_date, year = case.get("romi", year=2024)["X"], case.get("romi", year=2024, months=12)["X"]
    assert (to_date["romi"], to_date["roas"]) == ("0.500000", "3.200000")
    assert (year["romi"], year["roas"], year["mature"]) == ("0.100000", "2.400000", True)


def test_m33_revenue_by_service_is_list_amounts():
    case = Case()
    case.service("S1"), case.service("S2", "lead_magnet")
    visit = case.visit("A", "2024-05-01")
    for service, amount, cost in (("S1", "3000.00", "1200.00"), ("S1", "3000.00", "1300.00"), ("S2", "0.00", "150.00")):
        case.item(visit, service, amount, cost)
    result = case.get("revenue_by_service", year=2024)
    assert result["S1"] == {"quantity": 2, "amount": "6000.00", "cost": "2500.00", "margin": "3500.00"}
    assert result["S2"] == {"quantity": 1, "amount": "0.00", "cost": "150.00", "margin": "-150.00"}
    assert result["total"] == {"quantity": 3, "amount": "6000.00", "cost": "2650.00", "margin": "3350.00"}
    assert result["tiers"] == {"core": result["S1"], "lead_magnet": result["S2"]}


def test_m34_a_patient_is_active_on_the_loss_day_itself():
    case = Case()
    case.visit("A", "2024-01-10", paid="1000.00", cost="400.00")
    case.visit("A", "2024-07-11", cost="100.00")
    result = case.get("patient_value", as_of="2025-07-11", patient="A")
    assert (result["visits"], result["visit_days"], result["paid_visits"]) == (2, 2, 1)
    assert [result[k] for k in ("revenue", "cost", "margin", "average_check")] == [
        "1000.00",
        "500.00",
        "500.00",
        "1000.00",
    ]
    assert result["lifespan_months"] == {"num": 2928, "den": 487, "value": "6.012320"}
    assert result["state"] == "active"
    assert case.get("patient_value", as_of="2025-07-12", patient="A")["state"] == "lost"


def test_m34_a_test_person_has_no_value_and_a_merged_one_has_all():
    case = Case()
    case.patient("A", merged_into="B"), case.patient("B"), case.patient("T", is_test=True)
    case.visit("A", "2024-01-10", paid="1000.00")
    assert case.get("patient_value", patient="T") is None
    assert case.get("patient_value", patient="A") == case.get("patient_value", patient="B")
    assert case.get("patient_value", patient="B")["visits"] == 1
