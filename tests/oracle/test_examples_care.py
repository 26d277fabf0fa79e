"""Worked examples of metrics.md: staying, the diary, recall, satisfaction (M14 to M18, M25 to M30)."""

import pytest

from .build import Case, instant


def seen_on(*days: str, **settings) -> Case:
    """One patient with a visit on each of these days."""
    case = Case(**settings)
    for day in days:
        case.visit("A", day)
    return case


def test_m14_a_return_on_the_last_day_is_not_a_loss():
    result = seen_on("2023-05-10", "2024-05-09").get("churn_year", as_of="2024-12-31", year=2024)
    assert (result["lost"], result["reactivated"]) == (0, 0)


def test_m14_a_return_one_day_later_is_a_loss_and_a_reactivation():
    result = seen_on("2023-05-10", "2024-05-10").get("churn_year", as_of="2024-12-31", year=2024)
    assert (result["lost"], result["reactivated"], result["base"]) == (1, 1, 1)


def test_m14_a_new_patient_of_a_leap_year_may_be_lost_in_it():
    case = seen_on("2024-01-01")
    assert [case.get("churn_year", as_of="2024-12-31", year=2024)[k] for k in ("new", "lost")] == [1, 1]
    assert case.get("churn_year", as_of="2024-12-30", year=2024)["lost"] == 0


def year_of_change() -> Case:
    """400 active at the start of 2024, 100 new, 20 reactivated (5 of them active at the start), 60 lost."""
    case = Case()
    for i in range(345):
        case.visit(f"stay{i}", "2023-12-01"), case.visit(f"stay{i}", "2024-06-01")
    for i in range(50):  # lost on 2024-05-09
        reason = "died" if i < 12 else "recovered" if i < 14 else None
        case.patient(f"lost{i}", natural_churn_reason=reason, natural_churn_date="2024-01-15" if reason else None)
        case.visit(f"lost{i}", "2023-05-10")
    for i in range(5):  # lost on 2024-01-05, back in March
        case.visit(f"both{i}", "2023-01-05"), case.visit(f"both{i}", "2024-03-01")
    for i in range(15):
        case.visit(f"back{i}", "2022-01-01"), case.visit(f"back{i}", "2024-03-01")
    for i in range(100):
        case.visit(f"new{i}", "2024-01-01" if i < 5 else "2024-05-01")
    case.spend("2024-02-01", "10000.00")
    return case


def test_m15_the_year_in_the_example():
    result = year_of_change().get("churn_year", as_of="2024-12-31", year=2024)
    assert [result[k] for k in ("active_at_start", "new", "reactivated", "base")] == [400, 100, 20, 515]
    assert [result[k] for k in ("lost", "lost_natural", "lost_recovered", "lost_avoidable")] == [60, 12, 2, 46]
    values = {k: result[k]["value"] for k in ("churn", "inflow", "churn_of_active", "avoidable_churn")}
    assert values == {
        "churn": "0.116505", "inflow": "0.194175", "churn_of_active": "0.137500", "avoidable_churn": "0.089320",
    }  # fmt: skip
    assert result["churn_after_allowance"] == {"num": 4455, "den": 51500, "value": "0.086505"}
    assert result["status"] == "ok"
    assert [result[k] for k in ("replacement_cost", "replacement_cost_avoidable")] == ["6000.00", "4600.00"]


@pytest.mark.parametrize(("moved", "natural"), [("2023-11-02", 1), ("2023-05-01", 0), ("2024-05-20", 0)])
def test_m15_a_reason_counts_between_the_last_visit_and_the_loss(moved, natural):
    case = Case()
    case.patient("A", natural_churn_reason="moved", natural_churn_date=moved)
    case.visit("A", "2023-05-10")
    result = case.get("churn_year", year=2024)
    assert (result["lost_natural"], result["lost_avoidable"]) == (natural, 1 - natural)


@pytest.mark.parametrize(("back", "success"), [("2024-03-31", 1), ("2024-04-01", 0), ("2024-03-01", 0)])
def test_m16_day_thirty_is_still_in_time(back, success):
    result = seen_on("2024-03-01", back).get("repeat_rate", year=2024, days=30)
    assert result["primary"] == {"num": success, "den": 1, "value": f"{success}.000000", "immature": 0}


