"""A visitor books on his phone: from the first page to "You are booked" in less than a minute (R99), each page in every look.

The browser is nobody: signed in nowhere, no cookie but those of language and theme.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from core.clock import day_start, local_date
from funnel.actions.waitlist import add_to_waitlist, offer_freed
from funnel.models import OnlineBooking, SlotOffer
from funnel.queries.booking import claim_path
from funnel.rules.booking import Wish
from messaging.models import Message
from patients.models import Service, Visit
from staff.models import Branch, Doctor, Room, Shift
from tests import make

TZ = "Europe/Moscow"
LOOKS = [("ru", 360, "light"), ("ru", 360, "dark"), ("en", 1440, "light")]


@pytest.fixture
def branch(committed) -> Branch:
    """Three doctors on shift for the next three days, and what they sell."""
    branch = make.default_branch()
    Branch.objects.filter(pk=branch.pk).update(name="Клиника на Мясницкой", address="ул. Мясницкая, 1, подъезд 2")
    make.branch(name="Филиал в Химках")
    names = [("Павлов Иван Петрович", "терапия"), ("Константинопольская Александра Викторовна", "косметология")]
    doctors = [make.doctor(branch=branch, name=name, speciality=speciality) for name, speciality in names]
    room = Room.objects.create(branch=branch, name="Кабинет 1")
    morning = day_start(local_date(datetime.now(UTC), TZ), TZ) + timedelta(hours=9)
    for day in range(1, 4):
        for number, doctor in enumerate(doctors):
            start = morning + timedelta(days=day, hours=4 * number)
            Shift.objects.create(
                doctor=doctor, branch=branch, room=room, start_at=start, end_at=start + timedelta(hours=3)
            )
    for name, speciality, price in (("Первичный приём терапевта", "терапия", 250000), ("Чистка", "косметология", 0)):
        Service.objects.create(name=name, speciality=speciality, price=price, minutes=30)
    return Branch.objects.get(pk=branch.pk)


@pytest.fixture
def visitor(page_as):
    """A page of somebody who is not signed in, with every fault of the page recorded."""

    def opened(language="ru", width=360, theme="light"):
        page = page_as("administrator", language=language, width=width, height=780, theme=theme)
        page.context.clear_cookies(name="session")
        return page

    return opened


def code_of(phone):
    return re.search(r"\d{6}", Message.objects.filter(automation="phone_code", address=phone).latest("pk").text)[0]


def say_who(page, phone):
    page.locator("[name=first_name]").fill("Анна")
    page.locator("[name=last_name]").fill("Соколова")
    page.locator("[name=phone]").fill(phone)
    page.locator("[name=processing]").check()
    page.locator(".form-actions button").click()


def test_a_visit_is_booked_on_a_phone_in_less_than_a_minute(visitor, branch):
    page, began = visitor(), time.monotonic()
    page.goto(f"/b/{branch.external_id}/")
    page.locator("button[name=slot]").first.click()
    say_who(page, "8 912 345-67-89")
    page.wait_for_url("**/code/")
    page.locator("[name=code]").fill(code_of("+79123456789"))
    page.locator(".form-actions button").click()
    page.wait_for_url("**/done/")
    assert time.monotonic() - began < 60
    visit = Visit.objects.get()
    expect(page.get_by_text(visit.doctor.name)).to_be_visible()
    assert visit.room is not None


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_every_page_of_the_way_is_fit_for_everybody(visitor, accessible, branch, language, width, theme):
    page = visitor(language, width, theme)

    def fit():
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url

    page.goto("/b/")
    fit()
    page.get_by_role("link", name="Клиника на Мясницкой").click()
    fit()
    taken = page.locator("button[name=slot]").first
    Shift.objects.all().delete()
    taken.click()
    expect(page.get_by_role("alert")).to_be_visible()
    fit()


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_who_code_and_done_are_fit_for_everybody(visitor, accessible, branch, language, width, theme):
    page = visitor(language, width, theme)

    def fit():
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url

    page.goto(f"/b/{branch.external_id}/?service={Service.objects.first().pk}")
    page.locator("button[name=slot]").first.click()
    fit()
    page.locator("main form").evaluate("form => { form.noValidate = true; }")
    page.locator(".form-actions button").click()
    expect(page.locator("[name=first_name][aria-invalid=true]")).to_be_visible()
    fit()
    say_who(page, "+7 912 345-67-89")
    page.wait_for_url("**/code/")
    fit()
    page.locator("[name=code]").fill("12")
    page.locator(".form-actions button").click()
    expect(page.locator("[name=code][aria-invalid=true]")).to_be_visible()
    fit()
    page.get_by_role("button", name=re.compile("another code|другой код|ещё", re.IGNORECASE)).click()
    fit()
    page.locator("[name=code]").fill(code_of("+79123456789"))
    page.locator(".form-actions button").click()
    page.wait_for_url("**/done/")
    fit()
    page.locator("main a.btn-primary").click()
    page.wait_for_url("**/b/visit/")
    fit()
    page.locator("button[name=slot]").last.click()
    page.locator("main button.btn-danger").click()
    expect(page.locator("main button.btn-danger")).to_have_count(0)
    fit()
    assert Visit.objects.get().status == "cancelled_patient"


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_the_waiting_list_is_fit_for_everybody(visitor, accessible, branch, language, width, theme):
    page = visitor(language, width, theme)

    def fit():
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url

    page.goto(f"/b/{branch.external_id}/wait/")
    fit()
    page.locator("select[name=doctor]").select_option(index=1)
    page.locator(".form-actions button").click()
    page.wait_for_url("**/who/")
    fit()
    say_who(page, "+7 912 345-67-80")
    page.locator("[name=code]").fill(code_of("+79123456780"))
    page.locator(".form-actions button").click()
    page.wait_for_url("**/done/")
    fit()
    assert OnlineBooking.objects.get().visit is None


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_a_freed_time_is_taken_with_one_press(visitor, accessible, branch, language, width, theme):
    today = local_date(datetime.now(UTC), TZ)
    add_to_waitlist(
        patient=make.patient(branch=branch, phone="+79123456781"),
        branch=branch,
        doctor=Doctor.objects.first(),
        speciality="",
        wish=Wish(today, today + timedelta(days=5)),
        by=make.actor(),
        now=datetime.now(UTC),
    )
    noon = day_start(today, TZ) + timedelta(days=1, hours=12)
    offer_freed(now=noon)
    offer = SlotOffer.objects.get()
    SlotOffer.objects.filter(pk=offer.pk).update(expires_at=datetime.now(UTC) + timedelta(hours=1))
    page = visitor(language, width, theme)
    page.goto(claim_path(offer.pk))
    accessible(page)
    page.locator("main button.btn-primary").click()
    page.wait_for_url("**/b/visit/")
    assert Visit.objects.get().start_at == offer.start_at
    page.goto(claim_path(offer.pk))
    accessible(page)
