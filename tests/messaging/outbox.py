"""Rows of the outbox and a real gateway, for the tests of this room."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count

from messaging import actions
from messaging.models import Approval, Message
from tests import make
from tests.drills.clinic import free_port

SERIAL = count(1)
NOON = make.NOW  # Monday, 12:00 in Moscow


def queued(patient=None, *, now: datetime = NOON, **fields) -> Message:
    """A finished service message that is due."""
    n = next(SERIAL)
    later = (
        "state",
        "visit",
        "about_at",
        "automation",
        "client_id",
        "tz",
        "approval",
        "priority",
    )  # what no caller may choose
    changes = {name: fields.pop(name) for name in later if name in fields}
    row = actions.queue_message(
        **{
            "dedupe_key": f"test:{n}", "purpose": "service", "transport": "sms", "address": f"+7916{n:07}",
            "text": f"Ждём вас, {n}", "tz": "Europe/Moscow", "now": now, "expires_at": now + timedelta(hours=5),
            "patient": patient or make.patient(),
        }
        | fields
    )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()
    return row


def approval(**fields) -> Approval:
    """A named person has let an advertisement run, this month."""
    return Approval.objects.create(
        **{
            "subject": "campaign:1", "first_day": NOON.date().replace(day=1), "last_day": NOON.date().replace(day=31),
            "texts": {}, "text_hash": "", "audience": 1, "approved_by": make.user(), "approved_at": NOON,
        }
        | fields
    )  # fmt: skip


@contextmanager
def gateway(*words: str):
    """A gateway process; yields (its address, judge())."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.drills.gateway", "--port", str(port), *words])
    url = f"http://127.0.0.1:{port}"

    def judge() -> dict:
        with urllib.request.urlopen(f"{url}/judge?seen", timeout=5) as answer:
            return json.loads(answer.read())

    try:
        for _try in range(100):
            try:
                judge()
                break
            except OSError:
                time.sleep(0.05)
        yield url, judge
    finally:
        process.kill()
        process.wait()


def send(now: datetime = NOON, owner: str = "test", transport: str = "sms") -> None:
    for turn in range(20):
        if not actions.send_batch(transport=transport, owner=f"{owner}{turn}", now=now):
            return


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Message.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found