def test_m16_an_existing_patient_is_followed_from_the_first_day_in_the_period():
    result = seen_on("2023-11-05", "2024-02-01", "2024-02-25").get("repeat_rate", year=2024, days=30)
    assert (result["existing"]["num"], result["existing"]["den"], result["primary"]["den"]) == (1, 1, 0)


def test_m16_a_new_patient_is_primary_only():
    result = seen_on("2024-01-10", "2024-02-01").get("repeat_rate", year=2024, days=30)
    assert (result["existing"]["den"], result["primary"]["den"]) == (0, 1)


def test_m17_no_shows_are_of_those_who_did_not_cancel():
    case = Case()
    for status, count in (("completed", 90), ("no_show", 10), ("cancelled_patient", 8)):
        for _ in range(count):
            case.booking("A", "2024-05-10", status)
    result = case.get("no_show", year=2024)
    assert (result["no_show"]["value"], result["cancelled_by_patient"]["value"]) == ("0.100000", "0.074074")


@pytest.mark.parametrize(
    ("booked", "cancelled", "start", "rebooked", "covered"),
    [
        ("2024-05-10 10:40", None, "2024-06-10", 1, 1),
        ("2024-05-10 23:59", None, "2024-06-10", 1, 1),
        ("2024-05-11 00:01", None, "2024-06-10", 0, 0),
        ("2024-05-09 10:00", None, "2024-06-10", 0, 1),
        ("2024-05-09 10:00", "2024-05-10 09:59", "2024-06-10", 0, 0),
        ("2024-05-10 10:40", None, "2024-05-10 18:00", 0, 0),
    ],
)
def test_m18_rebooked_is_booked_before_the_day_is_over(booked, cancelled, start, rebooked, covered):
    case = Case()
    case.visit("A", "2024-05-10 10:00")
    more = {"status": "cancelled_patient", "cancelled_at": instant(cancelled)} if cancelled else {}
    case.booking("A", start, booked_at=instant(booked), **more)
    result = case.get("rebooking", year=2024)
    assert (result["rebooked_at_visit"]["num"], result["covered_by_future_booking"]["num"]) == (rebooked, covered)


@pytest.mark.parametrize(
    ("marks", "nps"), [((9, 9, 7), "66.7"), ((6, 6, 9), "-33.3"), ((0, *[7] * 15), "-6.3"), ((), None)]
)
def test_m25_nps_has_one_digit(marks, nps):
    case = Case()
    for i, mark in enumerate(marks):
        case.survey(case.visit(f"P{i}", "2024-05-10"), f"P{i}", "2024-05-10", "2024-05-11", nps=mark)
    assert case.get("satisfaction", year=2024)["nps"] == {"responses": len(marks), "nps": nps}


def test_m25_a_visit_is_asked_about_by_the_next_day_or_too_late():
    case = Case()
    for sent in ("2024-05-10 20:00", "2024-05-11 20:00", "2024-05-12", None):
        visit = case.visit("A", "2024-05-10")
        if sent:
            case.survey(visit, "A", sent)
    asked = case.get("satisfaction", year=2024)["asked_by_next_day"]
    assert asked == {"num": 2, "den": 4, "value": "0.500000"}


def test_m26_a_doctor_retains_those_who_began_with_him():
    case = Case()
    case.visit("A", "2024-01-10", doctor="X", paid="100.00"), case.visit("A", "2024-07-08", doctor="Y")
    case.visit("B", "2024-01-10", doctor="X"), case.visit("B", "2024-07-09", doctor="X")
    card = case.get("doctor_scorecard", year=2024)["X"]
    assert (card["retained_180"]["num"], card["retained_180"]["den"]) == (1, 2)
    assert card["returned_to_doctor_180"]["num"] == 0
    assert (card["patient_ltv"], card["primary_patients"]) == ("50.00", 2)


