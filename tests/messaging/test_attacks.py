"""What somebody tries who has an account of the wrong role, no account at all, or a provider's broken clock."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from messaging.models import Message, Reply, Template
from messaging.queries.links import unsubscribe_url
from messaging.rules.masks import without_codes
from patients.models import Consent, Patient
from tests import make
from tests.messaging.outbox import queued
from tests.messaging.test_reply_hooks import NOW, PHONE, answer, post
from tests.messaging.test_templates import signed_in

pytestmark = pytest.mark.django_db
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"
TOO_BIG = 10**30


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.SMS_GATEWAY_SECRET, settings.TELEGRAM_WEBHOOK_SECRET = "s3cret", "w3bhook"
    settings.TELEGRAM_BOT_NAME, settings.REQUIRE_TOTP = "clinic_bot", False
    make.clinic(name="Клиника")


def search(role: str, text: str) -> str:
    return signed_in(role).post("/messages/texts/patients/", {"q": text}).content.decode()


@pytest.fixture
def hidden() -> Patient:
    """Whose phone stands in `search`, as intake writes it."""
    return make.patient(
        last_name="Тайнов", first_name="Пётр", phone=PHONE, card_number="K77", search="тайнов петр 79161234567 k77"
    )


class TestAMarketerLearnsNoContacts:
    @pytest.mark.parametrize("text", ["4567", PHONE, "+7 916", "тайнов 4567", "тайнов петр 7916", "петр 1234567"])
    def test_no_search_spells_a_phone(self, hidden, text):
        assert "Тайнов" not in search("marketer", text)

    @pytest.mark.parametrize("text", ["тайнов", "тай пет", "тайнов K77"])
    def test_names_and_card_numbers_are_found_all_the_same(self, hidden, text):
        assert "Тайнов" in search("marketer", text) or text.endswith("K77")

    def test_whoever_sees_contacts_still_finds_by_phone(self, hidden):
        assert "Тайнов" in search("manager", "4567")

    def test_what_was_written_to_one_person_is_not_shown(self):
        row = queued(make.patient(phone=PHONE), address=PHONE, text="Ваш анализ готов", state="sent")
        for url in ("/messages/", f"/messages/{row.pk}/", "/api/v1/messages/"):
            assert "анализ" not in signed_in("marketer").get(url).content.decode(), url
        assert "анализ" in signed_in("administrator").get(f"/messages/{row.pk}/").content.decode()


class TestNobodyActsInAPatientsName:
    def test_pages_of_messages_show_no_code_of_a_link(self):
        row = queued(make.patient(phone=PHONE), address=PHONE, state="sent")
        link, chat = unsubscribe_url(row.pk), "https://t.me/clinic_bot?start=Abcdefgh12345678"
        Message.objects.update(text=f"{link} {chat}")
        for url in ("/messages/", f"/messages/{row.pk}/"):
            text = signed_in("manager").get(url).content.decode()
            assert "t.me/clinic_bot?start=…" in text and "Abcdefgh" not in text and link not in text

    def test_other_addresses_stay_as_they_are(self):
        assert without_codes("https://klinika.ru/services/uzi?from=sms") == "https://klinika.ru/services/uzi?from=sms"


class TestAnotherBranch:
    def test_whom_a_message_told_too_is_named_only_to_those_who_may_see_him(self):
        mine, theirs = make.branch(), make.branch()
        row = queued(make.patient(branch=mine), address=PHONE, state="sent")
        child = make.patient(branch=theirs, last_name="Чужова")
        Message.objects.filter(pk=queued(child, state="skipped", dedupe_key="k2").pk).update(grouped_into=row)
        assert "Чужова" in signed_in("manager").get(f"/messages/{row.pk}/").content.decode()
        assert "Чужова" not in signed_in("manager", branch=mine).get(f"/messages/{row.pk}/").content.decode()

    def test_what_a_stranger_to_the_branch_wrote_from_the_same_phone_stays_there(self):
        mine, theirs = make.branch(), make.branch()
        old = Reply.objects.create(
            transport="sms", event_id="1", address=PHONE, text="давнее", received_at=NOW - timedelta(days=9)
        )
        old.owners.add(make.patient(branch=theirs))
        new = Reply.objects.create(transport="sms", event_id="2", address=PHONE, text="новое", received_at=NOW)
        new.owners.add(make.patient(branch=mine))
        assert "давнее" in signed_in("manager").get(f"/messages/inbox/{new.pk}/").content.decode()
        assert "давнее" not in signed_in("manager", branch=mine).get(f"/messages/inbox/{new.pk}/").content.decode()


class TestWhatPatientsAndColleaguesWriteIsText:
    def test_an_answer_with_a_script_is_shown_as_words(self):
        patient = make.patient(phone=PHONE, last_name="<b>Жирный</b>")
        assert post(answer(text=SCRIPT)).status_code == 200
        reply, client = Reply.objects.get(), signed_in("administrator", branch=patient.branch)
        for url in ("/messages/inbox/", f"/messages/inbox/{reply.pk}/", f"/patients/{patient.pk}/", "/work/"):
            text = client.get(url).content.decode()
            assert "<script>alert" not in text and "<img src=x" not in text and "<b>Жирный" not in text, url

    @pytest.mark.parametrize("body", ["{first_name.__class__}", "{0}", "{first_name!r}", "{{ settings }}", "{a[b]}"])
    def test_the_language_of_texts_reaches_no_attribute(self, body):
        assert put(body=body).status_code == 422 and not Template.objects.exists()

    def test_a_subject_brings_no_header(self):
        assert put(body="Ждём вас", subject="Визит\r\nBcc: x@example.org").status_code == 200
        assert "\n" not in Template.objects.get().subject

    def test_a_link_is_never_plain_http(self):
        links = ("http://example.org/", "javascript:alert(1)", "//example.org", "https://a.ru/\r\nSet-Cookie: a=b")
        wrong = {link: put(body="Ждём", link=link).status_code for link in links}
        assert set(wrong.values()) == {422}

    @pytest.mark.parametrize("field", ["picture", "code", "edited_by", "id"])
    def test_no_other_field_is_taken(self, field):
        assert put(**{"body": "Ждём", field: "1"}).status_code == 422


def put(**fields: str):
    body = json.dumps({"subject": "Визит"} | fields)
    url = "/api/v1/templates/reminder_24h/email/ru/"
    return signed_in("marketer").put(url, body, content_type="application/json")


class TestHooks:
    @pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "1899-12-31T00:00:00Z", "-1e10"])
    def test_a_time_before_there_were_phones_is_no_time(self, at):
        assert post(answer(received_at=at)).status_code == 400 and not Reply.objects.exists()

    def test_a_time_to_come_is_now(self):
        assert post(answer(received_at="9999-12-31T23:59:59Z")).status_code == 200
        assert abs(Reply.objects.get().received_at - NOW) < timedelta(minutes=10)

    def test_half_a_sign_from_telegram_is_taken_and_does_not_come_again_and_again(self):
        for number, text in enumerate(["\ud800", "/start \ud800", "да\x00"]):
            message = {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "text": text}
            given = json.dumps({"update_id": number, "message": message})
            headers = {"X-Telegram-Bot-Api-Secret-Token": "w3bhook"}
            url = "/api/v1/hooks/telegram/"
            taken = Client().post(url, given, content_type="application/json", headers=headers)
            assert taken.status_code == 200

    def test_a_report_signed_for_one_hook_is_no_answer_at_the_other(self):
        report = {"client_id": "c", "status": "delivered", "occurred_at": NOW.isoformat()}
        assert post(report).status_code == 400
        assert post(answer(), url="/api/v1/hooks/messages/sms/").status_code == 400


@pytest.mark.parametrize(
    "url",
    ["/messages/{}/", "/messages/{}/proof/", "/messages/proof/patients/{}/", "/messages/proof/scans/{}/",
     "/messages/inbox/{}/", "/messages/telegram/{}/", "/messages/contact/{}/", "/api/v1/messages/{}/"],
)  # fmt: skip
def test_a_number_that_fits_no_column_is_not_there(url):
    assert signed_in("owner").get(url.format(TOO_BIG)).status_code == 404


class TestConsents:
    def test_no_consent_of_tomorrow_outlives_the_withdrawal_of_today(self):
        patient = make.patient()
        row = {"external_id": "L1", "patient_id": patient.pk, "purpose": "marketing", "given": True, "how": "paper"}
        row |= {"evidence": "папка 1", "at": "2099-01-01T00:00:00Z"}
        url = "/api/v1/consents/bulk/"
        answered = signed_in("administrator", branch=patient.branch).post(
            url, {"source": "mis", "rows": [row]}, content_type="application/json"
        )
        assert not Consent.objects.exists(), answered.content
        assert "at" in answered.content.decode()
