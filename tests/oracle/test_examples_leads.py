"""Worked examples of metrics.md: enquiries, funnels and mailings (M13, M19 to M24, M31, M32)."""

import pytest

from .build import Case, instant

YEAR = {"from": "2024-01-01", "to": "2024-12-31"}


def test_m20_unanswered_leads_are_breaches():
    case = Case()
    for answered in ("2024-05-01 12:00:45", "2024-05-01 12:02:00", "2024-05-01 12:02:01", None):
        case.lead("2024-05-01", answered)
    result = case.get("response_sla", **YEAR)
    assert [(result[k]["num"], result[k]["den"]) for k in ("within_60s", "within_120s")] == [(1, 4), (2, 4)]
    assert (result["median_s"], result["p90_s"], result["answered"]) == (120, 121, 3)


@pytest.mark.parametrize(("second", "leads"), [("23:58:00", 1), ("23:58:01", 0)])
def test_m20_a_lead_too_young_to_be_late_is_not_counted(second, leads):
    case = Case()
    case.lead(f"2024-05-01 {second}")
    assert case.get("response_sla", as_of="2024-05-01", **YEAR)["leads"] == leads


def test_m19_spam_duplicates_and_test_persons_are_no_leads():
    case = Case()
    case.patient("T", is_test=True)
    first = case.lead("2024-05-01")
    case.lead("2024-05-01", is_spam=True), case.lead("2024-05-01", duplicate_of=first)
    case.lead("2024-05-01", patient_id="T")
    assert case.get("response_sla", **YEAR)["leads"] == 1


def test_m21_a_stage_waits_for_its_window():
    case = Case()
    for _ in range(10):
        case.lead("2024-05-01")
    result = case.get("funnel_cohort", as_of="2024-06-30", **YEAR)
    assert [result[stage]["mature"] for stage in ("booked", "arrived", "paid", "repeat")] == [10, 10, 10, 0]
    assert result["repeat"]["of_leads"]["value"] is None


@pytest.mark.parametrize(("day", "audience"), [("2024-04-30", "existing"), ("2024-05-01", "new")])
def test_m21_an_existing_patient_came_before_the_day_of_the_lead(day, audience):
    case = Case()
    case.visit("A", day)
    case.lead("2024-05-01 23:00", patient_id="A")
    counts = {a: case.get("funnel_cohort", audience=a, **YEAR)["leads"] for a in ("new", "existing", "all")}
    assert counts == {"new": 0, "existing": 0, "all": 1} | {audience: 1}


def test_m21_a_lead_walks_through_every_stage():
    case = Case()
    lead = case.lead("2024-05-01")
    case.visit("A", "2024-05-20", paid="100.00", lead_id=lead, booked_at=instant("2024-05-15"))
    case.visit("A", "2024-09-13")
    case.patient("B", referrer_id="A")
    case.visit("B", "2025-05-01")
    result = case.get("funnel_cohort", **YEAR)
    assert [result[s]["of_previous"]["num"] for s in ("booked", "arrived", "paid", "repeat", "referral")] == [1] * 5


def test_m21_the_flow_may_exceed_one_hundred_percent():
    case = Case()
    leads = [case.lead("2024-05-01") for _ in range(20)]
    for i in range(25):
        case.booking("A", "2024-05-10", lead_id=leads[i % 20])
    result = case.get("funnel_snapshot", **YEAR)
    assert result["bookings_per_lead"] == {"num": 25, "den": 20, "value": "1.250000"}


def test_m22_losses_name_their_stage_and_reason():
    case = Case()
    case.lead("2024-05-01", lost_at=instant("2024-05-02"), loss_stage="booked", loss_reason="price")
    case.lead("2024-05-01", lost_at=instant("2024-05-02"))
    case.lead("2024-05-01", lost_at=instant("2025-05-02"))
    by = {"booked|price": 1, "unspecified|unspecified": 1}
    assert case.get("losses", **YEAR) == {"total": 2, "by": by}


@pytest.mark.parametrize(("day", "num"), [("2024-01-10", 1), ("2024-07-08", 1), ("2024-07-09", 0)])
def test_m23_the_next_tier_may_come_at_the_same_visit_or_within_180_days(day, num):
    case = Case()
    case.service("magnet", "lead_magnet"), case.service("trip", "tripwire")
    first = case.visit("A", "2024-01-10")
    case.item(first, "magnet", "0.00")
    case.item(first if day == "2024-01-10" else case.visit("A", day), "trip", "100.00")
    pair = case.get("product_funnel", days=180, **YEAR)["pairs"]["lead_magnet>tripwire"]
    assert (pair["num"], pair["den"]) == (num, 1)


