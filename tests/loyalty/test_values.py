"""Value facts of patients: the same whether made for all, for one, or read live; and equal to the metrics."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.forms.models import model_to_dict

from analytics.metrics import compute
from core.money import mean_money, money_text
from loyalty.actions import refresh_values
from loyalty.models import PatientValue, ValueBasis
from loyalty.queries import live_scope, live_value
from loyalty.rules import RULES, churn_state
from patients.models import Patient
from staff.models import Clinic, Doctor, LossRule
from tests import make, oracle
from tests.clinics import random_clinic
from tests.load import load
from tests.oracle import ltv
from tests.oracle.recall import scores, segment
from tests.oracle.world import World

pytestmark = pytest.mark.django_db
IGNORED = ("refreshed_at",)


def noon_after(clinic: dict) -> datetime:
    return datetime.combine(date.fromisoformat(clinic["clinic"]["as_of"]), time(3), UTC) + timedelta(days=1)


def as_dict(value: PatientValue) -> dict:
    return {k: v for k, v in model_to_dict(value).items() if k not in IGNORED}


@pytest.fixture(params=[3, 4])
def clinic(request):
    data = random_clinic(request.param, patients=40)
    load(data)
    return data


def test_facts_of_everybody_are_the_figures_of_the_metrics(clinic):
    now = noon_after(clinic)
    refresh_values(patients=None, now=now)
    day = live_scope(now).as_of
    codes = dict(Doctor.objects.values_list("id", "external_id"))
    for value in PatientValue.objects.select_related("patient"):
        figure = compute("patient_value", {"patient": value.patient.external_id, "as_of": day}, now)
        assert (value.visits, value.visit_days, value.paid_visits) == (
            figure["visits"], figure["visit_days"], figure["paid_visits"],
        )  # fmt: skip
        assert money_text(value.revenue) == figure["revenue"] and money_text(value.margin) == figure["margin"]
        assert mean_money(value.paid_sum, value.paid_visits) == figure["average_check"]
        assert (value.first_day and value.first_day.isoformat()) == figure["d0"]
        assert (value.last_day and value.last_day.isoformat()) == figure["dl"]
        assert codes.get(value.first_doctor_id) == figure["first_doctor"]


def test_ranks_and_horizons_are_those_of_the_oracle(clinic):
    refresh_values(patients=None, now=noon_after(clinic))
    world = World(oracle.load(clinic), ValueBasis.objects.get().as_of)
    table = scores(world)
    values = {v.patient.external_id: v for v in PatientValue.objects.select_related("patient")}
    assert set(values) == set(world.persons)
    for person in world.acquired:
        value = values[person.id]
        assert value.rfm == "{}{}{}".format(*table[person.id])
        assert value.segment == segment(world, person, *table[person.id])
        assert value.second_day == (person.days[1] if len(person.days) > 1 else None)
        for months in (12, 36, 60):
            assert getattr(value, f"revenue_{months}") == ltv.within(person, ltv.Person.revenue_events, months)
            assert getattr(value, f"margin_{months}") == ltv.within(person, ltv.Person.margin_events, months)


def test_a_refresh_of_one_and_the_live_value_equal_the_rebuild_of_all(clinic):
    now = noon_after(clinic)
    refresh_values(patients=None, now=now)
    before = {v.pk: as_dict(v) for v in PatientValue.objects.all()}
    some = list(Patient.objects.values_list("id", flat=True))[::2]
    assert refresh_values(patients=some, now=now) > 0
    assert {v.pk: as_dict(v) for v in PatientValue.objects.all()} == before
    for pk in list(before)[:10]:
        assert as_dict(live_value(pk, now)) == before[pk]


def test_the_state_in_sql_is_that_of_the_rule(clinic):
    LossRule.objects.create(speciality="dentistry", theta_days=200)
    now = noon_after(clinic)
    refresh_values(patients=None, now=now)
    world = World(oracle.load(clinic), ValueBasis.objects.get().as_of)
    special = set(Doctor.objects.filter(speciality="dentistry").values_list("external_id", flat=True))
    seen = set()
    for value in PatientValue.objects.select_related("patient"):
        person = world.persons[value.patient.external_id]
        if not person.visits:
            assert (value.state, value.rule) == ("none", "no_visit")
            continue
        dentist = person.visits[-1].doctor_id in special
        gaps = sorted((b - a).days for a, b in zip(person.days, person.days[1:], strict=False))
        rhythm = gaps[(len(gaps) - 1) // 2] if len(gaps) >= 3 else None
        natural = any(r.natural_churn_reason and person.dl <= r.natural_churn_date <= world.D for r in person.records)
        theta = 200 if dentist else world.theta.days
        expected = churn_state((world.D - person.dl).days, theta, dentist, rhythm, natural)
        if len([v for v in person.visits if v.date == person.dl]) == 1:  # else the later of two on one day decides
            assert (value.state, value.rule) == expected
        assert value.rule in RULES
        seen.add(value.state)
    assert {"active", "lost"} <= seen


def test_a_booking_ahead_stands_beside_the_state_and_does_not_change_it():
    Clinic.objects.update(theta_days=365)
    patient = make.patient()
    make.visit(patient, start=make.NOW - timedelta(days=500))
    make.visit(patient, start=make.NOW + timedelta(days=3), status="scheduled")
    refresh_values(patients=[patient.pk], now=make.NOW)
    value = PatientValue.objects.get(pk=patient.pk)
    assert value.state == "lost" and value.booked_at == make.NOW + timedelta(days=3)


def test_test_people_and_merged_records_have_no_row():
    root, other, tester = make.patient(), make.patient(), make.patient(is_test=True)
    for person in (root, other, tester):
        make.visit(person)
    refresh_values(patients=[root.pk, other.pk, tester.pk], now=make.NOW)
    assert PatientValue.objects.count() == 2
    Patient.objects.filter(pk=other.pk).update(merged_into=root, canonical=root)
    refresh_values(patients=[other.pk], now=make.NOW)
    (value,) = PatientValue.objects.all()
    assert value.pk == root.pk and value.visits == 2


def test_the_number_of_queries_does_not_depend_on_the_number_of_patients(django_assert_num_queries):
    refresh_values(patients=None, now=make.NOW)
    people = [make.patient() for _ in range(12)]
    for person in people:
        make.visit(person)
    refresh_values(patients=None, now=make.NOW)
    queries = 15 if connection.vendor == "postgresql" else 13  # there the table is locked
    with django_assert_num_queries(queries):
        refresh_values(patients=[people[0].pk], now=make.NOW)
    with django_assert_num_queries(queries):
        refresh_values(patients=[p.pk for p in people], now=make.NOW)


def test_of_two_visits_at_the_same_moment_the_smaller_code_is_the_first():
    patient, doctors = make.patient(), [make.doctor(), make.doctor()]
    make.visit(patient, start=make.NOW, doctor=doctors[0], external_id="b")
    make.visit(patient, start=make.NOW, doctor=doctors[1], external_id="B")
    refresh_values(patients=None, now=make.NOW)
    assert PatientValue.objects.get(pk=patient.pk).first_doctor == doctors[1]  # by code point


def test_money_dated_ahead_and_a_refund_of_a_visit_change_what_was_paid_for_it():
    patient = make.patient()
    paid, free, ahead = (make.visit(patient, start=make.NOW - timedelta(days=k)) for k in (9, 6, 3))
    payment = make.payment(patient, 50000, at=make.NOW - timedelta(days=9), visit=paid)
    whole = make.payment(patient, 70000, at=make.NOW - timedelta(days=6), visit=free)
    make.payment(patient, 20000, at=make.NOW - timedelta(days=1), refund_of=payment)
    make.payment(patient, 70000, at=make.NOW - timedelta(days=1), refund_of=whole)
    make.payment(patient, 90000, at=make.NOW + timedelta(days=5), visit=ahead)
    for patients in (None, [patient.pk]):
        refresh_values(patients=patients, now=make.NOW)
        value = PatientValue.objects.get(pk=patient.pk)
        assert (value.paid_visits, value.paid_sum, value.revenue) == (1, 30000, 30000)


def test_a_rebuild_keeps_the_names_of_keys_and_indexes():
    def names() -> set[str]:
        with connection.cursor() as cursor:
            return set(connection.introspection.get_constraints(cursor, PatientValue._meta.db_table))

    before = names()
    for _ in range(2):
        refresh_values(patients=None, now=make.NOW)
    assert {index.name for index in PatientValue._meta.indexes} <= names()
    if connection.vendor == "postgresql":
        assert names() == before
