"""The inbox: who waits and how long, answering, closing, a wrong number; and the Telegram page of a patient."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging import actions
from messaging.models import Message, Reply, Suppression, TelegramChat, TelegramCode
from messaging.queries.inbox import inbox_page, speed
from patients.models import WorkItem
from staff.models import AuditEntry
from tests import make
from tests.messaging.outbox import queued

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def plainly(settings):
    settings.REQUIRE_TOTP = False
    settings.TELEGRAM_BOT_NAME = "clinic_bot"


def signed_in(role: str, **fields) -> Client:
    client = Client()
    client.force_login(make.user(role, **fields), backend="django.contrib.auth.backends.ModelBackend")
    return client


def wrote(text: str, phone: str, *, ago: timedelta = MINUTE) -> Reply:
    said = {"text": text, "address": phone, "received_at": NOW - ago, "transport": "sms"}
    return actions.take_reply(event_id=f"{phone}{text}{ago}", now=NOW, **said)


def numbers():
    return iter(f"+7916{n:07}" for n in range(1, 1000))


def test_who_cannot_come_is_first_then_who_has_waited_longest():
    phones = numbers()
    for text, ago in [("где вы?", 5), ("отмена", 1), ("сколько стоит?", 9)]:
        phone = next(phones)
        make.patient(phone=phone)
        wrote(text, phone, ago=ago * MINUTE)
    page = signed_in("administrator").get("/messages/inbox/", headers={"Accept-Language": "en"})
    assert [reply.text for reply in page.context["page"].rows] == ["отмена", "сколько стоит?", "где вы?"]
    text = page.content.decode()
    assert (
        len(
            re.findall(
                r'class="timer small is-\w+" datetime="[^"]+" data-since="[^"]+" data-soon="60" data-late="120">', text
            )
        )
        == 3
    )
    assert 'hx-trigger="every 10s"' in text and '<span class="count count-bad">3</span>' in text


def test_pages_are_keyset_and_the_number_of_queries_does_not_grow():
    client, phones = signed_in("owner"), numbers()
    patient = make.patient(phone=next(phones))
    wrote("вопрос", patient.phones.get().number)
    client.get("/messages/inbox/")

    def cost() -> int:
        with CaptureQueriesContext(connection) as taken:
            assert client.get("/messages/inbox/").status_code == 200
        return len(taken)

    one = cost()
    for ago in range(2, 65):
        phone = next(phones)
        make.patient(phone=phone)
        wrote("отмена" if ago % 5 == 0 else "вопрос", phone, ago=ago * MINUTE)
    assert cost() == one < 25
    seen, after = [], None
    for _page in range(5):
        page = inbox_page(by=make.actor(), after=after)
        seen += [reply.pk for reply in page.rows]
        after = page.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 64
    first = client.get("/messages/inbox/").context["after"]
    second = client.get(f"/messages/inbox/?after={first}")
    assert len(second.context["page"].rows) == 30 and "every 10s" not in second.content.decode()
    assert client.get("/messages/inbox/?after=nonsense").status_code == 200


def test_a_page_that_asks_by_itself_gets_the_rows_alone_and_keeps_nobody_awake():
    client = signed_in("administrator")
    client.get("/messages/inbox/")
    rows = client.get("/messages/inbox/", headers={"X-Poll": "1"}).content.decode()
    assert "<html" not in rows and 'id="inbox"' in rows


def test_an_answer_goes_back_word_for_word_and_stops_the_clock():
    patient = make.patient(phone="+79160000001", first_name="{clinic}")
    earlier, reply = wrote("алло", "+79160000001", ago=5 * MINUTE), wrote("где вы?", "+79160000001")
    client, url = signed_in("administrator"), f"/messages/inbox/{reply.pk}/"
    assert "data-since" in client.get(url).content.decode()
    said = "{first_name}, мы на [Мясницкой], {{ settings.SECRET_KEY }} {% debug %}"
    assert client.post(url, {"patient": patient.pk, "text": said}).status_code == 303
    message = Message.objects.get()
    assert (message.text, message.address, message.purpose, message.patient) == (
        said, "+79160000001", "service", patient,
    )  # fmt: skip
    actions.claim(transport="sms", owner="w", size=9, now=datetime.now(UTC))
    message.refresh_from_db()
    assert (message.state, message.text) == ("claimed", said)
    for one in (earlier, reply):
        one.refresh_from_db()
        assert one.answered_at is not None and one.answered_by is not None
    assert not WorkItem.objects.filter(status="open").exists()
    assert re.fullmatch(r"answered after \d+ s", AuditEntry.objects.get(deed="answer_replies").note)


def test_two_colleagues_cannot_both_answer():
    patient = make.patient(phone="+79160000001")
    reply = wrote("где вы?", "+79160000001")
    for _each in range(2):
        signed_in("administrator").post(f"/messages/inbox/{reply.pk}/", {"patient": patient.pk, "text": "здесь"})
    assert Message.objects.count() == 1


def test_of_a_family_one_is_chosen_and_a_stranger_cannot_be():
    mother, child, other = make.patient(phone="+79160000001"), make.patient(phone="+79160000001"), make.patient()
    reply = wrote("где вы?", "+79160000001")
    client, url = signed_in("administrator"), f"/messages/inbox/{reply.pk}/"
    page = client.get(url).content.decode()
    assert mother.short_name in page and child.short_name in page
    assert client.post(url, {"patient": other.pk, "text": "здесь"}).status_code == 422
    assert client.post(url, {"patient": child.pk, "text": ""}).status_code == 422
    assert client.post(url, {"patient": child.pk, "text": "здесь"}).status_code == 303
    assert Message.objects.get().patient == child


def test_quick_answers_begin_the_form_in_the_patients_language():
    make.patient(phone="+79160000001", language="en")
    reply = wrote("where?", "+79160000001")
    page = signed_in("administrator").get(f"/messages/inbox/{reply.pk}/?quick=0").content.decode()
    assert "Thank you, we expect you." in page
    client = signed_in("administrator")
    assert client.get(f"/messages/inbox/{reply.pk}/?quick=99").status_code == 200


def test_handled_closes_the_work_item_and_the_work_list_closes_the_reply():
    make.patient(phone="+79160000001")
    reply = wrote("где вы?", "+79160000001")
    client = signed_in("curator")
    assert client.post(f"/messages/inbox/{reply.pk}/handled/").status_code == 303
    assert WorkItem.objects.get().status == "done"
    again = wrote("а когда?", "+79160000001", ago=timedelta(0))
    item = WorkItem.objects.get(status="open")
    client.post(f"/work/{item.pk}/close/", {"outcome": "done", "note": ""})
    assert inbox_page(by=make.actor()).rows == []
    assert actions.stop_timers() == 1
    again.refresh_from_db()
    assert again.answered_at is not None and again.answered_by is not None
    assert actions.stop_timers() == 0


def test_a_wrong_number_is_out_of_use_and_its_owners_are_to_be_asked():
    make.patient(phone="+79160000001"), make.patient(phone="+79160000001")
    reply = wrote("вы ошиблись", "+79160000001")
    assert signed_in("administrator").post(f"/messages/inbox/{reply.pk}/wrong-number/").status_code == 303
    closed = Suppression.objects.get()
    assert (closed.address, closed.kind) == ("+79160000001", "wrong_number")
    assert WorkItem.objects.filter(kind="unreachable", status="open").count() == 2


def test_a_branch_sees_its_own_and_strangers():
    here, there = make.branch(), make.branch()
    make.patient(phone="+79160000001", branch=here), make.patient(phone="+79160000002", branch=there)
    mine, theirs, nobody = (wrote("где вы?", f"+7916000000{n}") for n in (1, 2, 3))
    client = signed_in("administrator", branch=here)
    assert {reply.pk for reply in client.get("/messages/inbox/").context["page"].rows} == {mine.pk, nobody.pk}
    assert client.get(f"/messages/inbox/{theirs.pk}/").status_code == 404
    assert client.post(f"/messages/inbox/{theirs.pk}/handled/").status_code == 404
    assert signed_in("marketer").get("/messages/inbox/").status_code == 403


def test_the_share_of_quick_answers_counts_what_needed_a_person():
    for n, seconds in enumerate((30, 60, 61, 120, 500)):
        reply = wrote("вопрос", f"+7916000001{n}", ago=timedelta(hours=1))
        answered = reply.received_at + timedelta(seconds=seconds)
        Reply.objects.filter(pk=reply.pk).update(answered_at=answered, answered_by=make.user("administrator"))
    wrote("вопрос", "+79160000020", ago=timedelta(minutes=3))  # waits and is late
    wrote("вопрос", "+79160000021", ago=timedelta(seconds=20))  # waits and may still be in time
    wrote("стоп", "+79160000022", ago=timedelta(hours=1))  # nobody was needed
    found = speed(by=make.actor(), now=NOW)
    assert (found.all, found.within_60, found.within_120) == (6, 2, 4)


def test_the_reply_stands_on_the_timeline_of_the_card():
    mother = make.patient(phone="+79160000001")
    child = make.patient(responsible_adult=mother)
    visit = make.visit(child, start=NOW + timedelta(days=1), status="scheduled")
    queued(child, address="+79160000001", visit=visit, about_at=visit.start_at, state="sent")
    Message.objects.update(sent_at=NOW - timedelta(hours=1))
    wrote("Мы немного опоздаем", "+79160000001")
    client = signed_in("administrator")
    for patient in (mother, child):
        assert "Мы немного опоздаем" in client.get(f"/patients/{patient.pk}/").content.decode()


class TestTelegramPage:
    def test_a_link_is_shown_once_with_its_code(self):
        patient = make.patient()
        client, url = signed_in("administrator"), f"/messages/telegram/{patient.pk}/"
        assert "t.me" not in client.get(url).content.decode()
        page = client.post(url, {"deed": "make"}).content.decode()
        [code] = set(re.findall(r"https://t\.me/clinic_bot\?start=([\w-]+)", page))
        assert "data:image/svg+xml" in page
        assert "t.me" not in client.get(url).content.decode()
        chat = actions.link_chat(code=code, chat_id=777, by=make.actor(), now=datetime.now(UTC))
        assert chat.patient == patient
        assert client.post(url, {"deed": "unlink"}).status_code == 303
        assert not TelegramChat.objects.filter(unlinked_at=None).exists()

    def test_it_is_sent_by_sms_else_by_mail_else_said_that_it_cannot(self):
        client = signed_in("curator")
        for patient in (make.patient(phone="+79160000001"), make.patient(email="maria@example.org"), make.patient()):
            assert client.post(f"/messages/telegram/{patient.pk}/", {"deed": "send"}).status_code == 303
        sent = Message.objects.order_by("pk").values_list("transport", "address", "purpose")
        assert list(sent) == [("sms", "+79160000001", "service"), ("email", "maria@example.org", "service")]
        assert all("https://t.me/clinic_bot?start=" in text for text in Message.objects.values_list("text", flat=True))
        assert TelegramCode.objects.count() == 2

    def test_without_a_bot_or_with_another_word_nothing_is_made(self, settings):
        patient, client = make.patient(), signed_in("administrator")
        assert client.post(f"/messages/telegram/{patient.pk}/", {"deed": "steal"}).status_code == 404
        settings.TELEGRAM_BOT_NAME = ""
        assert client.post(f"/messages/telegram/{patient.pk}/", {"deed": "make"}).status_code == 404
        assert client.get(f"/messages/telegram/{patient.pk}/").status_code == 200
        assert signed_in("doctor").get(f"/messages/telegram/{patient.pk}/").status_code == 403
