"""Which way a message goes, what it costs, and what happens when it does not arrive."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from followup.actions.unreachable import list_unreachable
from messaging import actions
from messaging.actions.plan import plan
from messaging.actions.reports import take_report
from messaging.automations import REMINDER_24H
from messaging.models import Message, Suppression, TelegramChat, TransportSetting
from messaging.queries.automations import automation_rows, sent_by_day
from messaging.queries.routes import routes, working_routes
from patients.models import Visit, WorkItem
from staff.models import Clinic
from tests import make
from tests.messaging.outbox import NOON, gateway, queued, send

pytestmark = pytest.mark.django_db
H = timedelta(hours=1)


@pytest.fixture
def three_ways(settings):
    """All three transports have a provider; nothing is sent in these tests unless they say so."""
    settings.SMS_GATEWAY_URL = settings.EMAIL_URL = settings.TELEGRAM_API_URL = "smtp://127.0.0.1:9"
    settings.SMS_GATEWAY_URL, settings.TELEGRAM_BOT_TOKEN = "http://127.0.0.1:9", "1:x"


def decide(transport: str, **fields) -> None:
    TransportSetting.objects.update_or_create(transport=transport, defaults={"updated_at": NOON, **fields})


def chat(patient, number: int = 777) -> None:
    TelegramChat.objects.create(patient=patient, chat_id=number, linked_at=NOON)


def suppress(transport: str, address: str, kind: str = "blocked") -> None:
    Suppression.objects.create(transport=transport, address=address, kind=kind, since=NOON)


def reminder_of(patient, **visit) -> Message:
    """The reminder a day before, as the tick plans it."""
    make.visit(patient, start=NOON + 20 * H, status="scheduled", booked_at=NOON - 30 * H, **visit)
    plan(automation=REMINDER_24H, now=NOON)
    return Message.objects.get(patient=patient)


def person(**fields):
    return make.patient(first_name="Анна", phone=fields.pop("phone", "+79160000001"), **fields)


def way(row: Message) -> tuple[str, str]:
    return row.transport, row.address


def test_the_patients_wish_comes_first_then_position_then_price(three_ways):
    for name, fields in {"sms": {"price": 300}, "email": {"price": 10}, "telegram": {"position": 2}}.items():
        decide(name, **fields)
    assert routes("service") == ["email", "sms", "telegram"]
    rows = {}
    for wish in ("", "sms", "telegram"):
        patient = person(email="a@example.com", preferred_transport=wish)
        chat(patient, 700 + len(rows))
        rows[wish] = way(reminder_of(patient))
    assert rows == {"": ("email", "a@example.com"), "sms": ("sms", "+79160000001"), "telegram": ("telegram", "702")}
    decide("sms", position=0, price=0)
    decide("email", position=1)
    assert routes("service") == ["sms", "email", "telegram"]


def test_the_laws_switch_and_an_address_that_does_not_work_leave_a_way_out(three_ways):
    assert routes("marketing") == ["sms", "email"]  # Telegram begins switched off for advertising
    suppress("sms", "+79160000001")
    suppress("email", "dead@example.com", "bounced")
    assert way(reminder_of(person(email="a@example.com"))) == ("email", "a@example.com")
    two = person(email="dead@example.com")
    make_phone(two, "+79160000002")
    assert way(reminder_of(two)) == ("sms", "+79160000002")  # his other phone works
    nowhere = reminder_of(person(email="DEAD@example.com".lower()))
    assert way(nowhere) == ("sms", "+79160000001")  # so that it ends with the reason
    unsubscribed = person(phone="+79160000003")
    suppress("sms", "+79160000003", "unsubscribed")
    assert way(reminder_of(unsubscribed)) == ("sms", "+79160000003")
    decide("sms", paused=True)
    decide("email", broken_at=NOON, broken_until=NOON + H)
    assert working_routes("service", NOON) == ["telegram"]
    assert working_routes("service", NOON + 2 * H) == ["email", "telegram"]  # half open


def make_phone(patient, number: str) -> None:
    patient.phones.create(number=number, raw=number, position=1)


def test_a_child_is_reached_in_the_adults_chat(three_ways):
    mother = person(preferred_transport="telegram")
    chat(mother)
    child = make.patient(responsible_adult=mother, birth_date=(NOON - timedelta(days=3000)).date(), phone=None)
    child.preferred_transport = "telegram"
    child.save()
    assert way(reminder_of(child)) == ("telegram", "777")


def test_what_did_not_arrive_goes_out_once_by_the_next_way_in_the_words_for_it(three_ways):
    make.clinic(name="Добрая клиника")
    row = reminder_of(person(email="a@example.com"))
    Message.objects.update(state="undelivered", sent_at=NOON, client_id="c1", text="SMS", created_at=NOON - H)
    assert actions.fall_back(now=NOON) == 1
    assert actions.fall_back(now=NOON) == 0
    second = Message.objects.exclude(pk=row.pk).get()
    assert way(second) == ("email", "a@example.com") and second.fallback_of == row
    assert second.dedupe_key == f"{row.dedupe_key}:via:email"
    copied = ("visit_id", "about_at", "expires_at", "automation", "purpose", "priority", "template", "tz", "language")
    assert [getattr(second, name) for name in copied] == [getattr(row, name) for name in copied]
    assert (second.state, second.text, second.client_id, second.not_before) == ("queued", "", None, NOON)
    assert second.created_at == NOON - H  # its goal is counted from the first
    ids = actions.claim(transport="email", owner="me", size=5, now=NOON)
    [letter] = actions.mark_inflight(ids=ids, owner="me", now=NOON)
    assert "Здравствуйте, Анна" in letter.text and letter.subject  # not "too close" to the one that failed


STATES = {
    "undelivered": ({"state": "undelivered"}, 1),
    "blocked": ({"state": "refused", "reason": "blocked"}, 1),
    "refused": ({"state": "refused", "reason": "gateway"}, 1),
    "bounced before": ({"state": "skipped", "reason": "bounced"}, 1),
    "poison": ({"state": "refused", "reason": "bad_message"}, 0),
    "unknown": ({"state": "unknown", "reason": "no_answer"}, 0),
    "withdrawn": ({"state": "skipped", "reason": "withdrawn"}, 0),
    "sent": ({"state": "sent", "sent_at": NOON - 5 * H}, 0),
    "delivered": ({"state": "delivered", "sent_at": NOON - 5 * H}, 0),
    "too late": ({"state": "undelivered", "expires_at": NOON}, 0),
}


@pytest.mark.parametrize("name", STATES)
def test_only_what_surely_did_not_arrive_and_still_makes_sense_falls_back(three_ways, name):
    reminder_of(person(email="a@example.com"))
    fields, made = STATES[name]
    Message.objects.update(**fields)
    assert actions.fall_back(now=NOON) == made


@pytest.mark.parametrize(
    "change",
    [{"status": "cancelled_patient"}, {"start_at": NOON + 22 * H, "end_at": NOON + 23 * H}, {"status": "completed"}],
)
def test_a_changed_visit_falls_back_to_nothing(three_ways, change):
    reminder_of(person(email="a@example.com"))
    Message.objects.update(state="undelivered")
    Visit.objects.update(**change)
    assert actions.fall_back(now=NOON) == 0


def test_silence_falls_back_after_the_minutes_that_a_person_set_and_a_late_report_takes_it_back(three_ways):
    row = reminder_of(person(email="a@example.com"))
    Message.objects.update(state="sent", sent_at=NOON - 31 * H / 60, created_at=NOON - H, client_id="c1")
    assert actions.fall_back(now=NOON) == 0
    decide("sms", fallback_minutes=30)
    assert actions.fall_back(now=NOON - 2 * H / 60) == 0
    assert actions.fall_back(now=NOON) == 1
    report = {"event_id": "e1", "client_id": "c1", "status": "delivered", "occurred_at": NOON.isoformat()}
    assert take_report(transport="sms", report=report, now=NOON)
    actions.fall_back(now=NOON)
    second = Message.objects.exclude(pk=row.pk).get()
    assert (second.state, second.reason) == ("skipped", "arrived")


def test_a_chain_ends_each_way_is_tried_once_and_then_somebody_calls(three_ways):
    branch = make.branch()
    patient = person(email="a@example.com", branch=branch)
    chat(patient)
    row = reminder_of(patient, branch=branch)
    used = []
    for _turn in range(5):
        Message.objects.filter(state="queued").update(state="refused", reason="blocked")
        assert WorkItem.objects.filter(kind="unreachable").count() == 0
        if not actions.fall_back(now=NOON):
            break
        used.append(Message.objects.latest("pk").transport)
        list_unreachable(now=NOON)
    assert sorted(used) == ["email", "telegram"] and Message.objects.count() == 3
    assert list_unreachable(now=NOON) == 1 and list_unreachable(now=NOON) == 0
    work = WorkItem.objects.get(kind="unreachable")
    assert (work.patient, work.visit, work.branch, work.status) == (patient, row.visit, branch, "open")
    Visit.objects.update(status="cancelled_patient")
    list_unreachable(now=NOON)
    work.refresh_from_db()
    assert work.status == "dropped"


def test_nobody_is_called_for_an_advertisement_or_for_what_was_only_not_delivered(three_ways):
    queued(person(), purpose="marketing", state="refused")
    Message.objects.update(reason="blocked")
    queued(person(), state="undelivered")
    assert list_unreachable(now=NOON) == 0


def test_a_finished_text_falls_back_as_it_is_with_a_subject(three_ways):
    make.clinic(name="Добрая клиника")
    queued(person(email="a@example.com"), text="Ваши анализы готовы", state="undelivered")
    actions.fall_back(now=NOON)
    second = Message.objects.latest("pk")
    assert (second.text, second.subject, second.transport) == ("Ваши анализы готовы", "Добрая клиника", "email")


def test_a_relative_who_was_told_by_the_lost_message_is_told_by_his_own(three_ways):
    lead = queued(person(email="a@example.com"), text="", state="undelivered")
    member = queued(person(email="b@example.com"), text="", state="skipped")
    Message.objects.update(template="reminder_24h")
    Message.objects.filter(pk=member.pk).update(grouped_into=lead, reason="grouped")
    assert actions.fall_back(now=NOON) == 2
    made = Message.objects.filter(fallback_of__isnull=False)
    assert {row.fallback_of_id: row.address for row in made} == {lead.pk: "a@example.com", member.pk: "b@example.com"}


def test_falling_back_takes_the_same_number_of_queries_for_one_and_for_thirty(three_ways):
    def cost(number: int) -> int:
        for _each in range(number):
            queued(person(email="a@example.com"), state="undelivered")
        with CaptureQueriesContext(connection) as taken:
            assert actions.fall_back(now=NOON) == number
        return len(taken)

    assert cost(1) == cost(30) < 15


def test_an_operators_block_closes_the_number_and_the_reminder_takes_another_way(settings):
    settings.SMS_GATEWAY_SETTLE_SECONDS, settings.EMAIL_URL = 0, "smtp://127.0.0.1:9"
    with gateway() as (url, _judge):
        settings.SMS_GATEWAY_URL = url
        queued(person(phone="+79990000001", email="a@example.com"), address="+79990000001")
        send()
    assert list(Message.objects.values_list("state", "reason")) == [("refused", "blocked")]
    assert Suppression.objects.get().kind == "blocked"
    assert actions.fall_back(now=NOON) == 1
    assert Message.objects.latest("pk").transport == "email"


def test_the_clinic_that_has_one_way_asks_nothing(settings):
    settings.SMS_GATEWAY_URL, settings.EMAIL_URL, settings.TELEGRAM_BOT_TOKEN, settings.DEMO = "http://x", "", "", False
    assert Clinic.objects.exists()
    with CaptureQueriesContext(connection) as taken:
        assert actions.fall_back(now=NOON) == 0
    assert len(taken) < 5


def test_who_was_written_to_twice_by_two_transports_was_due_once(three_ways):
    """A try that failed, the next one, and one that was taken back: three rows of one reminder, and two people."""
    first = reminder_of(person(email="a@example.com"))
    Message.objects.filter(pk=first.pk).update(state="undelivered", sent_at=NOON, cost=300)
    assert actions.fall_back(now=NOON + H) == 1
    second = Message.objects.get(fallback_of=first)
    Message.objects.filter(pk=second.pk).update(state="sent", sent_at=NOON + H, cost=5)
    other = reminder_of(person(phone="+79160000002", email="b@example.com"))
    Message.objects.filter(pk=other.pk).update(state="undelivered", sent_at=NOON, cost=300)
    assert actions.fall_back(now=NOON + H) == 1
    Message.objects.filter(pk=other.pk).update(state="delivered")
    actions.fall_back(now=NOON + H)
    assert Message.objects.get(fallback_of=other).reason == "arrived"
    [row] = automation_rows([REMINDER_24H], now=NOON + 2 * H)
    assert (row.due, row.sent, row.waiting, row.unknown, row.not_sent) == (2, 2, 0, 0, 0)
    assert (row.cost, row.reasons) == (605, [])
    assert sum(number for _day, number in sent_by_day("reminder_24h", NOON + 2 * H)) == 2


def test_a_fallback_that_did_not_go_out_is_the_end_of_the_one_that_was_due(three_ways):
    first = reminder_of(person(email="a@example.com"))
    Message.objects.filter(pk=first.pk).update(state="refused", reason="gateway")
    actions.fall_back(now=NOON + H)
    [row] = automation_rows([REMINDER_24H], now=NOON + 2 * H)
    assert (row.due, row.waiting, row.not_sent) == (1, 1, 0)
    Message.objects.filter(fallback_of=first).update(state="expired", reason="window")
    [row] = automation_rows([REMINDER_24H], now=NOON + 2 * H)
    assert (row.due, row.waiting, row.not_sent) == (1, 0, 1)
