"""The night turns the facts to a new day without reading them anew: to the last digit what a whole rebuild gives."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from django.db import transaction

from followup.actions.sweep import refresh_changed
from loyalty import actions
from loyalty.actions import refresh_values, renew_values
from loyalty.models import PatientValue, RfmScale, ValueBasis
from loyalty.queries import live_value
from patients.models import Allocation, Patient
from staff.models import Clinic, Doctor, LossRule
from tests import make
from tests.clinics import random_clinic
from tests.load import load
from tests.loyalty.test_values import as_dict

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def facts() -> dict:
    return {value.pk: as_dict(value) for value in PatientValue.objects.all()}


def scale() -> set:
    return set(RfmScale.objects.values_list("measure", "score", "steps", "minimum"))


def whole(now: datetime) -> tuple[dict, set]:
    """What a rebuild from the raw rows would give; the stored facts stay as they are."""
    with transaction.atomic():
        refresh_values(patients=None, now=now)
        found = facts(), scale()
        transaction.set_rollback(True)
    return found


def turned(now: datetime) -> int:
    """Rows that the turn changed. It must not have been a rebuild."""
    before = ValueBasis.objects.get().drawn_at
    changed = renew_values(now=now)
    assert ValueBasis.objects.get().drawn_at == before
    return changed


@pytest.fixture
def ever(monkeypatch):
    """No weekly rebuild: errors would pile up for four years."""
    monkeypatch.setattr(actions, "WEEK", timedelta(days=9999))


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_nights_over_four_years_give_what_a_rebuild_gives_each_time(seed, ever):
    data, rng = random_clinic(seed, patients=25), Random(seed)
    load(data)
    LossRule.objects.create(speciality="dentistry", theta_days=200)
    last = datetime.combine(date.fromisoformat(data["clinic"]["as_of"]), time(20), UTC)
    now = last - timedelta(days=1100)
    refresh_values(patients=None, now=now)
    while now < last + timedelta(days=60):
        now += timedelta(days=rng.choice((1, 1, 2, 7, 30, 60)), hours=rng.choice((-3, 0, 3)))
        turned(now)
        assert (facts(), scale()) == whole(now)
    for pk, value in facts().items():
        assert as_dict(live_value(pk, now)) == value
    assert {value["state"] for value in facts().values()} >= {"lost", "none"}


def test_a_night_reads_the_raw_rows_of_those_alone_whom_the_calendar_moved(monkeypatch):
    quiet, leaving, due = (make.patient() for _ in range(3))
    make.visit(quiet, start=make.NOW - timedelta(days=100))
    make.visit(leaving, start=make.NOW - timedelta(days=364))
    make.payment(due, 5000, at=make.NOW + DAY)
    refresh_values(patients=None, now=make.NOW)
    asked, refresh = [], actions._refresh
    monkeypatch.setattr(actions, "_refresh", lambda patients, now: asked.append(patients) or refresh(patients, now))
    turned(make.NOW + DAY)
    assert asked == [{leaving.pk, due.pk}]
    assert PatientValue.objects.get(pk=leaving.pk).year_days == 0
    assert PatientValue.objects.get(pk=due.pk).revenue == 5000


def test_a_night_after_which_nothing_moved_writes_nothing():
    make.visit(make.patient(), start=make.NOW - timedelta(days=10))
    refresh_values(patients=None, now=make.NOW)
    stamp = PatientValue.objects.get().refreshed_at
    assert turned(make.NOW + DAY) == 0
    assert PatientValue.objects.get().refreshed_at == stamp
    assert ValueBasis.objects.get().as_of == (make.NOW + DAY).date()


def test_a_visit_written_down_before_its_booking_counts_from_the_booking_on():
    odd = make.patient()
    make.visit(odd, start=make.NOW - 2 * DAY, booked_at=make.NOW + 3 * DAY)
    refresh_values(patients=None, now=make.NOW)
    for days in range(1, 6):
        turned(make.NOW + days * DAY)
        assert PatientValue.objects.get(pk=odd.pk).visits == (1 if days >= 3 else 0)


def test_a_booking_that_has_passed_and_a_reason_whose_day_has_come_change_the_state():
    booked, moving = make.patient(), make.patient()
    for patient in (booked, moving):
        make.visit(patient, start=make.NOW - 20 * DAY)
    make.visit(booked, start=make.NOW + DAY, status="scheduled")
    make.visit(booked, start=make.NOW + 5 * DAY, status="scheduled")
    Patient.objects.filter(pk=moving.pk).update(
        natural_churn_reason="moved", natural_churn_date=(make.NOW + 3 * DAY).date()
    )
    refresh_values(patients=None, now=make.NOW)
    turned(make.NOW + 2 * DAY)
    assert PatientValue.objects.get(pk=booked.pk).booked_at == make.NOW + 5 * DAY
    assert PatientValue.objects.get(pk=moving.pk).state == "active"
    turned(make.NOW + 4 * DAY)
    assert PatientValue.objects.get(pk=moving.pk).state == "natural"


def test_money_that_comes_due_counts_for_the_visit_of_somebody_else():
    payer, patient = make.patient(), make.patient()
    visit = make.visit(patient, start=make.NOW - 3 * DAY)
    gift = make.payment(payer, 7000, at=make.NOW + DAY)
    paid = make.payment(payer, 9000, at=make.NOW + 2 * DAY, visit=visit)
    make.payment(payer, 4000, at=make.NOW + 4 * DAY, refund_of=paid)
    Allocation.objects.create(payment=gift, visit=visit, amount=3000)
    refresh_values(patients=None, now=make.NOW)
    sums = []
    for days in range(5):
        turned(make.NOW + days * DAY)
        sums.append(PatientValue.objects.get(pk=patient.pk).paid_sum)
    assert sums == [0, 3000, 12000, 12000, 8000]


def test_everybody_is_read_anew_once_a_week_and_when_the_clock_or_the_definitions_changed():
    make.visit(make.patient())
    refresh_values(patients=None, now=make.NOW)
    for later in (timedelta(days=7), timedelta(days=20), timedelta(days=-1)):
        at = make.NOW + later
        renew_values(now=at)
        assert ValueBasis.objects.get().drawn_at == at
    ValueBasis.objects.update(definition="of yesterday's release")
    renew_values(now=make.NOW)
    assert ValueBasis.objects.get().drawn_at == make.NOW


def test_a_worker_whose_clock_still_shows_yesterday_does_not_turn_a_patient_back():
    patient = make.patient()
    make.visit(patient, start=make.NOW - timedelta(days=364))
    refresh_values(patients=None, now=make.NOW)
    turned(make.NOW + DAY)
    refresh_values(patients=[patient.pk], now=make.NOW)
    assert (facts(), scale()) == whole(make.NOW + DAY)


def test_a_changed_threshold_changes_the_states_within_a_minute():
    patient, doctor = make.patient(), make.doctor()
    Doctor.objects.filter(pk=doctor.pk).update(speciality="dentistry")
    make.visit(patient, start=make.NOW - timedelta(days=100), doctor=doctor)
    refresh_values(patients=None, now=make.NOW)

    def state() -> str:
        refresh_changed(now=make.NOW)
        assert (facts(), scale()) == whole(make.NOW)
        return PatientValue.objects.get().state

    assert state() == "active"
    Clinic.objects.update(theta_days=90)
    assert state() == "lost"
    LossRule.objects.create(speciality="dentistry", theta_days=110)
    assert state() == "at_risk"
    Doctor.objects.filter(pk=doctor.pk).update(speciality="urology")
    assert state() == "lost"
