"""The report of the hand-off and of first steps, against a recount in Python that knows nothing of the statements."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.utils import IntegrityError

from core.clock import local_date
from funnel.actions import handoff, steps
from funnel.models import FirstStep, FirstStepMark, HandoffStep, Relay
from funnel.queries import handoff_report as report
from funnel.rules.handoff import Cell, compared
from patients.models import Patient, Visit
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW
TODAY = local_date(NOW, "Europe/Moscow")
BOSS = make.actor("manager")
KINDS = ["admin_doctor", "doctor_curator", "curator_admin"]


def test_a_difference_is_counted_within_strata_alone():
    cells = [
        Cell((1, 1), True, 10, 5), Cell((1, 1), False, 30, 6),  # 0.5 - 0.2 of 40 visits
        Cell((2, 1), True, 20, 5), Cell((2, 1), False, 40, 20),  # 0.25 - 0.5 of 60 visits
        Cell((3, 1), True, 1000, 1000),  # nothing to compare with
    ]  # fmt: skip
    found = compared(cells)
    assert (found.n1, found.hits1, found.n0, found.hits0) == (30, 10, 70, 26)
    assert (found.strata, found.outside, found.little) == (2, 1000, False)
    assert found.difference == pytest.approx((40 * 0.3 - 60 * 0.25) / 100)


def test_without_a_counterpart_there_is_no_difference_and_under_thirty_is_little_data():
    assert compared([]).difference is None
    assert compared([Cell((1, 1), True, 50, 5)]).share0 is None
    assert compared([Cell((1, 1), True, 29, 5), Cell((1, 1), False, 30, 5)]).little
    assert not compared([Cell((1, 1), True, 30, 5), Cell((1, 1), False, 30, 5)]).little


@pytest.fixture
def year():
    """Four hundred visits of sixty people (merged and test ones among them) of three doctors, chains of every kind."""
    dice = random.Random(4)
    doctors, services = [make.doctor() for _ in range(3)], [make.service() for _ in range(3)]
    admins = [make.user("administrator") for _ in range(2)]
    here, there = make.default_branch(), make.branch()
    people = [make.patient(branch=here) for _ in range(60)]
    for n in range(0, 12, 2):
        Patient.objects.filter(pk=people[n].pk).update(
            canonical=people[n + 1], merged_into=people[n + 1], is_test=n == 2
        )
    Patient.objects.filter(pk__in=[people[5].pk, people[20].pk]).update(is_test=True)
    catalogue = list(FirstStep.objects.all())
    for _ in range(400):
        start = NOW - timedelta(minutes=dice.randrange(5, 60 * 24 * 330))
        visit = make.visit(
            dice.choice(people), doctor=dice.choice(doctors), start=start, may_overlap=True,
            branch=dice.choice([here, here, there]), status=dice.choice(["completed"] * 6 + ["no_show", "arrived"]),
        )  # fmt: skip
        for _item in range(dice.randrange(3)):
            make.item(visit, amount=dice.choice([100, 200, 200]), service=dice.choice(services))
        FirstStepMark.objects.bulk_create(
            FirstStepMark(visit=visit, step=one, at=NOW) for one in dice.sample(catalogue, dice.randrange(3))
        )
        _chain(visit, dice, admins)
    _follow_ups(dice)


def _chain(visit, dice, admins):
    if dice.random() < 0.2:
        return
    relay = Relay.objects.create(
        visit=visit, opened_at=NOW, opened_by=dice.choice([*admins, None]), presented=dice.choice([True, False, None]),
        break_reason=dice.choice(["", "hurry", "nobody"]),
    )  # fmt: skip
    ends = [
        {"handed_at": NOW, "late_at": NOW, "acknowledged_at": NOW},
        {"handed_at": NOW, "late_at": NOW, "acknowledged_at": NOW},
        {"handed_at": NOW, "late_at": NOW, "acknowledged_at": NOW},
        {"dropped_at": NOW, "drop_reason": "not_needed"},
        {"dropped_at": NOW, "drop_reason": "hurry"},
        {"handed_at": NOW, "late_at": NOW},
        {},
    ]
    for place, kind in enumerate(KINDS[: dice.randrange(4)]):
        HandoffStep.objects.create(relay=relay, position=place, kind=kind, to_role="doctor", **dice.choice(ends))


def _follow_ups(dice):
    visits = list(Visit.objects.order_by("pk"))
    for visit in dice.sample(visits, 150):
        visit.next_visit = dice.choice(visits)
        visit.save(update_fields=["next_visit"])


class Recount:
    """Everything read plainly; every question answered by loops."""

    def __init__(self, window, branch=None):
        self.root = {p.pk: p.canonical_id or p.pk for p in Patient.objects.all()}
        self.tests = {self.root[p.pk] for p in Patient.objects.filter(is_test=True)}
        self.done, self.chains = defaultdict(list), defaultdict(list)
        for step in HandoffStep.objects.select_related("relay").order_by("position"):
            self.chains[step.relay.visit_id].append(step)
        for visit in Visit.objects.filter(status="completed").select_related("doctor", "relay__opened_by"):
            self.done[self.root[visit.patient_id]].append(visit)
        self.visits = [
            visit
            for person, visits in self.done.items()
            for visit in visits
            if person not in self.tests and window.first <= visit.day <= window.last
            and (branch is None or visit.branch_id == branch)
        ]  # fmt: skip

    def steps(self, visit):
        return self.chains.get(visit.pk, [])

    def broken(self, visit):
        bad = [s.kind for s in self.steps(visit) if s.acknowledged_at is None and s.drop_reason != "not_needed"]
        return bad[0] if bad else ""

    def again(self, visit):
        others = self.done[self.root[visit.patient_id]]
        return any(o.start_at > visit.start_at and 1 <= (o.day - visit.day).days <= 90 for o in others)

    def first(self, visit):
        return not any(o.start_at < visit.start_at for o in self.done[self.root[visit.patient_id]])

    def service(self, visit):
        items = sorted(visit.items.all(), key=lambda item: (-item.amount, item.service_id))
        return items[0].service_id if items else 0

    def compare(self, visits, arm, hit, service=True):
        n, hits = Counter(), Counter()
        for visit in visits:
            key = (visit.doctor_id, self.service(visit) if service else 0, bool(arm(visit)))
            n[key] += 1
            hits[key] += bool(hit(visit))
        both = {key[:2] for key in n if n[(*key[:2], True)] and n[(*key[:2], False)]}
        total = sum(n[(*s, True)] + n[(*s, False)] for s in both)
        gain = sum(
            (n[(*s, True)] + n[(*s, False)])
            * (hits[(*s, True)] / n[(*s, True)] - hits[(*s, False)] / n[(*s, False)])
            for s in both
        )  # fmt: skip
        sums = [sum(c[(*s, a)] for s in both) for a in (True, False) for c in (n, hits)]
        return [*sums, len(both), sum(n.values()) - total, gain / total if total else None]


def same(found, expected):
    told = [found.n1, found.hits1, found.n0, found.hits0, found.strata, found.outside]
    assert told == expected[:6]
    assert found.difference == pytest.approx(expected[6])


@pytest.mark.usefixtures("year")
@pytest.mark.parametrize("days", [30, 90, 365])
@pytest.mark.parametrize("bound", [False, True])
def test_the_report_is_what_a_recount_finds(days, bound):
    branch = make.default_branch().pk if bound else None
    by = make.actor("manager", branch_id=branch)
    recent, ripe = report.windows(TODAY, days)
    assert ((recent.last - recent.first).days + 1, (recent.last - ripe.last).days) == (days, 90)
    told, now, then = report.breaks(by, recent), Recount(recent, branch), Recount(ripe, branch)
    chained = [visit for visit in now.visits if now.steps(visit)]
    kinds = Counter(now.broken(visit) for visit in chained)
    assert (told.n, told.complete) == (len(chained), kinds.pop("", 0))
    labels = {str(HandoffStep.Kind(kind).label): n for kind, n in kinds.items()}
    assert dict(told.steps) == labels
    assert sum(n for _label, n in told.reasons) == sum(kinds.values())
    doctors = Counter(visit.doctor.name for visit in chained)
    assert {line.name: line.n for line in told.doctors} == doctors
    whole = Counter(visit.doctor.name for visit in chained if not now.broken(visit))
    assert {line.name: line.complete for line in told.doctors} == {name: whole[name] for name in doctors}
    admins = Counter(getattr(visit.relay.opened_by, "full_name", "") for visit in chained)
    assert {line.name: line.n for line in told.administrators} == admins
    same(report.booked_next(by, recent), now.compare(chained, lambda v: not now.broken(v), lambda v: v.next_visit_id))
    ripened = [visit for visit in then.visits if then.steps(visit)]
    same(report.came_again(by, ripe), then.compare(ripened, lambda v: not then.broken(v), then.again))
    shown = [visit for visit in ripened if visit.relay.presented is not None]
    same(report.came_after_presentation(by, ripe), then.compare(shown, lambda v: v.relay.presented, then.again))


@pytest.mark.usefixtures("year")
@pytest.mark.parametrize("bound", [False, True])
def test_the_effect_of_first_steps_is_what_a_recount_finds(bound):
    branch = make.default_branch().pk if bound else None
    _recent, ripe = report.windows(TODAY, 365)
    then, since = Recount(ripe, branch), min(mark.visit.day for mark in FirstStepMark.objects.select_related("visit"))
    firsts = [visit for visit in then.visits if then.first(visit) and visit.day >= since]
    told = report.first_step_effects(make.actor("manager", branch_id=branch), ripe)
    assert len(told) == 6
    assert sum(one.comparison.n1 for one in told) > 0
    for one in told:
        expected = then.compare(
            firsts, lambda v, step=one.step: v.first_steps.filter(step=step).exists(), then.again, service=False
        )
        same(one.comparison, expected)


def test_a_report_of_nothing_says_nothing():
    recent, ripe = report.windows(TODAY, 30)
    assert (report.breaks(BOSS, recent).share, report.came_again(BOSS, ripe).difference) == (None, None)
    assert {one.comparison.difference for one in report.first_step_effects(BOSS, ripe)} == {None}


def test_what_was_done_at_a_visit_is_kept_once_and_only_what_is_offered():
    visit = make.visit(make.patient())
    one, other = FirstStep.objects.order_by("pk")[:2]
    steps.switch_first_step(step=other, is_active=False, by=BOSS, now=NOW)
    for _again in range(2):
        steps.mark_first_steps(visit=visit, steps=[one.pk, other.pk], by=BOSS, now=NOW)
    assert list(visit.first_steps.values_list("step", flat=True)) == [one.pk]
    with pytest.raises(IntegrityError), transaction.atomic():
        FirstStepMark.objects.create(visit=visit, step=one, at=NOW)


def test_the_catalogue_takes_a_name_once():
    made = steps.add_first_step(name=" экскурсия  по клинике ", by=BOSS, now=NOW)
    assert str(made) == "экскурсия по клинике"
    for name in ("Экскурсия по клинике", str(FirstStep.objects.order_by("pk")[0]), " "):
        with pytest.raises(steps.NameTaken):
            steps.add_first_step(name=name, by=BOSS, now=NOW)


def test_the_ticks_of_a_visit_without_a_chain_are_kept_too():
    visit = make.visit(make.patient())
    assert handoff.settle_relay(visit=visit, report=handoff.HandReport(), by=BOSS, now=NOW) is None
    told = handoff.HandReport(presented=True, first_steps=[FirstStep.objects.order_by("pk")[0].pk])
    assert handoff.settle_relay(visit=visit, report=told, by=BOSS, now=NOW).presented
    assert visit.first_steps.count() == 1
