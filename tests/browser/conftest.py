"""A real browser against a real server. Debian's Chromium; where there is none, these tests skip visibly.

For every room: `page_as(role)` (a signed-in page that records CSP violations, script errors and 5xx answers, and
fails the test at its end if there was any), `accessible(page)` (axe finds nothing), `server` (with `.url`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser")) if path), None)

# Playwright's loop runs in this thread, and Django would take every query for one made inside a coroutine.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# Django would also keep a second set of connections for "inside a loop", which know nothing of the test database.
connections._connections = getattr(connections._connections, "_storage", connections._connections)

WATCH = """document.addEventListener("securitypolicyviolation", (event) =>
  window.noteViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = os.path.dirname(__file__)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db)  # else a run of these alone would set up no test database
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium: apt install chromium"))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": CHROMIUM, "args": ["--no-sandbox", "--disable-dev-shm-usage"], "headless": True}


@pytest.fixture(scope="session")
def server(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Any]:
    """Django's live server. (pytest-django's own fixture flushes the database: append-only tables refuse that.)"""
    from pytest_django.live_server_helper import LiveServer

    with django_db_blocker.unblock():
        running = LiveServer("localhost")
        yield running
        running.stop()


@pytest.fixture
def _django_db_helper(committed: None) -> None:
    """Instead of pytest-django's: no transaction round the test, and no flush after it."""


@pytest.fixture
def page_as(server: Any, committed: None, browser: Any, settings: Any) -> Iterator[Callable[..., Any]]:
    """`page_as("administrator", language="en", width=360, theme="dark", branch=…)` -> a signed-in page."""
    from django.test import Client

    from tests import make

    settings.REQUIRE_TOTP = False
    settings.ALLOWED_HOSTS = ["localhost"]
    faults: list[str] = []
    contexts = []

    def signed_in(
        role: str, *, language: str = "ru", width: int = 1440, height: int = 900, theme: str = "light", **user: Any
    ) -> Any:
        client = Client()
        client.force_login(make.user(role, language=language, **user))
        context = browser.new_context(
            base_url=server.url, viewport={"width": width, "height": height}, color_scheme=theme, locale=language
        )
        contexts.append(context)
        cookies = {"session": client.cookies["session"].value, "language": language, "theme": theme}
        context.add_cookies([{"name": name, "value": value, "url": server.url} for name, value in cookies.items()])
        context.expose_function("noteViolation", lambda text: faults.append(f"CSP: {text}"))
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("response", lambda got: faults.append(f"{got.status} {got.url}") if got.status >= 500 else None)
        return page

    yield signed_in
    for context in contexts:
        for page in context.pages:
            page.wait_for_load_state("networkidle")  # a request on its way would find the next test's database
        context.close()
    assert faults == []


@pytest.fixture
def accessible() -> Callable[[Any], None]:
    """axe finds nothing on the page; the message names what it found."""
    from axe_playwright_python.sync_playwright import Axe

    def check(page: Any) -> None:
        found = Axe().run(page).response["violations"]
        said = [f"{one['id']}: {one['help']} {[node['html'][:160] for node in one['nodes'][:3]]}" for one in found]
        assert said == [], f"{page.url}: {said}"

    return check
