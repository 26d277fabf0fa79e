"""What follows from a visit: once, in one code path, from whichever door it came."""

from __future__ import annotations

from datetime import timedelta

import pytest

from followup import actions
from followup.models import Cursor
from loyalty.models import PatientValue
from messaging.models import Message
from patients.models import Touchpoint, Visit, WorkItem
from staff.actions import note_changes
from staff.actions.journal import ChangedRow
from staff.models import Change
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW
H, DAY = timedelta(hours=1), timedelta(days=1)


def everything():
    return {
        "touched": Touchpoint.objects.count(),
        "work": sorted(WorkItem.objects.values_list("kind", "status")),
        "messages": sorted(Message.objects.values_list("automation", flat=True)),
    }


def follow(*visits: Visit, now=NOW) -> None:
    actions.follow_up(Visit.objects.filter(pk__in=[visit.pk for visit in visits]), now=now)


def test_a_completed_visit_without_the_next_one_leaves_its_traces_once():
    patient = make.patient(phone="+79161234567")
    visit = make.visit(patient, start=NOW - 2 * H)
    make.item(visit)
    make.payment(patient, 200000, at=NOW - H, visit=visit)
    for _again in range(3):
        follow(visit)
    assert everything() == {"touched": 1, "work": [("no_next", "open")], "messages": []}
    touch, item = Touchpoint.objects.get(), WorkItem.objects.get()
    assert (touch.dedupe_key, touch.visit_id, touch.kind) == (f"visit:{visit.pk}", visit.pk, "visit")
    assert (item.due_at, item.branch_id, item.visit_id) == (NOW, visit.branch_id, visit.pk)
    visit.refresh_from_db()
    assert visit.followed_up_at == NOW
    assert PatientValue.objects.get(patient=patient).revenue == 200000


def test_who_has_a_next_visit_or_a_reason_is_not_called():
    with_next, with_reason = make.patient(), make.patient()
    visits = [
        make.visit(with_next, start=NOW - 2 * H),
        make.visit(with_reason, start=NOW - 2 * H, no_next_reason="price"),
    ]
    ahead = make.visit(with_next, start=NOW + 5 * DAY, status="scheduled", booked_at=NOW - 3 * DAY)
    follow(*visits, ahead)
    assert everything()["work"] == []


def test_a_no_show_is_called_in_two_weeks_unless_he_books_through_any_door():
    patient = make.patient()
    missed = make.visit(patient, start=NOW - 2 * H, status="no_show")
    follow(missed)
    item = WorkItem.objects.get()
    assert (item.kind, item.due_at - NOW, item.dedupe_key) == ("no_show", 14 * DAY, f"no_show:{missed.pk}")
    record_of_the_mis = make.patient(merged_into=patient, canonical=patient)
    booked = make.visit(record_of_the_mis, start=NOW + 5 * DAY, status="scheduled", booked_at=NOW, may_overlap=True)
    follow(booked)
    item.refresh_from_db()
    assert (item.status, item.outcome) == ("done", "booked")


def test_a_booking_is_confirmed_in_the_same_transaction():
    patient = make.patient(phone="+79161234567")
    visit = make.visit(patient, start=NOW + 3 * DAY, status="scheduled", booked_at=NOW)
    follow(visit)
    follow(visit)
    assert everything() == {"touched": 0, "work": [], "messages": ["confirmation"]}


def test_history_gets_no_messages_no_work_but_its_value():
    patient = make.patient(phone="+79161234567")
    visit = make.visit(patient, start=NOW - 400 * DAY)
    make.payment(patient, 100000, at=NOW - 400 * DAY, visit=visit)
    missed = make.visit(patient, start=NOW - 300 * DAY, status="no_show")
    follow(visit, missed)
    assert everything() == {"touched": 0, "work": [], "messages": []}
    assert PatientValue.objects.get().revenue == 100000
    assert not Visit.objects.filter(followed_up_at=None).exists()


def test_a_test_person_and_a_dead_one_make_no_work():
    for patient in (make.patient(is_test=True), make.patient(natural_churn_reason="died")):
        follow(make.visit(patient, start=NOW - H))
    assert everything()["work"] == []


def test_the_sweep_finds_what_waits_history_and_new_alike_and_then_nothing():
    patient = make.patient(phone="+79161234567")
    old = make.visit(patient, start=NOW - 400 * DAY)
    new = make.visit(patient, start=NOW - 2 * H)
    assert actions.sweep(now=NOW) == 2
    assert actions.sweep(now=NOW) == 0
    assert everything() == {"touched": 1, "work": [("no_next", "open")], "messages": []}
    Visit.objects.filter(pk=new.pk).update(followed_up_at=None)  # somebody changed it
    assert actions.sweep(now=NOW) == 1
    assert everything()["touched"] == 1
    assert PatientValue.objects.get().visits == 2 and old.pk


def test_a_payment_or_a_merge_that_came_later_refreshes_the_value():
    patient, other = make.patient(), make.patient()
    visit = make.visit(patient, start=NOW - 400 * DAY)
    actions.sweep(now=NOW)
    payment = make.payment(patient, 5000, at=NOW - H, visit=visit)
    note_changes(resource="payments", rows=[ChangedRow(payment.pk)], now=NOW)
    move_on()
    actions.sweep(now=NOW)
    assert PatientValue.objects.get(patient=patient).revenue == 5000
    type(other).objects.filter(pk=patient.pk).update(merged_into=other, canonical=other)
    row = ChangedRow(patient.pk, target_id=other.pk)
    note_changes(resource="patients", rows=[row], now=NOW, kind=Change.Kind.MERGED)
    move_on()
    actions.sweep(now=NOW)
    assert PatientValue.objects.get(patient=other).revenue == 5000
    assert Cursor.objects.get().change_id == Change.objects.last().pk


def move_on() -> None:
    """On PostgreSQL the lines of the test's own open transaction are not settled: pretend that they are older."""
    Change.objects.filter(xact__gt=1).update(xact=1)
    Cursor.objects.filter(xact__gt=1).update(xact=1)


def test_the_number_of_statements_does_not_depend_on_the_number_of_visits():
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    follow(make.visit(make.patient(), start=NOW - H))  # the first one makes the scale of values

    def cost(number: int) -> int:
        visits = [make.visit(make.patient(), start=NOW - H) for _each in range(number)]
        with CaptureQueriesContext(connection) as taken:
            follow(*visits)
        return len(taken)

    assert cost(1) == cost(40) < 40


def test_a_message_that_no_machine_can_clear_up_becomes_work_until_somebody_decides():
    from messaging.actions import resolve_unknown
    from tests.messaging.outbox import queued

    asked, lost = queued(state="unknown"), queued(state="unknown")
    Message.objects.filter(pk=asked.pk).update(next_check_at=NOW)
    for _again in range(2):
        actions.sweep(now=NOW)
    [item] = WorkItem.objects.all()
    assert (item.kind, item.patient_id, item.status) == ("message_unknown", lost.patient_id, "open")
    resolve_unknown(message=lost, sent=True, by=make.actor(), now=NOW)
    actions.sweep(now=NOW)
    item.refresh_from_db()
    assert (item.status, item.outcome) == ("done", "resolved")
