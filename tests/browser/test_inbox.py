"""The inbox, an answer and the Telegram page in a real browser: nothing for axe to find, nothing wider than the screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from messaging import actions
from messaging.models import Message, Reply
from tests import make
from tests.messaging.outbox import queued

NOW = datetime.now(UTC)
LOOKS = [("ru", 1440, "light"), ("en", 1440, "dark"), ("ru", 390, "dark"), ("en", 390, "light")]
WRITTEN = [
    ("+79160000001", "Отмените, пожалуйста, запись на завтра: заболел ребёнок", 50),
    ("+79160000002", "А можно прийти на час позже? И сколько стоит приём, если я приду с двумя детьми сразу", 400),
    ("+79160000003", "да", 7000),
    ("+79160000009", "Кто это?", 20),
]


@pytest.fixture
def inbox(committed, settings) -> list[Reply]:
    settings.TELEGRAM_BOT_NAME = "clinic_bot"
    branch = make.default_branch()
    for last, first, phone in (
        ("Соколова", "Мария", "+79160000001"), ("Константинопольская", "Александра", "+79160000002"),
        ("Ким", "Павел", "+79160000003"), ("Ким", "Анна", "+79160000003"),
    ):  # fmt: skip
        patient = make.patient(branch=branch, last_name=last, first_name=first, phone=phone)
        visit = make.visit(patient, start=NOW + timedelta(days=1), status="scheduled")
        row = queued(
            patient, address=phone, visit=visit, about_at=visit.start_at, state="sent",
            text="Ждём вас 26 ноября (чт) в 10:30. Клиника на Мясницкой, ул. Мясницкая, 1. Не сможете прийти? Сообщите нам",
        )  # fmt: skip
        Message.objects.filter(pk=row.pk).update(sent_at=NOW - timedelta(hours=3))
    return [
        actions.take_reply(
            transport="sms", event_id=phone, address=phone, text=text, now=NOW,
            received_at=NOW - timedelta(seconds=seconds),
        )
        for phone, text, seconds in WRITTEN
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(page_as, accessible, inbox, language, width, theme):
    page = page_as("administrator", language=language, width=width, theme=theme)
    patient = inbox[0].patient
    addresses = ["/messages/inbox/", *(f"/messages/inbox/{reply.pk}/" for reply in (inbox[0], inbox[2], inbox[3]))]
    for address in (*addresses, f"/messages/telegram/{patient.pk}/", f"/patients/{patient.pk}/"):
        page.goto(address)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.goto(f"/messages/telegram/{patient.pk}/")
    page.locator("button[value=make]").click()
    expect(page.locator("img.qr")).to_be_visible()
    accessible(page)


def test_an_empty_inbox_says_what_will_stand_there(page_as, accessible, committed):
    page = page_as("curator", language="en", width=390)
    page.goto("/messages/inbox/")
    expect(page.get_by_text("Nobody waits")).to_be_visible()
    accessible(page)


def test_an_answer_is_written_from_a_quick_one_and_the_list_renews_itself(page_as, inbox):
    page = page_as("administrator", language="en")
    page.goto("/messages/inbox/")
    rows = page.locator("#inbox [data-row]")
    expect(rows).to_have_count(4)
    rows.first.get_by_role("link", name="Answer").click()
    page.get_by_role("link", name="Запись отменили").click()
    page.get_by_role("button", name="Send", exact=False).click()
    expect(rows).to_have_count(3)
    assert Message.objects.get(dedupe_key=f"answer:{inbox[0].pk}").text.startswith("Запись отменили")
    actions.close_reply(reply=inbox[3], by=make.actor(), now=datetime.now(UTC))
    expect(rows).to_have_count(2, timeout=20_000)  # nobody pressed anything
