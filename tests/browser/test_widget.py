"""The form in a frame on a site of another origin: no script, no cookie, and the enquiry is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import expect

from funnel.actions import doors
from funnel.models import Lead
from tests import make

WORDS = (
    doors.Words("processing", "ru", "Согласен на обработку персональных данных"),
    doors.Words("marketing", "ru", "Хочу получать предложения клиники"),
)


class Site(BaseHTTPRequestHandler):
    """A page of the clinic's own site, with the frame; `/probe` sets a cookie as an advertising network would."""

    frame = ""

    def do_GET(self) -> None:
        probe = self.path == "/probe"
        body = b"" if probe else self._page()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain" if probe else "text/html; charset=utf-8")
        if probe:
            self.send_header("Set-Cookie", "probe=1; SameSite=None; Secure")
        self.end_headers()
        self.wfile.write(body)

    def _page(self) -> bytes:
        port = self.server.server_address[1]
        frame = f'<iframe src="{Site.frame}" title="x" sandbox="allow-forms" width="100%" height="700"></iframe>'
        return f'<!doctype html><title>Site</title><img alt="" src="http://localhost:{port}/probe">{frame}'.encode()

    def log_message(self, *_args: object) -> None:
        """Nothing: the test says what went wrong."""


@pytest.fixture
def site() -> Iterator[int]:
    """Port of the clinic's site."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = Thread(target=running.serve_forever)
    thread.start()
    yield running.server_address[1]
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def form(committed, server, settings, site):
    settings.ALLOWED_HOSTS = ["localhost"]
    Site.frame = f"{server.url}/w/site/?lang=ru&theme=dark&utm_source=maps"
    draft = doors.FormDraft("site", "Сайт", WORDS, sites=(f"http://127.0.0.1:{site}",), asks_email=True)
    return doors.save_form(draft=draft, by=make.actor(), now=make.NOW)


@pytest.fixture
def visitor(browser_type, browser_type_launch_args, tmp_path):
    """A phone whose browser keeps no cookies of third parties and runs no script."""
    folder = tmp_path / "Default"
    folder.mkdir()
    kept = {"profile": {"block_third_party_cookies": True, "cookie_controls_mode": 1}}
    (folder / "Preferences").write_text(json.dumps(kept))
    context = browser_type.launch_persistent_context(
        tmp_path, **browser_type_launch_args, java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    yield context
    context.close()


def test_an_enquiry_comes_from_a_frame_without_script_and_without_cookies(form, visitor, site):
    page, said = visitor.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"http://127.0.0.1:{site}/")
    frame = page.frame_locator("iframe")
    frame.locator("[name=name]").fill("Анна")
    frame.locator("[name=phone]").fill("8 912 345-67-89")
    frame.locator("[name=processing]").check()
    expect(frame.locator("[name=marketing]")).not_to_be_checked()
    page.wait_for_timeout(2500)  # a person is no faster; what is faster is marked
    frame.locator("button.btn-primary").click()
    expect(frame.locator("[role=status]")).to_be_visible()
    lead = Lead.objects.get()
    assert (lead.name, lead.phone, lead.is_spam) == ("Анна", "+79123456789", False)
    assert lead.utm == {"source": "maps"} and [one.purpose for one in lead.consents.all()] == ["processing"]
    assert visitor.cookies() == []
    assert not [text for text in said if "Content Security Policy" in text or "Refused" in text]
    page.goto(f"http://localhost:{site}/probe")
    assert [cookie["name"] for cookie in visitor.cookies()] == ["probe"]  # as the first party it does set one


def test_another_site_may_not_show_the_form(form, visitor, site):
    form.sites = ["https://clinic.example"]
    form.save()
    page = visitor.new_page()
    page.goto(f"http://127.0.0.1:{site}/")
    expect(page.frame_locator("iframe").locator("form")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", ["/f/site/?lang=ru", "/w/site/?lang=en"])
def test_the_form_fits_a_phone_and_axe_finds_nothing(form, browser, server, accessible, tmp_path, address, theme):
    context = browser.new_context(base_url=server.url, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(f"{address}&theme={theme}")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("button.btn-primary").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    accessible(page)
    page.screenshot(path=tmp_path / "form.png", full_page=True)
    context.close()
    assert (tmp_path / "form.png").stat().st_size > 0