def test_m27_overlapping_visits_fill_a_shift_once():
    case = Case()
    case.add(
        "shifts", doctor_id=case.doctor("D"), start_at=instant("2024-05-10 08:00"), end_at=instant("2024-05-10 14:00")
    )
    for start, end in (("09:00", "10:00"), ("09:30", "10:30"), ("13:45", "14:15")):
        case.visit("A", f"2024-05-10 {start}", end=f"2024-05-10 {end}")
    worked = case.get("utilisation", year=2024)["D"]["worked"]
    assert worked == {"num": 6300, "den": 21600, "value": "0.291667"}


def test_m28_frequency_is_ranked_among_those_seen_within_a_year():
    case = Case()
    case.visit("P0", "2020-01-10"), case.visit("P1", "2020-01-10")
    for patient, count in (("P2", 1), ("P3", 3), ("P4", 7)):
        for i in range(count):
            case.visit(patient, f"2026-{i + 1:02d}-10")
    cells = case.get("rfm", as_of="2026-12-31")["cells"]
    assert sorted(int(cell[1]) for cell, n in cells.items() for _ in range(n)) == [1, 1, 1, 2, 4]


def test_m28_two_visit_days_are_not_loyal_whatever_their_score():
    case = Case()
    for i in range(4):
        case.visit(f"P{i}", "2026-06-10")
    case.visit("Q", "2026-05-10"), case.visit("Q", "2026-06-10")
    result = case.get("rfm", as_of="2026-12-31")
    assert result["cells"]["151"] == result["cells"]["111"] / 4 == 1
    assert "loyal" not in result["segments"]


def recommended(*more: tuple[str, str, str | None]) -> Case:
    """A cardiologist on 2025-03-01 asked the patient to return on 2025-06-01; then (day, doctor, recommended) each."""
    case = Case()
    case.doctor("heart", "cardiology"), case.doctor("heart2", "cardiology"), case.doctor("tooth", "dentistry")
    case.visit("A", "2025-03-01", doctor="heart", recommended_return_date="2025-06-01")
    for day, doctor, due in more:
        case.visit("A", day, doctor=doctor, recommended_return_date=due)
    return case


@pytest.mark.parametrize(
    ("visits", "bucket"),
    [
        ([("2025-05-10", "heart2", None)], "no_due_date"),
        ([("2025-04-15", "heart2", None)], "overdue_31_90"),
        ([("2025-05-10", "tooth", None)], "overdue_31_90"),
        ([("2025-04-15", "heart2", "2025-09-01")], "not_due"),
    ],
)
def test_m29_a_visit_to_the_specialty_within_thirty_days_before_satisfies(visits, bucket):
    assert recommended(*visits).get("overdue", as_of="2025-07-05")["buckets"] == {bucket: 1}


def test_m29_a_cancelled_booking_is_not_a_booking():
    case = recommended()
    booked = instant("2025-07-01")
    later = {"cancelled_at": instant("2025-07-06"), "booked_at": booked}
    case.booking("A", "2025-08-01", "cancelled_patient", **later)
    assert case.get("overdue", as_of="2025-07-05")["buckets"] == {"booked": 1}
    assert case.get("overdue", as_of="2025-07-06")["buckets"] == {"overdue_31_90": 1}


@pytest.mark.parametrize(("again", "num", "den"), [("2025-04-15", 0, 0), ("2025-05-10", 1, 1)])
def test_m29_a_recommendation_replaced_early_is_left_out_of_compliance(again, num, den):
    case = recommended((again, "heart2", "2025-09-01"))
    june = {"from": "2025-06-01", "to": "2025-06-30"}
    on_time = case.get("recommendation_compliance", as_of="2025-07-05", **june)["on_time"]
    assert (on_time["num"], on_time["den"]) == (num, den)


@pytest.mark.parametrize(
    ("as_of", "bucket"),
    [("2024-04-30", "on_time"), ("2024-05-10", "late"), ("2024-05-11", "overdue"), ("2024-06-10", "critical")],
)
def test_m30_silence_is_measured_by_the_lower_median_gap(as_of, bucket):
    case = seen_on("2024-01-01", "2024-01-11", "2024-01-31", "2024-03-01", "2024-04-10")  # gaps 10, 20, 30, 40
    assert case.get("cadence", as_of=as_of) == {"patients_with_cadence": 1, "buckets": {bucket: 1}}
