"""Pages of figures in a real browser: nothing for axe to find, no violation of the policy, no page pushed wide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from loyalty.actions import refresh_values
from tests import make

NOW = datetime.now(UTC)
PAGES = ("/dashboard/", "/value/", "/value/patients/", "/retention/", "/how-we-count/", "/spend/")
ROWS = f"/metrics/churn_year/rows/?year={NOW.year}&kind=patient"
LOOKS = [("ru", 1440, "light"), ("en", 1440, "dark"), ("ru", 360, "dark"), ("en", 360, "light")]


@pytest.fixture
def clinic(committed):
    """Thirty patients, some of whom come again, with services, payments and an advertising channel."""
    branch, doctor, service = (
        make.default_branch(),
        make.doctor(name="Павлов Иван"),
        make.service(name="Приём терапевта"),
    )
    channel = make.channel(name="Поиск")
    for number in range(30):
        patient = make.patient(branch=branch, channel=channel if number % 2 else None, last_name=f"Соколова{number}")
        for back in (600, 300, 20)[number % 3 :]:
            at = NOW - timedelta(days=back + number)
            visit = make.visit(patient, start=at, doctor=doctor, may_overlap=True)
            make.item(visit, service=service)
            make.payment(patient, 200000, at=at, visit=visit)
    refresh_values(patients=None, now=NOW)


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(page_as, accessible, clinic, language, width, theme):
    page = page_as("owner", language=language, width=width, theme=theme)
    for address in (*PAGES, ROWS):
        page.goto(address)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.parametrize("language", ["ru", "en"])
def test_an_empty_clinic_is_accessible_too(page_as, accessible, committed, language):
    page = page_as("owner", language=language)
    for address in PAGES:
        page.goto(address)
        accessible(page)


def test_a_filter_is_chosen_with_a_click_and_stays_in_the_address(page_as, clinic):
    page = page_as("manager", language="en")
    page.goto("/dashboard/?against=year")
    page.select_option("#id_channel", label="Поиск")
    page.wait_for_url("**channel=**")
    assert "against=year" in page.url
    page.click("a.segment:has-text('This year')")
    page.wait_for_url("**period=year**")
    assert "channel=" in page.url
    page.click(".chip")
    page.wait_for_url(lambda url: "channel=" not in url)


def test_a_tile_tells_its_formula_and_opens_its_rows(page_as, clinic):
    page = page_as("manager", language="en")
    page.goto("/dashboard/")
    page.focus("#tile-visits-formula >> xpath=.. >> button")
    assert page.locator("#tile-visits-formula").is_visible()
    page.click("#tile-visits-formula >> xpath=ancestor::div[contains(@class,'tile')][last()] >> a.tile-value")
    page.wait_for_url("**/metrics/average_check/rows/**")
    assert page.locator("tbody tr").count() > 0


def test_the_calculator_works_without_a_script(page_as, clinic):
    page = page_as("manager", language="en")
    page.goto("/value/?check=3000&sales=4&months=30&share=35")
    assert "10\u00a0500\u00a0₽" in page.locator(".outcome").inner_text()


def test_spend_is_added_and_taken_back(page_as, clinic):
    page = page_as("marketer", language="en")
    page.goto("/spend/")
    page.fill("#id_amount", "1234.50")
    page.click("#add button")
    page.wait_for_selector("#lines tbody tr")
    page.click("#lines button")
    page.click("#confirm [data-confirm-yes]")
    expect(page.locator("#lines tbody tr")).to_have_count(2)
