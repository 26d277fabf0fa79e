"""Sources, forms, sites and traffic in a real browser: nothing for axe to find, nothing wider than the screen."""

from __future__ import annotations

from datetime import date

import pytest

from funnel.actions import doors
from funnel.actions.channels import add_mark
from funnel.actions.traffic import set_traffic
from patients.actions.channels import save_channel
from tests import make

LOOKS = [("ru", 1440, "light"), ("ru", 360, "dark"), ("en", 360, "light")]


@pytest.fixture
def pages(committed) -> list[str]:
    moment = {"by": make.actor(), "now": make.NOW}
    top = save_channel(name="Яндекс", kind="paid", parent=None, **moment)
    maps = save_channel(name="Карты и справочники с отзывами", kind="organic", parent=top, **moment)
    add_mark(channel=maps, kind="utm", value="yandex_maps_business_priority", campaign="весна-лето-2026", **moment)
    add_mark(channel=maps, kind="number", value="+7 495 123-45-67", **moment)
    words = (doors.Words("processing", "ru", "Согласен на обработку персональных данных"),)
    sites = ("https://clinic.example", "https://another.clinic.example:8443")
    form = doors.save_form(draft=doors.FormDraft("site", "Сайт", words, channel=maps, sites=sites), **moment)
    doors.make_hook(code="tilda", name="Лендинг имплантации", branch=None, channel=top, **moment)
    set_traffic(channel=maps, day=date(2026, 2, 1), reach=1_234_567, clicks=8_901, **moment)
    addresses = (f"{maps.pk}/", "new/", "forms/", "forms/new/", f"forms/{form.pk}/", "traffic/")
    return ["/sources/", *(f"/sources/{address}" for address in addresses)]


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(page_as, accessible, pages, language, width, theme):
    page = page_as("marketer", language=language, width=width, theme=theme)
    for address in pages:
        page.goto(address)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_what_is_wrong_in_a_file_stands_on_the_page(page_as, accessible, pages):
    page = page_as("marketer", width=360, theme="dark")
    page.goto("/sources/traffic/")
    text = "Дата;Источник;Охват;Клики\n31.02.2026;Нет такого;x;1\n"
    page.set_input_files("[name=file]", {"name": "t.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.locator("#file button.btn-primary").click()
    assert page.locator("#mistakes tbody tr").count() == 3
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
