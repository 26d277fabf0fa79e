"""Who is due for what, until when, once per what; and that a new automation is one declaration in one file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import ModuleType

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from loyalty.models import PatientValue
from messaging import actions, automations
from messaging.actions.plan import plan_all
from messaging.models import Approval, AutomationSetting, Message, PromotionHold
from messaging.queries.due import count_due
from messaging.rules.automation import Automation
from messaging.rules.texts import pair
from patients.models import Patient, Recommendation, Visit
from tests import make
from tests.messaging.outbox import send

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # Monday, 12:00 in Moscow
H, DAY = timedelta(hours=1), timedelta(days=1)


def tick(*codes: str, now: datetime = NOON) -> list[Message]:
    """What is planned now by these automations (all by the clock without codes)."""
    chosen = [one for one in automations.by_clock(automations.registered()) if not codes or one.code in codes]
    before = set(Message.objects.values_list("pk", flat=True))
    plan_all(automations=chosen, now=now)
    return list(Message.objects.exclude(pk__in=before).order_by("id"))


def approve(code: str, now: datetime = NOON) -> Approval:
    day = now.date()
    return Approval.objects.create(
        subject=f"automation:{code}", first_day=day, last_day=day, texts={}, text_hash="", audience=0,
        approved_by=make.user("owner"), approved_at=now,
    )  # fmt: skip


def booked(patient: Patient, *, start: datetime, ahead: timedelta = 5 * DAY) -> Visit:
    return make.visit(patient, start=start, status="scheduled", booked_at=start - ahead)


def test_a_booking_made_weeks_ahead_is_also_reminded_of_days_before():
    early, late = make.patient(phone="+79160000001"), make.patient(phone="+79160000002")
    booked(early, start=NOON + 70 * H, ahead=20 * DAY)
    booked(late, start=NOON + 70 * H, ahead=6 * DAY)
    [row] = tick("reminder_3d")
    assert (row.patient, row.automation) == (early, "reminder_3d")
    assert row.expires_at == NOON + 40 * H
    assert tick("reminder_3d", now=NOON + 35 * H) == []


def test_the_clinic_chooses_another_delay_within_the_limits_of_the_declaration():
    booked(make.patient(phone="+79160000001"), start=NOON + 30 * H, ahead=20 * DAY)
    assert tick("reminder_24h") == []
    actions.set_delay(code="reminder_24h", minutes=36 * 60, by=make.actor(), now=NOON)
    assert [row.automation for row in tick("reminder_24h")] == ["reminder_24h"]
    actions.set_delay(code="reminder_2h", minutes=100_000, by=make.actor(), now=NOON)
    assert tick("reminder_2h") == []  # six hours at the most


def test_every_day_of_visits_is_asked_about_once_and_at_the_latest_on_the_next_day():
    moscow, kamchatka = make.branch(), make.branch(tz="Asia/Kamchatka")
    one, other = make.patient(branch=moscow), make.patient(branch=kamchatka)
    make.visit(one, start=NOON - 3 * H)
    make.visit(one, start=NOON - 4 * H)
    make.visit(other, start=NOON - 3 * H)
    make.visit(other, start=NOON - 1 * H)  # too fresh
    make.visit(make.patient(branch=moscow), start=NOON - 40 * H)  # Saturday evening: its next day is over
    make.visit(make.patient(branch=moscow), start=NOON - 3 * H, status="no_show")
    rows = tick("feedback")
    assert {row.patient_id for row in rows} == {one.pk, other.pk} and len(rows) == 2
    until = {row.patient_id: row.expires_at for row in rows}
    assert until[one.pk] == datetime(2026, 3, 3, 21, tzinfo=UTC)  # the end of Tuesday in Moscow
    assert until[other.pk] == datetime(2026, 3, 3, 12, tzinfo=UTC)  # and in Kamchatka
    assert rows[0].about_at is None and rows[0].visit_id is not None
    assert (rows[0].purpose, rows[0].priority) == ("feedback", 30)
    assert tick("feedback", now=NOON + 3 * H) == []


def test_who_did_not_come_is_offered_help_the_next_day_unless_he_booked_through_any_record():
    helped, rebooked = make.patient(), make.patient()
    twin = make.patient(merged_into=rebooked, canonical=rebooked)
    for patient in (helped, rebooked):
        make.visit(patient, start=NOON - 24 * H, status="no_show")
    booked(twin, start=NOON + 9 * DAY, ahead=9 * DAY + H)
    assert tick("no_show_help", now=NOON - 20 * H) == []
    [row] = tick("no_show_help")
    assert (row.patient, row.purpose, row.stops_when_booked) == (helped, "service", True)


def test_what_is_queued_stops_when_the_patient_books(settings):
    settings.DEMO, settings.SMS_GATEWAY_URL = True, ""
    patient = make.patient(phone="+79160000001")
    make.visit(patient, start=NOON - 24 * H, status="no_show")
    [row] = tick("no_show_help")
    booked(patient, start=NOON + 9 * DAY, ahead=9 * DAY)
    send(now=NOON + H)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("skipped", "goal")


def test_who_left_without_a_booking_or_a_reason_hears_of_it_once():
    left, reasoned, advised = make.patient(), make.patient(), make.patient()
    ended = NOON - 50 * H
    make.visit(left, start=ended)
    make.visit(reasoned, start=ended, no_next_reason="price")
    make.visit(advised, start=ended, recommended_return_date=date(2026, 9, 1))
    assert [row.patient for row in tick("no_next")] == [left]


def test_thanks_go_out_after_the_very_first_visit_and_not_to_the_unhappy():
    new, old, unhappy = make.patient(), make.patient(), make.patient()
    for patient in (new, old, unhappy):
        make.visit(patient, start=NOON - 26 * H)
    make.visit(old, start=NOON - 300 * DAY)
    PromotionHold.objects.create(patient=unhappy, reason="low_score", key="score:1", since=NOON - H)
    assert [row.patient for row in tick("first_visit")] == [new]


def test_the_doctors_date_is_called_for_three_times_until_the_patient_is_back():
    patient, by_advice = make.patient(), make.patient()
    doctor = make.doctor()
    visit = make.visit(patient, start=NOON - 100 * DAY, recommended_return_date=date(2026, 3, 9), doctor=doctor)
    seen = make.visit(by_advice, start=NOON - 100 * DAY + H, doctor=doctor)
    Recommendation.objects.create(patient=by_advice, visit=seen, due_date=date(2026, 3, 9), created_at=NOON - 100 * DAY)
    done = make.visit(make.patient(), start=NOON - 100 * DAY + 2 * H, doctor=doctor)
    closed = {"due_date": date(2026, 3, 9), "created_at": NOON, "closed_at": NOON}
    Recommendation.objects.create(patient=done.patient, visit=done, **closed)
    first = tick("recall")
    assert {row.patient_id for row in first} == {patient.pk, by_advice.pk}
    assert {row.priority for row in first} == {10}
    assert tick("recall", now=NOON + DAY) == []
    assert len(tick("recall", now=NOON + 14 * DAY)) == 2
    make.visit(by_advice, start=NOON + 20 * DAY, doctor=doctor)
    last = tick("recall", now=NOON + 28 * DAY)
    assert [row.patient for row in last] == [patient] and last[0].visit_id == visit.pk
    assert tick("recall", now=NOON + 42 * DAY) == []


def test_the_interval_of_a_service_invites_where_no_doctor_named_a_date():
    hygiene, doctor = make.service(recall_days=180), make.doctor()
    due, later, named = make.patient(), make.patient(), make.patient()
    named_date = {"recommended_return_date": date(2026, 8, 1)}
    for hour, (patient, fields) in enumerate(((due, {}), (later, {}), (named, named_date))):
        visit = make.visit(patient, start=NOON - 173 * DAY + hour * H, doctor=doctor, **fields)
        make.item(visit, service=hygiene)
    make.item(make.visit(later, start=NOON - 20 * DAY, doctor=doctor), service=hygiene)
    assert [row.patient for row in tick("recall_service")] == [due]
    assert [row.patient for row in tick("recall_service", now=NOON + 21 * DAY)] == [due]


def test_a_birthday_is_wished_once_a_year_and_only_with_an_approval():
    today, child = make.patient(birth_date=date(1980, 3, 2)), make.patient(birth_date=date(2020, 3, 2))
    make.patient(birth_date=date(1980, 3, 3))
    make.patient(birth_date=date(1980, 3, 2), merged_into=today, canonical=today)
    assert tick("birthday") == [] and child.pk
    assert count_due(automations.by_code("birthday"), NOON) == 1
    approval = approve("birthday")
    [row] = tick("birthday")
    assert (row.patient, row.approval_id, row.purpose, row.priority) == (today, approval.pk, "marketing", 40)
    Patient.objects.filter(pk=today.pk).update(birth_date=date(1981, 3, 3))  # frozen: no second gift this year
    approve("birthday", NOON + DAY)
    assert [row.patient_id for row in tick("birthday", now=NOON + DAY) if row.patient_id == today.pk] == []


def test_those_born_on_the_29th_of_february_are_wished_every_year():
    from loyalty.automations.adverts import birth_dates

    assert date(2000, 2, 29) in birth_dates(date(2026, 2, 28))
    assert date(2000, 2, 29) in birth_dates(date(2024, 2, 29))
    assert date(2000, 2, 29) not in birth_dates(date(2024, 2, 28))
    assert date(2001, 2, 28) in birth_dates(date(2024, 2, 28))


def value(patient: Patient, **fields) -> PatientValue:
    defaults = {"theta_days": 395, "visits": 3, "state": "at_risk", "last_day": date(2025, 5, 1), "refreshed_at": NOON}
    return PatientValue.objects.create(patient=patient, **(defaults | fields))


def test_who_is_being_lost_hears_once_at_each_churn_point_and_not_when_booked():
    risk, back, gone, ahead = (make.patient() for _each in range(4))
    value(risk)
    value(gone, state="lost", last_day=date(2020, 1, 1))  # years ago: nobody writes to the whole archive
    value(ahead, booked_at=NOON + DAY)
    value(back, state="active")
    approve("win_back")
    assert [row.patient for row in tick("win_back")] == [risk]
    assert tick("win_back", now=NOON + H) == []
    PatientValue.objects.filter(patient=risk).update(state="lost", last_day=date(2025, 1, 10))
    assert [row.patient for row in tick("win_back", now=NOON + H)] == [risk]


def test_planning_an_advert_takes_the_same_number_of_statements_for_one_and_for_fifty():
    approve("win_back")

    def cost(number: int) -> int:
        for _each in range(number):
            value(make.patient(phone="+79160000001"))
        with CaptureQueriesContext(connection) as taken:
            assert len(tick("win_back")) == number
        return len(taken)

    assert cost(1) == cost(50)


def test_a_switched_off_automation_plans_nothing():
    make.visit(make.patient(), start=NOON - 24 * H, status="no_show")
    AutomationSetting.objects.create(code="no_show_help", is_on=False, updated_at=NOON)
    assert tick("no_show_help") == []


@pytest.fixture
def hello():
    """An automation of a test: a declaration with its texts that stands in the file of a room, and nothing else anywhere."""
    room = ModuleType("room")
    room.HELLO = Automation(
        code="hello", name="Hello", explains="To everybody who is called Ivan", purpose="service", template="hello",
        who=lambda now: Patient.objects.filter(first_name="Иван"), until=2 * H, once_per=(F("pk"),), kind="care",
        texts=pair("Привет, {first_name}! {clinic}", "Привет, {first_name}!", "Привет", language="ru"),
    )  # fmt: skip
    automations.register_all(room)
    yield room.HELLO
    automations._registered.pop("hello")


def test_adding_an_automation_is_one_declaration_that_is_planned_sent_shown_and_edited(hello, settings, client):
    settings.DEMO, settings.SMS_GATEWAY_URL, settings.REQUIRE_TOTP = True, "", False
    make.clinic(name="Клиника")
    make.patient(phone="+79160000001")
    [row] = tick("hello")
    send(now=NOON)
    row.refresh_from_db()
    assert (row.state, row.text) == ("sent", "Привет, Иван! Клиника")
    client.force_login(make.user("marketer"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/messages/automations/").content.decode()
    assert "Hello" in page
    assert "Привет" in client.get("/messages/automations/hello/").content.decode()
    edited = client.post("/messages/texts/hello/sms/ru/", {"body": "Здравствуйте, {first_name}"})
    assert edited.status_code == 303
    assert client.post("/messages/automations/hello/switch/", {"on": "0"}).status_code == 303
    assert AutomationSetting.objects.get(code="hello").is_on is False