def mailing(treatment: list[tuple[str, str]], control: list[tuple[str, str]]) -> Case:
    """Campaign C of 2026-03-01; (paid, cost) of one visit each, ("", "") for those who stayed away."""
    case = Case()
    for arm, people in (("treatment", treatment), ("control", control)):
        for i, (paid, cost) in enumerate(people):
            case.member("C", f"{arm}{i}", arm, "2026-03-01")
            if paid or cost:
                case.visit(f"{arm}{i}", "2026-03-10", paid=paid, cost=cost)
    return case


def test_m24_uplift_has_a_newcombe_interval():
    away = ("", "")
    came = ("1.00", "")
    case = mailing([came] * 30 + [away] * 170, [came] * 5 + [away] * 95)
    result = case.get("campaign", campaign="C", days=30)
    assert result["uplift_f"] == pytest.approx(0.10, rel=1e-12)
    assert result["uplift_ci95_f"] == pytest.approx([0.024831, 0.162865], abs=5e-7)


def test_m24_incremental_revenue_has_a_welch_interval():
    case = mailing([("", ""), ("100.00", ""), ("200.00", ""), ("100.00", "")], [("", ""), ("", ""), ("150.00", "")])
    result = case.get("campaign", campaign="C", days=30)
    assert result["incremental_revenue"] == "200.00"
    assert result["incremental_revenue_ci95_f"] == pytest.approx([-498.41, 898.41], abs=0.005)
    assert result["roi"] is None


def earning(control: int) -> Case:
    """Margin 300.00 each of 100 treated and 200.00 each of the control; 4000.00 spent."""
    case = mailing([("400.00", "100.00")] * 100, [("300.00", "100.00")] * control)
    case.spend("2026-03-01", "4000.00", purpose="retention", campaign_id="C")
    return case


def test_m24_roi_is_of_the_incremental_margin():
    result = earning(50).get("campaign", campaign="C", days=30)
    assert (result["incremental_margin"], result["roi"]) == ("10000.00", "1.500000")


def test_m24_no_roi_for_a_small_arm_or_an_open_window():
    assert earning(29).get("campaign", campaign="C", days=30)["roi"] is None
    case = earning(50)
    case.member("C", "late", "treatment", "2026-12-20")
    result = case.get("campaign", campaign="C", days=30)
    assert (result["immature"], result["roi"], result["incremental_margin"]) == (1, None, "10000.00")


def test_m24_a_person_in_both_arms_through_merged_records_is_dropped():
    case = mailing([("", "")] * 2, [("", "")] * 2)
    case.patient("A", merged_into="B"), case.patient("B")
    case.member("C", "A", "treatment", "2026-03-01"), case.member("C", "B", "control", "2026-03-01")
    result = case.get("campaign", campaign="C", days=30)
    assert (result["contaminated"], result["treatment"]["members"], result["control"]["members"]) == (1, 2, 2)


def test_m13_only_measured_mailings_make_the_return():
    case = earning(50)
    case.spend("2026-05-01", "500.00", purpose="retention")
    result = case.get("retention_roi", **{"from": "2026-01-01", "to": "2026-12-31"})
    assert (result["campaigns"], result["roi"]) == (["C"], "1.500000")
    assert (result["retention_spend"], result["unmeasured_spend"]) == ("4000.00", "500.00")


def test_m31_booking_by_speed_of_the_answer():
    case = Case()
    answers = ("2024-05-01 12:00:40", "2024-05-01 12:01:00", "2024-05-01 12:01:40", "2024-05-01 12:33:20", None)
    leads = [case.lead("2024-05-01", answered) for answered in answers]
    for lead in (leads[0], leads[2]):
        case.booking("A", "2024-05-10", lead_id=lead)
    bands = {name: (row["num"], row["den"]) for name, row in case.get("response_bands", **YEAR).items()}
    assert bands == {"le_60": (1, 2), "le_120": (1, 1), "later": (0, 1), "none": (0, 1)}


def test_m32_what_a_lead_and_a_booking_cost():
    case = Case()
    case.channel("X"), case.channel("Y")
    leads = [case.lead("2024-05-01", channel_id="X") for _ in range(8)]
    for lead in leads[:3]:
        case.booking("A", "2024-05-10", lead_id=lead)
    for _ in range(2):
        case.lead("2024-05-01", channel_id="Y")
    case.spend("2024-05-01", "10000.00", "X")
    result = case.get("cost_per", **YEAR)
    assert (result["X"]["cost_per_lead"], result["X"]["cost_per_booking"]) == ("1250.00", "3333.33")
    assert (result["Y"]["cost_per_lead"], result["Y"]["cost_per_booking"]) == ("0.00", None)
    assert "unknown" not in result
