"""Two web processes, fifty enquiries at once: each event is one row, each person one lead that counts, none is lost."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from funnel.rules.public import make_token
from messaging.rules.signature import sign
from tests.api.test_slot_race import database, manage, server

SECRET_KEY = "x" * 50
PEOPLE = [f"+7912000{number:04}" for number in range(8)]
HOOKS, FORMS = 30, 20
WORDS = "Согласен на обработку"
SETUP = f"""
from datetime import UTC, datetime
from funnel.actions import doors
from staff.access import SYSTEM
from staff.models import Branch
now = datetime.now(UTC)
Branch.objects.create(name="B", tz="Europe/Moscow", is_default=True)
words = (doors.Words("processing", "ru", {WORDS!r}),)
doors.save_form(draft=doors.FormDraft("site", "Site", words), by=SYSTEM, now=now)
print(doors.make_hook(code="page", name="Page", branch=None, channel=None, by=SYSTEM, now=now)[1])
"""
FOUND = """
import json
from funnel.models import Lead, LeadConsent, LeadPost, LeadStage
print(json.dumps({
    "leads": list(Lead.objects.values_list("external_id", "phone", "duplicate_of__phone", "is_spam")),
    "consents": LeadConsent.objects.count(), "posts": LeadPost.objects.count(),
    "first": LeadStage.objects.filter(stage="lead").count(),
}))
"""


@pytest.mark.drill
def test_fifty_enquiries_at_once_lose_nothing_and_count_nobody_twice(tmp_path):
    """Every event is sent twice, by two of the threads; people share phones over both doors."""
    with database(tmp_path) as url:
        # DEBUG: the pages of the form need no collected static files then.
        env = os.environ | {"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "DEBUG": "1"}
        env["PUBLIC_URL"] = "http://127.0.0.1"
        env.pop("REDIS_URL", None)
        manage(env, "migrate", "-v0")
        manage(env, "createcachetable")
        secret = manage(env, "shell", "-v0", "-c", SETUP).split()[-1]
        events = [("hook", number) for number in range(HOOKS // 2)] + [("form", number) for number in range(FORMS // 2)]
        with server(env) as port, ThreadPoolExecutor(HOOKS + FORMS) as pool:
            sent = list(pool.map(lambda event: (event, ask(port, secret, *event)), events * 2))
        found = json.loads(manage(env, "shell", "-v0", "-c", FOUND).splitlines()[-1])
    answers = Counter((door, status) for (door, _number), status in sent)
    told = answers.pop(("hook", 201), 0)  # two at once of one event may both be told that they brought it
    assert answers == {("form", 200): FORMS, ("hook", 200): HOOKS - told} and told >= HOOKS // 2
    wanted = {
        (f"hook-{number}" if door == "hook" else f"form:{number:032x}", phone_of(number)) for door, number in events
    }
    assert sorted((code, phone) for code, phone, _first, _spam in found["leads"]) == sorted(wanted)
    counted = [phone for _code, phone, first, _spam in found["leads"] if first is None]
    assert sorted(counted) == PEOPLE
    assert not any(spam for _code, _phone, _first, spam in found["leads"])
    assert all(first in (None, phone) for _code, phone, first, _spam in found["leads"])
    assert {found["consents"], found["posts"], found["first"]} == {len(events)}


def phone_of(number: int) -> str:
    return PEOPLE[number % len(PEOPLE)]


def ask(port: int, secret: str, door: str, number: int) -> int:
    return hook(port, secret, number) if door == "hook" else form(port, number)


def hook(port: int, secret: str, number: int) -> int:
    consent = {"text_hash": hashlib.sha256(WORDS.encode()).hexdigest(), "text": WORDS}
    body = {"event_id": f"hook-{number}", "name": "Анна", "phone": phone_of(number), "consent": consent}
    raw, stamp = json.dumps(body).encode(), datetime.now(UTC).isoformat()
    headers = {"Content-Type": "application/json", "X-Timestamp": stamp, "X-Signature": sign(secret, stamp, raw)}
    return post(port, "/api/v1/hooks/leads/page/", raw, headers)


def form(port: int, number: int) -> int:
    """Ten visitors behind one address at most: the eleventh would be marked as a flood."""
    since = datetime.now(UTC) - timedelta(seconds=30)
    token = make_token("site", since, f"{number:032x}", secret=SECRET_KEY)
    fields = {"name": "Анна", "phone": phone_of(number), "processing": "on", "token": token}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return post(port, "/f/site/", urlencode(fields).encode(), headers)


def post(port: int, path: str, body: bytes, headers: dict[str, str]) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", path, body, headers)
    status = connection.getresponse().status
    connection.close()
    return status
