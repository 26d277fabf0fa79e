"""What providers call: answers by the generic contract and by SMSC's form, updates of Telegram. All of it verified."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from messaging import actions
from messaging.models import Message, Reply, Suppression, TelegramChat, TelegramCode
from messaging.rules.signature import sign
from staff.models import AuditEntry
from tests import make
from tests.messaging import bot_api as bot
from tests.messaging.outbox import queued, send

pytestmark = pytest.mark.django_db
PHONE = "+79161234567"
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.SMS_GATEWAY_SECRET, settings.TELEGRAM_WEBHOOK_SECRET = "s3cret", "w3bhook"
    settings.TELEGRAM_BOT_NAME = "clinic_bot"


def answer(**fields) -> dict:
    said = {"event_id": "a1", "from": PHONE, "to": "CLINIC", "text": "Где вы?", "received_at": NOW.isoformat()}
    return said | fields


def post(body, *, secret="s3cret", url="/api/v1/hooks/replies/sms/", raw=None):
    text, stamp = raw if raw is not None else json.dumps(body).encode(), str(int(time.time()))
    headers = {"X-Timestamp": stamp, "X-Signature": sign(secret, stamp, text)}
    return Client(enforce_csrf_checks=True).post(url, text, content_type="application/json", headers=headers)


class TestTheGenericContract:
    def test_a_signed_answer_is_taken_once(self):
        patient = make.patient(phone=PHONE)
        assert post(answer()).status_code == post(answer()).status_code == 200
        found = Reply.objects.get()
        assert (found.patient, found.text, found.event_id) == (patient, "Где вы?", "a1")

    def test_it_may_name_the_message_that_it_answers(self):
        patient = make.patient(phone=PHONE)
        visit = make.visit(patient, start=NOW + timedelta(days=1), status="scheduled")
        about = {"visit": visit, "about_at": visit.start_at, "state": "sent", "client_id": "c1", "address": PHONE}
        queued(patient, **about)
        Message.objects.update(sent_at=NOW - timedelta(hours=1))
        assert post(answer(text="да", in_reply_to="c1")).status_code == 200
        visit.refresh_from_db()
        assert visit.confirmed_at is not None

    def test_forged_and_broken_ones_are_nobody(self):
        assert post(answer(), secret="wrong").status_code == 403
        assert post(answer(), url="/api/v1/hooks/replies/pigeon/").status_code == 403
        assert Client().post("/api/v1/hooks/replies/sms/", {}, content_type="application/json").status_code == 401
        broken = [answer(**{name: bad}) for name in ("event_id", "from", "text") for bad in (None, 5, [], "", "\x00")]
        broken += [answer(received_at="soon"), answer(event_id="x" * 121), [], "text", None]
        assert {post(body).status_code for body in broken} == {400}
        assert {post(None, raw=raw).status_code for raw in (b"", b"{", b"[" * 5000, b"\xff")} == {400}
        assert post(None, raw=b"x" * 70000).status_code == 413
        assert not Reply.objects.exists()


def form(fields: dict, words: tuple[str, ...], *, secret="s3cret", charset="utf-8", algorithm="md5") -> dict:
    raw = ":".join((*(fields[name] for name in words), secret)).encode(charset)
    return fields | {algorithm: hashlib.new(algorithm, raw).hexdigest()}


def call(fields: dict, *, charset="utf-8"):
    from urllib.parse import urlencode

    url = f"/api/v1/hooks/messages/smsc/?charset={charset}"
    body = urlencode(fields, encoding=charset)
    return Client(enforce_csrf_checks=True).post(url, body, content_type="application/x-www-form-urlencoded")


STATUS, ANSWER = ("id", "phone", "status"), ("phone", "mes", "to")


class TestTheFormOfSmsc:
    def test_a_status_ends_the_message_and_brings_its_price(self):
        row = queued(state="sent", client_id="c1", address=PHONE)
        said = {"id": "c1", "phone": PHONE[1:], "status": "1", "ts": str(int(time.time())), "cost": "3.50"}
        for _twice in range(2):
            assert call(form(said, STATUS, algorithm="sha1")).status_code == 200
        row.refresh_from_db()
        assert (row.state, row.cost) == ("delivered", 350)

    def test_a_subscriber_who_shut_us_out_is_not_written_to_again(self):
        row = queued(state="sent", client_id="c1", address=PHONE)
        call(form({"id": "c1", "phone": PHONE[1:], "status": "20", "err": "249"}, STATUS))
        row.refresh_from_db()
        assert row.state == "undelivered"
        assert Suppression.objects.get().kind == "blocked"

    @pytest.mark.parametrize(
        ("named", "charset"), [("utf-8", "utf-8"), ("windows-1251", "cp1251"), ("koi8-r", "koi8-r")]
    )
    def test_an_answer_is_read_in_the_charset_of_the_address(self, named, charset):
        make.patient(phone=PHONE)
        said = form(
            {"phone": PHONE[1:], "mes": "Где вы находитесь?", "to": "79000000000", "id": "7"}, ANSWER, charset=charset
        )
        assert [call(said, charset=named).status_code for _twice in range(2)] == [200, 200]
        assert Reply.objects.get().text == "Где вы находитесь?"

    def test_one_that_comes_twice_changes_nothing_whatever_its_time_says(self):
        make.patient(phone=PHONE)
        said = form({"phone": PHONE[1:], "mes": "Где вы?", "to": "79000000000", "id": "7"}, ANSWER)
        times = [{}, {"ts": str(int(time.time()))}, {"ts": str(int(time.time()) - 60)}, {"time": "01.03.2026 10:00"}]
        assert [call(said | more).status_code for more in times] == [200] * 4
        assert Reply.objects.count() == 1

    @pytest.mark.parametrize(("minutes", "status"), [(-25 * 60, 403), (-23 * 60, 200), (4, 200), (30, 403)])
    def test_an_old_one_is_refused_and_what_was_repeated_for_a_day_is_not(self, minutes, status):
        make.patient(phone=PHONE)
        sent = str(int(time.time()) + minutes * 60)
        said = form({"phone": PHONE[1:], "mes": "стоп", "to": "79000000000", "id": "7", "ts": sent}, ANSWER)
        assert call(said).status_code == status
        assert Suppression.objects.exists() is Reply.objects.exists() is (status == 200)

    def test_one_without_id_and_time_could_be_any_and_is_none(self):
        make.patient(phone=PHONE)
        assert call(form({"phone": PHONE[1:], "mes": "1", "to": "79000000000"}, ANSWER)).status_code == 400
        assert not Reply.objects.exists()

    def test_forged_and_unsigned_ones_are_nobody(self):
        make.patient(phone=PHONE)
        said = {"phone": PHONE[1:], "mes": "стоп", "to": "79000000000", "id": "8"}
        assert call(form(said, ANSWER, secret="wrong")).status_code == 403
        assert call(said).status_code == 401
        assert call(form({"id": "c1", "phone": "7", "status": "1"}, STATUS, secret="")).status_code == 403
        assert call(form({"id": "c1", "phone": "7", "status": "nonsense"}, STATUS)).status_code == 400
        assert not Reply.objects.exists() and not Suppression.objects.exists()


UPDATE = {"n": 0}


def update(text: str = "", *, chat=777, number=None, kind="private", **more) -> dict:
    UPDATE["n"] += 1
    said = {"message_id": 5, "from": {"id": chat, "is_bot": False}, "chat": {"id": chat, "type": kind}}
    return {"update_id": number or UPDATE["n"], "message": said | {"date": int(time.time()), "text": text} | more}


def telegram(body, *, secret="w3bhook"):
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client(enforce_csrf_checks=True).post(
        "/api/v1/hooks/telegram/", text, content_type="application/json", headers=headers
    )


def code_for(patient) -> str:
    return actions.make_code(patient=patient, by=make.actor(), now=datetime.now(UTC))


class TestTelegram:
    @pytest.fixture(autouse=True)
    def api(self, settings):
        with bot.bot_api() as running:
            settings.TELEGRAM_API_URL, settings.TELEGRAM_BOT_TOKEN = running.url, bot.TOKEN
            yield running

    def test_start_with_a_code_links_the_chat_and_greets_once(self, api):
        patient = make.patient()
        code = code_for(patient)
        body = update(f"/start {code}")
        assert telegram(body).json() == telegram(body).json() == {"ok": True}
        chat = TelegramChat.objects.get()
        assert (chat.patient, chat.chat_id, chat.unlinked_at) == (patient, 777, None)
        send(now=datetime.now(UTC), transport="telegram")
        [greeting] = api.said_to(777)
        assert "/stop" in greeting and patient.first_name not in greeting
        assert code not in str(TelegramCode.objects.values())
        assert AuditEntry.objects.filter(deed="link_telegram", note="linked").count() == 1

    def test_a_code_works_once_for_a_day_and_the_next_one_ends_it(self):
        patient = make.patient()
        first, second = code_for(patient), code_for(patient)
        assert telegram(update(f"/start {first}")).json()["method"] == "sendMessage"
        telegram(update(f"/start {second}", chat=1))
        assert "text" in telegram(update(f"/start {second}", chat=2)).json()
        third = code_for(patient)
        TelegramCode.objects.update(expires_at=NOW - timedelta(seconds=1))
        assert "text" in telegram(update(f"/start {third}", chat=3)).json()
        assert "text" in telegram(update("/start " + "x" * 500, chat=4)).json()
        assert [chat.chat_id for chat in TelegramChat.objects.all()] == [1]

    def test_a_new_chat_takes_the_place_of_the_old_one_and_a_chat_may_be_a_mothers(self):
        mother, child = make.patient(), make.patient()
        for patient, chat in ((mother, 1), (mother, 2), (child, 2)):
            telegram(update(f"/start {code_for(patient)}", chat=chat))
        linked = TelegramChat.objects.filter(unlinked_at=None).order_by("patient")
        assert list(linked.values_list("patient", "chat_id")) == [(mother.pk, 2), (child.pk, 2)]

    def test_stop_lets_the_chat_go_and_blocking_does_the_same(self):
        patient = make.patient()
        telegram(update(f"/start {code_for(patient)}"))
        assert "text" in telegram(update("/stop")).json()
        assert telegram(update("/stop")).json() == {"ok": True}
        assert not TelegramChat.objects.filter(unlinked_at=None).exists()
        telegram(update(f"/start {code_for(patient)}"))
        gone = {"chat": {"id": 777, "type": "private"}, "date": 1, "new_chat_member": {"status": "kicked"}}
        telegram({"update_id": 99, "my_chat_member": gone})
        assert not TelegramChat.objects.filter(unlinked_at=None).exists()

    def test_who_comes_back_after_a_block_is_written_to_again(self, api):
        patient = make.patient()
        actions.suppress(transport="telegram", address="777", kind="blocked", detail="", by=make.actor(), now=NOW)
        telegram(update(f"/start {code_for(patient)}"))
        send(now=datetime.now(UTC), transport="telegram")
        assert len(api.said_to(777)) == 1

    def test_what_a_patient_writes_is_an_answer_and_what_a_stranger_writes_is_kept_nowhere(self):
        patient = make.patient()
        telegram(update(f"/start {code_for(patient)}"))
        body = update("Где вы?")
        telegram(body)
        assert telegram(body).json() == {"ok": True}
        telegram(update(sticker={"emoji": "👍"}))
        telegram(update(photo=[], caption="смотрите"))
        telegram(update(voice={}))
        assert [one.text for one in Reply.objects.order_by("pk")] == ["Где вы?", "👍", "смотрите", "[voice]"]
        assert {one.patient for one in Reply.objects.all()} == {patient}
        assert "text" in telegram(update("привет", chat=5)).json()
        assert telegram(update(f"/start {code_for(patient)}", chat=-5, kind="group")).json() == {"ok": True}
        assert Reply.objects.count() == 4 and TelegramChat.objects.count() == 1

    def test_without_the_secret_nobody_is_heard(self, settings):
        body = update(f"/start {code_for(make.patient())}")
        assert telegram(body, secret="").status_code == telegram(body, secret="wrong").status_code == 403
        settings.TELEGRAM_WEBHOOK_SECRET = ""
        assert telegram(body, secret="").status_code == 403
        assert not TelegramChat.objects.exists()

    def test_nonsense_is_400_or_nothing_never_500(self):
        nonsense = [b"", b"{", b"[]", b"null", b"[" * 5000, b"\xff", b'{"update_id": "x"}', b'{"update_id": true}']
        assert {telegram(body).status_code for body in nonsense} == {400}
        assert telegram(b"x" * 70000).status_code == 413
        odd = [{"update_id": 1}, {"update_id": 2, "message": 5}, {"update_id": 3, "message": {"chat": {"id": "x"}}}]
        odd += [update(chat=777) | {"message": {"chat": {"id": 777, "type": "private"}, "date": 10**30}}]
        assert {telegram(body).status_code for body in odd} == {200}
