"""Fields of days in a real browser, whatever its own language; and a form that outlives the lock of the screen."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session

from core.clock import local_date
from patients.models import Visit, WorkItem
from tests.browser.test_reception import TZ, desk

__all__ = ["desk"]
PASSWORD = "correct horse battery"


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_visit_is_booked_on_a_typed_day_by_the_keyboard_alone(page_as, desk, language):
    patient, _visit = desk
    page = page_as("administrator", language=language)
    page.goto(f"/patients/{patient.pk}/book/")
    page.select_option("#id_doctor", index=1)
    page.focus("#id_day")
    page.keyboard.type("завтра" if language == "ru" else "tomorrow")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "time"  # the month is no stop on the way
    page.keyboard.type("1145")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(rf"/patients/{patient.pk}/$"))
    made = Visit.objects.filter(status="scheduled").latest("pk")
    assert local_date(made.start_at, TZ) == local_date(datetime.now(UTC), TZ) + timedelta(days=1)


def test_the_month_is_walked_by_arrows_and_begins_on_monday(page_as, desk, accessible):
    patient, _visit = desk
    page = page_as("administrator")
    page.goto(f"/patients/{patient.pk}/book/")
    page.fill("#id_day", "25.11.2026")
    page.press("#id_day", "ArrowDown")
    page.wait_for_selector(".month-day:focus")
    assert page.locator(".month th").first.inner_text().lower() == "пн"
    assert page.evaluate("document.activeElement.dataset.dayValue") == "25.11.2026"
    accessible(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("[data-day-value='03.12.2026']:focus")
    page.keyboard.press("Enter")
    assert page.input_value("#id_day") == "03.12.2026"
    assert page.evaluate("document.activeElement.id") == "id_day"
    page.press("#id_day", "ArrowDown")
    page.wait_for_selector(".month-day:focus")
    page.keyboard.press("Escape")
    page.wait_for_selector(".month", state="detached")
    assert page.evaluate("document.activeElement.id") == "id_day"


def test_the_month_is_opened_and_turned_by_the_mouse_on_a_phone(page_as, desk):
    patient, _visit = desk
    page = page_as("administrator", width=390, height=844)
    page.goto(f"/patients/{patient.pk}/book/")
    page.fill("#id_day", "25.11.2026")
    page.locator(".day-pick summary").click()
    page.locator("#month-after").click()
    page.wait_for_selector("text=Декабрь 2026")
    box = page.locator(".day-pick .menu-body").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.locator("[data-day-value='31.12.2026']").click()
    assert page.input_value("#id_day") == "31.12.2026"


def test_the_day_of_today_s_page_is_typed_and_stands_as_it_was_meant(page_as, desk):
    page = page_as("administrator")
    page.goto("/today/")
    page.fill("#id_day", "1.2.27")
    page.press("#id_day", "Enter")
    page.wait_for_url("**day=**")
    assert page.input_value("#id_day") == "01.02.2027"
    assert "1\u00a0февраля\u00a02027" in page.locator("h1").inner_text()
    page.fill("#id_day", "31.02")
    page.press("#id_day", "Enter")
    page.wait_for_selector(".field-errors")


def test_what_was_typed_on_a_screen_that_locked_meanwhile_is_sent_with_one_press(page_as, desk):
    patient, _visit = desk
    page = page_as("administrator")
    page.goto(f"/patients/{patient.pk}/work/")
    page.fill("#id_note", "перезвонить о результатах")
    page.fill("#id_day", "завтра")
    lock(page)
    page.locator(".form-actions .btn-primary").click()
    page.wait_for_url("**/unlock/**")
    assert "результатах" not in page.content()
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/unlock/again/")
    page.locator("text=Отправить").last.dblclick()
    page.wait_for_url(re.compile(rf"/patients/{patient.pk}/$"))
    assert WorkItem.objects.filter(note="перезвонить о результатах").count() == 1


def lock(page) -> None:
    """As if nobody had touched it for an hour."""
    key = next(one["value"] for one in page.context.cookies() if one["name"] == "session")
    session = Session.objects.get(pk=key)
    data = session.get_decoded() | {"seen": 0}
    Session.objects.filter(pk=key).update(session_data=Session.objects.encode(data))
