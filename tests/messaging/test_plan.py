"""Who is due, for what, and how he is reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging import actions, automations
from messaging.actions.plan import plan_all
from messaging.models import Message
from patients.models import PatientPhone, Visit
from tests import make

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # Monday, 12:00 in Moscow
H = timedelta(hours=1)


def booked(patient, *, start, ahead=timedelta(days=5), **fields) -> Visit:
    return make.visit(patient, start=start, status="scheduled", booked_at=start - ahead, **fields)


def tick(now=NOON) -> list[Message]:
    plan_all(automations=automations.by_clock(automations.registered()), now=now)
    return list(Message.objects.order_by("id"))


def confirm(visit, now=NOON) -> int:
    return actions.plan(automation=automations.CONFIRMATION, now=now, only=Visit.objects.filter(pk=visit.pk))


def test_a_visit_a_day_ahead_gets_the_day_reminder_once():
    patient = make.patient(phone="+79161234567")
    visit = booked(patient, start=NOON + 23 * H)
    for _again in range(3):
        rows = tick()
    [row] = rows
    assert (row.automation, row.transport, row.address, row.state) == ("reminder_24h", "sms", "+79161234567", "queued")
    assert (row.visit_id, row.about_at, row.expires_at) == (visit.pk, visit.start_at, visit.start_at - 6 * H)
    assert (row.tz, row.language, row.not_before) == ("Europe/Moscow", "ru", NOON)


def test_visits_further_ahead_past_cancelled_or_done_get_none():
    patient = make.patient(phone="+79161234567")
    booked(patient, start=NOON + 25 * H)
    booked(patient, start=NOON - H)
    make.visit(patient, start=NOON + H, status="cancelled_patient", booked_at=NOON - 50 * H, cancelled_at=NOON - H)
    make.visit(patient, start=NOON - 400 * 24 * H)
    assert tick() == []


def test_a_visit_booked_five_hours_ahead_gets_no_day_reminder_but_the_short_one():
    booked(make.patient(phone="+79161234567"), start=NOON + 5 * H, ahead=5 * H)
    assert tick() == []
    [row] = tick(NOON + 3 * H)
    assert row.automation == "reminder_2h"


def test_what_is_due_in_the_night_goes_out_in_the_evening_before():
    morning = datetime(2026, 3, 3, 6, 30, tzinfo=UTC)  # 9:30 in Moscow: two hours before is 7:30
    booked(make.patient(phone="+79161234567"), start=morning)
    tick(NOON)
    assert [row.automation for row in tick(datetime(2026, 3, 2, 16, 59, tzinfo=UTC))] == ["reminder_24h"]
    rows = tick(datetime(2026, 3, 2, 17, 0, tzinfo=UTC))  # 20:00 in Moscow
    assert [row.automation for row in rows] == ["reminder_24h", "reminder_2h"]


def test_quiet_hours_go_by_the_patients_zone():
    start = datetime(2026, 3, 3, 6, 30, tzinfo=UTC)
    booked(make.patient(phone="+79161234567", tz="Asia/Vladivostok"), start=start)  # 16:30 there
    assert [row.automation for row in tick(datetime(2026, 3, 2, 17, 0, tzinfo=UTC))] == ["reminder_24h"]
    assert [row.automation for row in tick(start - 2 * H)] == ["reminder_24h", "reminder_2h"]


def test_nothing_from_before_the_clinic_went_live():
    make.clinic(went_live_at=NOON + 48 * H)
    booked(make.patient(phone="+79161234567"), start=NOON + 20 * H)
    assert tick() == []


def test_a_booking_of_another_system_that_lies_ahead_is_reminded_of_too():
    booked(make.patient(phone="+79161234567"), start=NOON + 20 * H, may_overlap=True, ahead=timedelta(days=60))
    assert [row.automation for row in tick()] == ["reminder_24h"]


def test_a_fresh_booking_is_confirmed_once_and_an_old_one_is_not():
    patient = make.patient(phone="+79161234567")
    fresh = booked(patient, start=NOON + 72 * H, ahead=72 * H)
    old = booked(patient, start=NOON + 96 * H, ahead=timedelta(days=30))
    assert (confirm(fresh), confirm(fresh), confirm(old)) == (1, 0, 0)
    assert Message.objects.get().automation == "confirmation"


def test_a_visit_moved_after_its_reminder_gets_new_ones_even_when_it_moves_back():
    patient = make.patient(phone="+79161234567")
    visit = booked(patient, start=NOON + 20 * H)
    tick()
    Message.objects.update(state="sent", sent_at=NOON)
    first = visit.start_at
    Visit.objects.filter(pk=visit.pk).update(start_at=first + 48 * H, end_at=first + 49 * H)
    assert confirm(visit) == 1
    Message.objects.update(state="sent", sent_at=NOON)
    Visit.objects.filter(pk=visit.pk).update(start_at=first, end_at=first + H)
    assert confirm(visit) == 1
    assert [row.about_at for row in Message.objects.order_by("id")] == [first, first + 48 * H, first]


def test_a_child_is_reached_through_the_responsible_adult():
    mother = make.patient(phone="+79160000001", email="mother@example.org")
    child = make.patient(birth_date="2018-01-01", responsible_adult=mother, phone="+79160000002")
    grown = make.patient(birth_date="1990-01-01", responsible_adult=mother, phone="+79160000003")
    booked(child, start=NOON + 20 * H)
    booked(grown, start=NOON + 20 * H)
    assert [row.address for row in tick()] == ["+79160000001", "+79160000003"]


def test_the_first_phone_of_any_merged_record_and_the_preferred_transport_count(settings):
    settings.EMAIL_URL = settings.SMS_GATEWAY_URL = "x://y"
    survivor = make.patient(email="a@example.org", preferred_transport="email", language="en", tz="Asia/Almaty")
    loser = make.patient(merged_into=survivor, canonical=survivor)
    for position, number in [(1, "+79160000002"), (0, "+79160000001")]:
        PatientPhone.objects.create(patient=loser, number=number, position=position)
    other = make.patient(merged_into=None)
    booked(loser, start=NOON + 20 * H)
    booked(other, start=NOON + 20 * H)
    mail, nobody = tick()
    assert (mail.transport, mail.address, mail.language, mail.tz) == ("email", "a@example.org", "en", "Asia/Almaty")
    assert (nobody.transport, nobody.address, nobody.state) == ("sms", "", "queued")
    type(survivor).objects.filter(pk=survivor.pk).update(preferred_transport="sms")
    Message.objects.all().delete()
    assert tick()[0].address == "+79160000001"


def test_without_a_gateway_for_messages_mail_is_used_where_there_is_an_address(settings):
    settings.EMAIL_URL, settings.SMS_GATEWAY_URL, settings.DEMO = "x://y", "", False
    booked(make.patient(phone="+79161234567", email="a@example.org"), start=NOON + 20 * H)
    assert [row.transport for row in tick()] == ["email"]


def test_planning_takes_the_same_number_of_queries_for_one_and_for_fifty_visits():
    def cost(number: int) -> int:
        for _each in range(number):
            booked(make.patient(phone="+79160000001"), start=NOON + 20 * H)
        with CaptureQueriesContext(connection) as taken:
            tick()
        return len(taken)

    assert cost(1) == cost(50)
    assert Message.objects.count() == 51


def test_a_new_automation_is_one_declaration():
    from django.db.models import Value

    from messaging.rules.automation import Automation
    from patients.models import Patient

    hello = Automation(
        code="hello", name="Hello", explains="", purpose="service", template="reminder_2h",
        who=lambda now: Patient.objects.filter(first_name="Иван"), until=Value(NOON + H), once_per=("pk",),
    )  # fmt: skip
    make.patient(phone="+79161234567")
    assert actions.plan(automation=hello, now=NOON) == 1
    assert actions.plan(automation=hello, now=NOON) == 0
    assert Message.objects.get().dedupe_key.startswith("hello:")
