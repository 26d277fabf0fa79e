"""The relay of a visit: one tap takes the baton, a dropped one is seen at once, and every end is good or explained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.db.utils import IntegrityError

from core.clock import local_date
from funnel.actions import handoff as actions
from funnel.actions.handoff import AlreadyTaken, HandReport, NotItsTurn, NotYours
from funnel.models import HandoffStep
from funnel.queries import handoff as queries
from patients.models import Visit, WorkItem
from reception import actions as reception
from staff.access import Actor
from staff.models import AuditEntry
from tests import make
from tests.funnel.relay_house import CHAIN, NOW, coming, person, relay_house, relay_of

pytestmark = pytest.mark.django_db
DAY = local_date(NOW, "Europe/Moscow")


@pytest.fixture(autouse=True)
def _one_step_in(settings):
    settings.REQUIRE_TOTP = False


@pytest.fixture
def house(db):
    return relay_house()


def test_who_arrives_is_handed_to_the_doctor_in_the_same_deed(house):
    visit = coming(house, status="scheduled", start=datetime.now(UTC))
    reception.change_visit(verb="arrive", visit=visit, by=house["administrator"], now=datetime.now(UTC))
    steps = list(HandoffStep.objects.filter(relay__visit=visit).order_by("position"))
    assert [step.kind for step in steps] == list(CHAIN)
    assert [bool(step.handed_at) for step in steps] == [True, False, False]
    assert (steps[0].from_user_id, steps[0].to_doctor) == (house["administrator"].id, house["doctor"])
    assert steps[0].late_at - steps[0].handed_at == timedelta(minutes=10)


def test_a_speciality_without_a_chain_has_no_relay_and_everybodys_chain_serves_the_rest(house):
    other = make.visit(make.patient(), doctor=make.doctor(speciality="хирургия"), status="arrived")
    assert actions.open_relay(visit=other, by=make.actor(), now=NOW) is None
    actions.set_chain(speciality="", kinds=["admin_doctor"], limit_minutes=5, by=make.actor(), now=NOW)
    assert actions.open_relay(visit=other, by=make.actor(), now=NOW).steps.count() == 1
    assert relay_of(house)[0].steps.count() == 3
    actions.set_chain(speciality="хирургия", kinds=[], limit_minutes=5, by=make.actor(), now=NOW)
    third = make.visit(make.patient(), doctor=other.doctor, status="arrived", start=NOW + timedelta(hours=1))
    assert actions.open_relay(visit=third, by=make.actor(), now=NOW) is None


def test_the_baton_goes_from_hand_to_hand(house):
    relay, (first, second, third) = relay_of(house)
    dr, curator, desk = house["dr"], house["curator"], house["administrator"]
    with pytest.raises(NotItsTurn):
        actions.hand_over(step=second, by=dr, now=NOW)
    with pytest.raises(NotYours):
        actions.take_baton(step=first, by=curator, now=NOW)
    assert [step.pk for step in queries.to_take(dr, DAY)] == [first.pk]
    actions.take_baton(step=first, by=dr, now=NOW + timedelta(minutes=1))
    assert [step.pk for step in queries.to_give(dr, DAY)] == [second.pk]
    with pytest.raises(NotYours):
        actions.hand_over(step=second, by=person("doctor", doctor=make.doctor()), now=NOW)
    actions.hand_over(step=second, by=dr, now=NOW + timedelta(minutes=30))
    with pytest.raises(NotItsTurn):
        actions.hand_over(step=second, by=dr, now=NOW + timedelta(minutes=30))
    actions.take_baton(step=second, by=curator, now=NOW + timedelta(minutes=31))
    actions.hand_over(step=third, by=curator, now=NOW + timedelta(minutes=40))
    assert [step.pk for step in queries.to_take(desk, DAY)] == [third.pk]
    actions.take_baton(step=third, by=desk, now=NOW + timedelta(minutes=41))
    with pytest.raises(AlreadyTaken):
        actions.take_baton(step=third, by=house["manager"], now=NOW + timedelta(minutes=41))
    kept = relay.steps.order_by("position").values_list("from_user", "acknowledged_by")
    assert list(kept) == [(desk.id, dr.id), (dr.id, curator.id), (curator.id, desk.id)]
    deeds = AuditEntry.objects.filter(patient_id=relay.visit.patient_id).values_list("deed", flat=True)
    assert sorted(deeds) == ["hand_over", "hand_over", "take_baton", "take_baton", "take_baton"]


def test_the_patients_own_curator_is_asked_first(house):
    own = person("curator")
    visit = make.visit(make.patient(curator_id=own.id), doctor=house["doctor"], status="arrived")
    _relay, (first, second, _third) = relay_of(house, visit)
    actions.take_baton(step=first, by=house["dr"], now=NOW)
    actions.hand_over(step=second, by=house["dr"], now=NOW)
    with pytest.raises(NotYours):
        actions.take_baton(step=second, by=house["curator"], now=NOW)
    assert queries.to_take(house["curator"], DAY) == []
    actions.take_baton(step=second, by=own, now=NOW)


def test_a_step_that_is_dropped_says_why_and_the_chain_goes_on(house):
    relay, (first, second, third) = relay_of(house)
    actions.take_baton(step=first, by=house["dr"], now=NOW)
    with pytest.raises(NotYours):
        actions.drop_baton(step=second, reason="nobody", by=person("doctor", doctor=make.doctor()), now=NOW)
    with pytest.raises(ValueError, match="because"):
        actions.drop_baton(step=second, reason="because", by=house["dr"], now=NOW)
    actions.drop_baton(step=second, reason="nobody", by=house["dr"], now=NOW)
    relay.refresh_from_db()
    assert (relay.break_reason, relay.broken_by_id) == ("nobody", house["dr"].id)
    actions.hand_over(step=third, by=house["curator"], now=NOW)
    with pytest.raises(AlreadyTaken):
        actions.drop_baton(step=second, reason="hurry", by=house["dr"], now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"acknowledged_at": NOW},
        {"handed_at": NOW, "late_at": NOW, "acknowledged_at": NOW - timedelta(seconds=1)},
        {"dropped_at": NOW},
        {"drop_reason": "hurry"},
        {"handed_at": NOW},
        {"position": 0},
    ],
)
def test_the_database_refuses_a_step_that_cannot_be(house, wrong):
    _relay, steps = relay_of(house)
    with pytest.raises(IntegrityError), transaction.atomic():
        HandoffStep.objects.filter(pk=steps[1].pk).update(**wrong)


def test_a_baton_that_nobody_takes_is_on_the_board_after_the_limit_and_leaves_it_when_taken(house):
    _relay, steps = relay_of(house)
    boss = house["manager"]
    late = NOW + timedelta(minutes=10)
    assert queries.dropped(boss, DAY, late - timedelta(seconds=1)) == []
    assert [step.pk for step in queries.dropped(boss, DAY, late)] == [steps[0].pk]
    actions.take_baton(step=steps[0], by=house["dr"], now=late)
    assert queries.dropped(boss, DAY, late) == []


def test_a_visit_that_is_over_with_its_chain_open_is_on_the_board_until_it_is_explained(house):
    relay, steps = relay_of(house)
    Visit.objects.filter(pk=relay.visit_id).update(status="completed")
    assert [step.pk for step in queries.dropped(house["manager"], DAY, NOW)] == [steps[0].pk]
    actions.explain_break(visit=relay.visit, reason="hurry", note="поезд", by=house["administrator"], now=NOW)
    assert queries.dropped(house["manager"], DAY, NOW) == []


def test_another_branch_sees_nothing_and_cannot_touch_it(house, client):
    relay, steps = relay_of(house)
    Visit.objects.filter(pk=relay.visit_id).update(status="completed")
    stranger = make.user("manager", branch=make.branch())
    by = Actor(kind="user", id=stranger.pk, name="x", role="manager", branch_id=stranger.branch_id)
    assert queries.dropped(by, DAY, NOW) == []
    assert not queries.ended_badly(by, DAY).exists()
    client.force_login(stranger)
    for verb in ("take", "give", "drop"):
        assert client.post(f"/handoff/{steps[0].pk}/{verb}/", {"reason": "hurry"}).status_code == 404
    assert client.post("/handoff/today/", {"visit": relay.visit_id, "reason": "hurry"}).status_code == 404


def test_the_end_of_a_visit_is_good_or_explained(house):
    """Against a recount in Python: (whole chain or none) and (next booking with a goal, or why none), or a reason."""
    later = coming(house, start=NOW + timedelta(days=9), status="scheduled", goal="осмотр")
    aimless = coming(house, start=NOW + timedelta(days=9, hours=1), status="scheduled")
    expected = set()
    for n in range(24):
        ends = [{"next_visit": later}, {"next_visit": aimless}, {"no_next_reason": "course_over"}, {}][n % 4]
        visit = coming(house, status="completed", start=NOW + timedelta(minutes=30 * n - 300), day=DAY, **ends)
        chain = ["none", "open", "whole", "not_needed", "dropped", "explained"][n // 4]
        if chain != "none":
            _relay, steps = relay_of(house, visit)
            if chain in ("whole", "not_needed", "dropped"):
                actions.settle_relay(visit=visit, report=HandReport(passed=(0, 1)), by=house["administrator"], now=NOW)
            if chain == "whole":
                actions.settle_relay(visit=visit, report=HandReport(whole=True), by=house["administrator"], now=NOW)
            if chain in ("not_needed", "dropped"):
                why = "not_needed" if chain == "not_needed" else "hurry"
                actions.drop_baton(step=steps[2], reason=why, by=house["curator"], now=NOW)
            if chain == "explained":
                actions.explain_break(visit=visit, reason="other", note="", by=house["administrator"], now=NOW)
        goal_or_reason = n % 4 in (0, 2)
        if chain not in ("dropped", "explained") and not (goal_or_reason and chain != "open"):
            expected.add(visit.pk)
    bad = queries.ended_badly(house["administrator"], DAY)
    assert set(bad.values_list("pk", flat=True)) == expected
    assert len(expected) == 10
    open_ones = {pk for pk in expected if HandoffStep.objects.filter(relay__visit=pk, acknowledged_at=None).exists()}
    label = str(HandoffStep.Kind.ADMIN_DOCTOR.label)
    broken = queries.broken_at(list(bad))
    assert {pk for pk, said in broken.items() if str(said) == label} == {
        pk for pk in open_ones if not HandoffStep.objects.filter(relay__visit=pk, drop_reason="not_needed").exists()
    }


def test_a_doctor_finds_his_own_visits_alone_among_those_that_ended_badly(house):
    mine = coming(house, status="completed", day=DAY)
    make.visit(make.patient(), doctor=make.doctor(), day=DAY)
    assert [visit.pk for visit in queries.ended_badly(house["dr"], DAY)] == [mine.pk]


def test_the_ticks_of_the_desk_leave_what_was_taken_as_it_was(house):
    relay, (first, second, third) = relay_of(house)
    actions.take_baton(step=first, by=house["dr"], now=NOW + timedelta(minutes=2))
    report = HandReport(passed=(0, 1), break_reason="nobody", presented=True)
    for _again in range(2):
        actions.settle_relay(visit=relay.visit, report=report, by=house["administrator"], now=NOW + timedelta(hours=1))
    for step in (first, second, third):
        step.refresh_from_db()
    relay.refresh_from_db()
    assert (first.acknowledged_at, first.acknowledged_by_id) == (NOW + timedelta(minutes=2), house["dr"].id)
    assert (second.acknowledged_at, second.acknowledged_by) == (NOW + timedelta(hours=1), None)
    assert (third.handed_at, relay.break_reason, relay.presented) == (None, "nobody", True)


def test_the_curator_has_one_piece_of_work_a_visit_unless_the_clinic_was_presented(house):
    curator = make.user("curator")
    gone = make.user("curator", is_active=False)
    known, stranger, left = make.patient(curator=curator), make.patient(), make.patient(curator=gone)
    twin = make.patient(canonical=known, merged_into=known)
    visits = [make.visit(one) for one in (known, stranger, left, twin)]
    told, old = make.visit(known, start=NOW), make.visit(known, start=NOW - timedelta(days=3))
    actions.settle_relay(visit=told, report=HandReport(presented=True), by=house["administrator"], now=NOW)
    ids = [visit.pk for visit in (*visits, told, old)]
    assert [actions.open_curator_work(visits=ids, now=NOW) for _again in range(2)] == [2, 0]
    work = WorkItem.objects.filter(kind="curator").order_by("visit")
    assert [(one.visit_id, one.assignee_id) for one in work] == [(visits[0].pk, curator.pk), (visits[3].pk, curator.pk)]
