"""Every page of the house, in both languages: axe finds nothing, the Russian ones hold no English words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.test_access import ALL, Door, world  # noqa: F401 - `world` is a fixture

# Names, signs and codes (of values in the API, of processes) that are the same in both languages.
LATIN = {
    "crm", "ltv", "cac", "rfm", "sms", "xlsx", "csv", "xls", "ods", "utf", "api", "mis", "axe", "http", "https",
    "mail", "telegram", "en", "ru", "ctrl", "enter", "esc", "icd", "smtp", "totp", "pdf", "rest", "key", "nps",
    "roi", "romi", "home", "openapi", "svg", "url", "json", "mbg", "km", "eur", "rub", "usd", "kzt", "byn", "beat",
    "worker", "paid", "organic", "referral", "natural", "recovered", "avoidable", "unknown", "aegis", "google",
    "authenticator", "freeotp", "excel", "png", "jpeg", "roas", "mango", "uis",
}  # fmt: skip
WORD = re.compile(r"(?<![\w/.@_-])[A-Za-z]{3,}(?![\w/@_-])")  # no logins (owner1), zones (Europe/Moscow), codes
# What people typed or systems gave: shown as it is, marked so by the page.
READ = """() => {
  const clone = document.body.cloneNode(true);
  const asIs = "code, kbd, pre, input, textarea, [lang=en], .as-is, script, .mono, option";
  clone.querySelectorAll(asIs).forEach(n => n.remove());
  return clone.innerText;
}"""


def pages() -> list[Door]:
    """Doors that a signed-in person opens with GET and that show a page."""
    return [
        door for door in ALL if not door.is_api and door.deeds["GET"] != "public" and not door.name.startswith("api")
    ]


def opened(page: Any, door: Door, ids: dict[str, Any]) -> bool:
    """Whether the door shows a page here (downloads, fragments of POST doors and unknown objects do not)."""
    answer = page.request.get(door.url(ids), max_redirects=0)
    return answer.status == 200 and "text/html" in answer.headers.get("content-type", "")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_page_is_accessible_and_speaks_one_language(page_as, accessible, world, language):  # noqa: F811
    page = page_as("owner", language=language)
    shown, foreign = 0, {}
    for door in pages():
        if not opened(page, door, world):
            continue
        page.goto(door.url(world))
        if page.locator("html").count() and page.locator("main").count():
            accessible(page)
        shown += 1
        if language == "ru":
            words = {word for word in WORD.findall(page.evaluate(READ)) if word.lower() not in LATIN}
            if words:
                foreign[door.name] = sorted(words)
    assert shown > 25
    assert foreign == {}, "\n".join(f"{name}: {' '.join(words)}" for name, words in foreign.items())
