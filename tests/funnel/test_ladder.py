"""The product ladder: positions and ways counted again in Python, gaps, and no proposal without an indication."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from fractions import Fraction

import pytest
from django.db import IntegrityError, transaction

from funnel.actions.ladder import NoReason, NotIndicated, indicate, offer_step, set_tiers
from funnel.models import Indication
from funnel.queries.ladder import (
    missing_tiers,
    people,
    positions,
    proposable,
    standing,
    steps,
    transitions,
    unclassified,
)
from funnel.rules.ladder import LADDER, Step, matrix, nearest_rank, usual_days
from patients.metrics import Scope
from patients.models import Patient, Touchpoint, VisitItem
from staff.models import AuditEntry, Clinic
from tests import make
from tests.clinics import random_clinic
from tests.load import load

pytestmark = pytest.mark.django_db
D0 = date(1970, 1, 1)


def scope_of(data) -> Scope:
    clinic = Clinic.objects.get(pk=1)
    return Scope(date.fromisoformat(data["clinic"]["as_of"]), clinic.tz, clinic.tz, 365)


def ways_again(scope: Scope) -> dict[tuple[int, str], list[tuple[int, int, str]]]:
    """Independent of the SQL: first day of each step by person and speciality, in order."""
    root = {p.pk: p.canonical_id or p.pk for p in Patient.objects.all()}
    tested = {root[p.pk] for p in Patient.objects.filter(is_test=True)}
    first: dict[tuple[int, str, str], int] = {}
    items = VisitItem.objects.select_related("visit", "service").filter(visit__status="completed")
    for item in items:
        visit, person = item.visit, root[item.visit.patient_id]
        if person in tested or visit.start_at >= scope.t_end or visit.booked_at >= scope.t_end:
            continue
        if item.service.tier in LADDER:
            key = (person, item.service.speciality, item.service.tier)
            first[key] = min(first.get(key, 10**9), (visit.day - D0).days)
    ways = defaultdict(list)
    for (person, speciality, tier), day in first.items():
        ways[person, speciality].append((day, LADDER.index(tier), tier))
    return {key: sorted(way) for key, way in ways.items()}


@pytest.mark.parametrize("seed", range(6))
def test_positions_and_ways_equal_those_counted_again(seed):
    data = random_clinic(seed)
    load(data)
    scope = scope_of(data)
    ways = ways_again(scope)
    tops = {
        (row["patient_id"], row["speciality"], row["tier"], row["day"])
        for row in positions(scope).ask("SELECT * FROM fact")
    }
    assert ways
    highest = {key: max(way, key=lambda reach: reach[1]) for key, way in ways.items()}
    assert tops == {(*key, tier, day) for key, (day, _place, tier) in highest.items()}

    expected: Counter[tuple[str, str, str]] = Counter()
    young: Counter[str] = Counter()
    for (_person, speciality), way in ways.items():
        for here, there in zip(way, [*way[1:], None], strict=True):
            if here[0] + 180 > scope.day:
                young[speciality] += 1
                continue
            went = there is not None and there[0] <= here[0] + 180
            expected[speciality, here[2], there[2] if went else "none"] += 1
    found, immature = transitions(scope)
    counted = {(name, s.earlier, s.later): s.count for name, m in found.items() for row in m.values() for s in row}
    assert counted == dict(expected)
    assert {name: n for name, n in immature.items() if n} == dict(young)
    assert all(sum(step.share for step in row) == 1 for m in found.values() for row in m.values())
    assert sum(counted.values()) + sum(young.values()) == len(steps(scope).page(None, 10_000))


def test_rows_of_the_matrix_sum_to_one_and_the_median_is_by_nearest_rank():
    found = matrix([("core", "return", 10, 1), ("core", "return", 40, 2), ("core", "none", None, 4)])
    assert [(s.later, s.share, s.median) for s in found["core"]] == [
        ("return", Fraction(3, 7), 40),
        ("none", Fraction(4, 7), None),
    ]
    assert nearest_rank((1, 2, 3, 4), Fraction(1, 2)) == 2


def test_the_usual_time_is_that_of_three_of_four_once_enough_people_went_on():
    few = Step("core", "return", 29, Fraction(1), tuple(range(29)))
    many = Step("core", "return", 40, Fraction(1), tuple(range(1, 41)))
    assert usual_days([few], 90) == 90
    assert usual_days([many], 90) == 30
    assert usual_days([], 90) == 90


def test_stuck_are_those_past_the_usual_time_without_a_booking():
    service, today = make.service(tier="tripwire", speciality="эко'{x}"), date(2026, 3, 2)
    waiting, booked = make.patient(), make.patient()
    for person in (waiting, booked):
        make.item(make.visit(person, start=make.NOW - timedelta(days=100)), service=service, amount=0)
    make.visit(booked, start=make.NOW + timedelta(days=9), status="scheduled", booked_at=make.NOW - timedelta(days=1))
    scope = Scope(today, "Europe/Moscow", "Europe/Moscow", 365)
    name = service.speciality

    def stuck(days):
        found = standing(scope, name, dict.fromkeys(LADDER, days))
        return [row["patient_id"] for row in people(found, {"tier": "tripwire", "stuck": 1}, 0, 9)[0]]

    assert stuck(99) == [waiting.pk]
    assert stuck(100) == []
    assert len(people(standing(scope, name, dict.fromkeys(LADDER, 100)), {}, 0, 9)[0]) == 2
    Patient.objects.filter(pk=waiting.pk).update(natural_churn_reason="moved")
    assert stuck(99) == []


def test_other_by_default_is_a_gap_and_other_by_choice_is_none():
    service = make.service(tier="other", speciality="терапия")
    assert list(unclassified()) == [service]
    assert missing_tiers() == {"терапия": list(LADDER)}
    assert set_tiers(tiers={service.pk: "other"}, by=make.actor(), now=make.NOW) == 1
    assert set_tiers(tiers={service.pk: "other"}, by=make.actor(), now=make.NOW) == 1
    assert not unclassified().exists()
    assert AuditEntry.objects.latest("id").deed == "edit_ladder"


def say(patient, service, kind, reason="по показаниям"):
    return indicate(
        patient=patient, service=service, kind=kind, doctor=make.doctor(), reason=reason, by=make.actor(), now=make.NOW
    )


def test_nothing_is_offered_without_an_indication_or_against_one():
    patient, service = make.patient(), make.service()

    def offer():
        return offer_step(patient=patient, service=service, outcome="agreed", by=make.actor(), now=make.NOW)

    with pytest.raises(NotIndicated):
        offer()
    with pytest.raises(NoReason):
        say(patient, service, "indicated", "  ")
    say(patient, service, "indicated")
    assert offer().kind == "offer"
    say(patient, service, "forbidden")
    with pytest.raises(NotIndicated):
        offer()
    assert Touchpoint.objects.filter(kind="offer").count() == 1
    assert not proposable([patient.pk]).exists()


def test_a_word_on_a_merged_record_forbids_for_the_person():
    person = make.patient()
    twin = make.patient(merged_into=person, canonical=person)
    service = make.service()
    word = {"service": service, "doctor": make.doctor(), "reason": "x", "created_at": make.NOW}
    Indication.objects.create(patient=twin, kind="forbidden", **word)
    Indication.objects.create(patient=person, kind="indicated", **word)
    assert not proposable([person.pk, twin.pk]).exists()


def test_the_database_keeps_one_open_word_with_a_reason():
    patient, service = make.patient(), make.service()
    say(patient, service, "indicated")
    word = {"patient": patient, "service": service, "doctor": make.doctor(), "created_at": make.NOW}
    for wrong in ({"kind": "forbidden", "reason": "x"}, {"kind": "indicated", "reason": "", "closed_at": make.NOW}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Indication.objects.create(**word, **wrong)
