"""Texts: what may be said, what it costs, how it looks to a real patient, where its link leads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging import actions, automations, queries
from messaging.models import LinkClick, Message, Picture, Template
from messaging.models.outbox import Reason
from messaging.queries.clock import database_now
from messaging.queries.links import link_url, unsubscribe_url
from messaging.queries.texts import finished, pictures_for, texts_for
from messaging.rules.bots import is_bot
from messaging.rules.pictures import BadPicture, kind_of
from staff.models import AuditEntry
from tests import make
from tests.messaging.outbox import queued, send

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
H = timedelta(hours=1)
PERSON = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"}


@pytest.fixture(autouse=True)
def plainly(settings):
    settings.DEMO, settings.SMS_GATEWAY_URL, settings.REQUIRE_TOTP = True, "", False
    make.clinic(name="Клиника")


def signed_in(role: str = "marketer", **fields) -> Client:
    client = Client()
    client.force_login(make.user(role, **fields), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_text_is_edited_with_preview_and_an_unknown_placeholder_is_refused():
    client, url = signed_in(), "/messages/texts/reminder_2h/sms/ru/"
    assert "UCS-2" in client.get(url).content.decode()
    preview = client.post(url, {"body": "Ждём {first_name}", "preview": "1"})
    assert preview.status_code == 200 and "Ждём Мария" in preview.content.decode() and not Template.objects.exists()
    refused = client.post(url, {"body": "У вас {diagnosis}"})
    assert refused.status_code == 422 and "diagnosis" in refused.content.decode()
    assert client.post(url, {"body": "Ждём {first_name}"}).status_code == 303
    assert Template.objects.get().body == "Ждём {first_name}"
    assert client.get("/messages/texts/nothing/sms/ru/").status_code == 404
    assert client.get("/messages/texts/reminder_2h/call/ru/").status_code == 404


def test_a_subject_is_one_line_and_checked():
    client, url = signed_in(), "/messages/texts/reminder_2h/email/en/"
    assert client.post(url, {"subject": "{x}", "body": "Hi"}).status_code == 422
    assert client.post(url, {"subject": "At {time}", "body": "Hi\r\nthere"}).status_code == 303
    assert Template.objects.get().body == "Hi\nthere"


@pytest.mark.parametrize(
    "hostile", ["{{ 7|add:1 }}", "{% load x %}", "{first_name.__class__}", "{0}", "{first_name!r}"]
)
def test_staff_text_never_reaches_a_template_engine(hostile):
    assert signed_in().post("/messages/texts/reminder_2h/sms/ru/", {"body": hostile}).status_code == 422
    assert not Template.objects.exists()


def test_what_the_linter_forbids_is_refused_in_the_users_language():
    url, body = "/messages/texts/reminder_2h/sms/ru/", "Ждём {first_name}, скидка 10 %"
    russian = signed_in().post(url, {"body": body})
    assert russian.status_code == 422 and "превращает это в рекламу" in russian.content.decode()
    english = signed_in().post(url, {"body": body}, headers={"Accept-Language": "en"})
    assert "makes this an advertisement" in english.content.decode() and not Template.objects.exists()
    advert = {"body": "{first_name}, скидка 10 %! {clinic}", "promotion": "Отказ: СТОП"}
    assert signed_in().post("/messages/texts/win_back/sms/ru/", advert).status_code == 303


def test_the_preview_counts_parts_with_the_warning_while_typing():
    client = signed_in()
    short = client.post("/messages/texts/reminder_2h/sms/en/preview/", {"body": "See you"})
    assert "GSM-7" in short.content.decode() and short.context["shown"].size.count == 1
    given = {"body": "{clinic}: приходите", "promotion": "СТОП"}
    advert = client.post("/messages/texts/win_back/sms/ru/preview/", given).context["shown"]
    assert "противопоказания" in advert.text and advert.size.count == 2
    unwarned = client.post("/messages/texts/win_back/sms/ru/preview/", given | {"without_warning": "парковка"})
    assert "противопоказания" not in unwarned.context["shown"].text
    broken = client.post("/messages/texts/reminder_2h/sms/en/preview/", {"body": "See {"})
    assert broken.status_code == 200 and broken.context["shown"] is None


def test_a_real_patient_is_looked_at_and_that_is_noted_once():
    make.doctor(speciality="кардиология")
    patient = make.patient(first_name="Ольга", last_name="Проверкина", search="проверкина ольга", phone="+79160000001")
    now = database_now()
    make.visit(patient, start=now + 30 * H, status="scheduled", booked_at=now - H)
    client, url = signed_in(), "/messages/texts/reminder_24h/sms/ru/preview/"
    hits = client.post("/messages/texts/patients/", {"q": "провер"})
    assert f'value="{patient.pk}"' in hits.content.decode() and "916" not in hits.content.decode()
    for _key in range(3):
        answer = client.post(url, {"body": "{first_name}, {date}, {time}", "patient": str(patient.pk)})
    assert answer.context["shown"].text.startswith("Ольга, ")
    assert answer.context["answer"] is not None
    [entry] = AuditEntry.objects.filter(deed="preview_message")
    assert (entry.patient_id, entry.object_kind) == (patient.pk, "patient")
    free = make.patient(first_name="Пётр")
    nothing = client.post(url, {"body": "{first_name}, {date}", "patient": str(free.pk)})
    assert nothing.context["shown"].missing == "{date}"


def test_another_branchs_patient_cannot_be_previewed():
    stranger = make.patient(branch=make.branch(), search="чужой")
    client = signed_in("manager", branch=make.branch())
    assert (
        client.post("/messages/texts/feedback/sms/ru/preview/", {"body": "x", "patient": stranger.pk}).status_code
        == 404
    )
    assert "value=" not in client.post("/messages/texts/patients/", {"q": "чужой"}).content.decode()
    assert not AuditEntry.objects.filter(deed="preview_message").exists()


def test_a_trial_goes_to_the_persons_own_address_through_the_outbox():
    client, url = signed_in(email="me@example.org", phone="+79160000009"), "/messages/texts/feedback/sms/ru/"
    assert client.post(f"{url}trial/").status_code == 303
    row = Message.objects.get()
    assert (row.address, row.patient, row.template) == ("+79160000009", None, "feedback") and row.user is not None
    assert row.text.startswith("Мария, как прошёл")
    send(now=row.not_before + H / 60)
    row.refresh_from_db()
    assert (row.state, row.basis) == ("sent", "staff")
    signed_in().post(f"{url}trial/")
    assert Message.objects.count() == 1  # no phone in the profile


def test_an_edited_text_goes_back_to_what_the_product_came_with():
    client, url = signed_in(), "/messages/texts/feedback/sms/ru/"
    client.post(url, {"body": "Как дела, {first_name}?"})
    assert "Как дела, Мария?" in client.get("/messages/automations/feedback/").content.decode()
    assert client.post(f"{url}reset/").status_code == 303
    assert not Template.objects.exists() and client.post(f"{url}reset/").status_code == 404


def test_a_picture_is_told_by_its_first_bytes_and_shown_with_what_was_approved():
    for content, what in ((b"GIF89a", "kind"), (b"<svg>", "kind"), (PNG + b"0" * 300 * 1024, "size")):
        with pytest.raises(BadPicture, match=what):
            kind_of(content)
    client, url = signed_in(), "/messages/texts/win_back/email/ru/"
    given = {"subject": "Привет", "body": "Здравствуйте! {clinic}", "promotion": "{unsubscribe}"}
    bad = client.post(url, given | {"picture": SimpleUploadedFile("a.png", b"MZ not a picture")})
    assert bad.status_code == 422 and not Picture.objects.exists()
    assert client.post(url, given | {"picture": SimpleUploadedFile("x.exe", PNG)}).status_code == 303
    assert "data:image/png;base64," in client.get(url).content.decode()
    row = queued(transport="email", address="a@example.org")
    row.template, row.purpose = "win_back", "marketing"
    assert pictures_for([row]) == {row.pk: (PNG, "image/png")}
    assert client.post(url, given).status_code == 303  # saved again without a new one: it stays
    assert Template.objects.get().picture_id is not None
    assert client.post(url, given | {"no_picture": "on"}).status_code == 303
    assert pictures_for([row]) == {} and Picture.objects.count() == 1


def linked(**fields) -> Message:
    """A message whose text has a link; sent a while ago."""
    Template.objects.get_or_create(
        code="feedback", transport="sms", language="ru",
        defaults={"body": "Ваше мнение: {link}", "link": "https://clinic.example/ask?x=1", "updated_at": database_now()},
    )  # fmt: skip
    row = queued(**fields)
    Message.objects.filter(pk=row.pk).update(template="feedback", state="sent", sent_at=database_now() - H)
    row.refresh_from_db()
    return row


def test_the_link_of_a_message_counts_a_click_and_leads_on_with_marks_and_nothing_personal():
    row = linked()
    row.text = ""
    text, _subject = finished(row, texts_for({"feedback"}))
    path = link_url(row.pk).split("8000")[-1]
    assert link_url(row.pk) in text
    answer = Client().get(path, headers=PERSON)
    assert (
        answer.status_code == 302
        and answer["Referrer-Policy"] == "no-referrer"
        and "no-store" in answer["Cache-Control"]
    )
    assert answer.url == "https://clinic.example/ask?x=1&utm_source=clinic&utm_medium=sms&utm_campaign=feedback"
    Client().get(path, headers=PERSON)
    Client().head(path, headers=PERSON)
    Client().get(path, headers={"User-Agent": "TelegramBot (like TwitterBot)"})
    clicks = LinkClick.objects.get()
    assert (clicks.people, clicks.bots, clicks.message_id) == (2, 2, row.pk) and clicks.first_at is not None
    assert Client().post(path).status_code == 405


def test_a_forged_code_or_one_for_another_purpose_leads_nowhere():
    row = linked()
    stop = unsubscribe_url(row.pk).split("/u/")[-1].strip("/")
    good = link_url(row.pk).split("/l/")[-1].strip("/")
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    for code in (stop, wrong, good.upper(), "x", "1-", "9" * 50):
        assert Client().get(f"/l/{code}/", headers=PERSON).status_code == 404, code
    assert not LinkClick.objects.exists()
    Template.objects.update(link="")
    assert Client().get(f"/l/{good}/", headers=PERSON).status_code == 404


def test_programs_are_set_apart_from_people():
    now = database_now()
    person = {"method": "GET", "agent": PERSON["User-Agent"], "purpose": "", "sent_at": now - H, "now": now}
    assert not is_bot(**person)
    for change in (
        {"method": "HEAD"}, {"agent": ""}, {"agent": "curl/8.1"}, {"agent": "Mozilla/5.0 GoogleImageProxy"},
        {"purpose": "prefetch"}, {"sent_at": now - timedelta(seconds=2)}, {"sent_at": None},
    ):  # fmt: skip
        assert is_bot(**(person | change)), change


def test_a_link_may_only_lead_to_https():
    client, url = signed_in(), "/messages/texts/feedback/sms/ru/"
    for bad in ("http://clinic.example/", "javascript:alert(1)", "clinic.example", "//evil"):
        assert client.post(url, {"body": "Ваше мнение: {link}", "link": bad}).status_code == 422, bad
    assert client.post(url, {"body": "Ваше мнение: {link}", "link": "https://clinic.example/"}).status_code == 303


def test_the_month_of_each_automation_adds_up_and_shows_what_came_of_it():
    client, now = signed_in("manager"), database_now()
    patient = make.patient()
    told = make.visit(patient, start=now - 2 * H, status="completed", booked_at=now - 60 * H, confirmed_at=now - 20 * H)
    for state, reason in [
        ("sent", ""),
        ("delivered", ""),
        ("skipped", "visit_moved"),
        ("queued", ""),
        ("unknown", "lease"),
    ]:
        queued(patient, automation="reminder_24h", state=state, visit=told, about_at=told.start_at)
        Message.objects.filter(state=state).update(reason=reason, created_at=now, cost=420, sent_at=now - 24 * H)
    later = queued(make.patient(), automation="win_back", state="queued")
    Message.objects.filter(pk=later.pk).update(created_at=now - timedelta(days=40))
    rows = {row.automation.code: row for row in queries.automation_rows(automations.registered(), now=now)}
    row = rows["reminder_24h"]
    assert row.due == row.sent + row.waiting + row.unknown + row.not_sent == 5
    assert (row.sent, row.confirmed, row.came, row.cost) == (2, 2, 2, 5 * 420)
    assert rows["win_back"].due == 0
    assert client.post("/messages/automations/reminder_24h/switch/", {"on": "0"}).status_code == 303
    assert client.post("/messages/automations/none/switch/", {"on": "0"}).status_code == 404
    page = client.get("/messages/automations/").content.decode()
    assert "выключено" in page and str(Reason.VISIT_MOVED.label) in page


def test_a_delay_is_chosen_within_limits_and_taken_back():
    client, url = signed_in(), "/messages/automations/reminder_24h/"
    assert client.post(f"{url}delay/", {"amount": "36"}).status_code == 303
    assert "за 36 часов" in client.get(url).content.decode()
    client.post(f"{url}delay/", {"amount": "500"})
    assert "за 36 часов" in client.get(url).content.decode()
    client.post(f"{url}delay/", {"amount": ""})
    assert "за 24 часа" in client.get(url).content.decode()
    assert client.post("/messages/automations/confirmation/delay/", {"amount": "1"}).status_code == 404


def test_the_pages_take_the_same_few_queries_whatever_was_sent():
    client = signed_in("owner")

    def cost(url: str) -> int:
        with CaptureQueriesContext(connection) as taken:
            assert client.get(url).status_code == 200
        return len(taken)

    urls = ("/messages/automations/", "/messages/automations/birthday/", "/messages/texts/birthday/email/ru/")
    for url in urls:
        cost(url)  # the first request of a session writes it
    before = [cost(url) for url in urls]
    for _each in range(40):
        queued(make.patient(birth_date=database_now().date().replace(year=1980)), automation="birthday")
    Message.objects.update(created_at=database_now())
    assert [cost(url) for url in urls] == before
    assert max(before) < 30, before


def test_clicks_are_noted_by_the_action_alone():
    row = linked()
    actions.note_click(message=row, by_bot=True, now=database_now())
    assert LinkClick.objects.get().first_at is None
