"""Webhooks of telephony: genuine ones are taken once however they come, forged and odd ones change nothing."""

from __future__ import annotations

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from funnel.actions.telephony import make_line, stop_line
from funnel.http.mango import signature
from funnel.models import Call, CallEvent, Lead
from messaging.rules.signature import sign
from patients.models import WorkItem
from tests import make

BY = make.actor()
PHONE = "+79001112233"
TEST = "127.0.0.1"


def line_of(kind, **more):
    return make_line(code=kind, kind=kind, by=BY, now=datetime.now(UTC), **more)


def events(call="c1", start=None):
    """Eight events of one missed call."""
    start = start or datetime.now(UTC) - timedelta(minutes=5)
    moments = [start + timedelta(seconds=5 * n) for n in range(8)]
    said = [{"call_id": call, "event_id": f"{call}-{n}", "at": at.isoformat()} for n, at in enumerate(moments)]
    for one in said:
        one.update({"direction": "in", "from": PHONE, "to": "+74951234567", "called": "+74951234567"})
    said[0]["started_at"] = start.isoformat()
    said[-1].update({"ended_at": moments[-1].isoformat(), "outcome": "missed"})
    return said


def post(body, secret, code="generic", **more):
    raw, stamp = body if isinstance(body, bytes) else json.dumps(body).encode(), str(datetime.now(UTC).timestamp())
    headers = {"X-Timestamp": stamp, "X-Signature": sign(secret, stamp, raw)} | more
    client = Client(raise_request_exception=False)
    return client.post(f"/api/v1/hooks/calls/{code}/", raw, "application/json", headers=headers)


def at_once(calls):
    def run(call):
        try:
            return call()
        finally:
            connection.close()

    # SQLite keeps the test database in memory, where a writer is refused, not waited for: one after another there.
    with ThreadPoolExecutor(20 if connection.vendor == "postgresql" else 1) as pool:
        return Counter(pool.map(run, calls))


def test_fifty_webhooks_at_once_shuffled_and_repeated_are_one_call(committed):
    _line, secret = line_of("generic")
    said = events()
    bodies = [said[n % len(said)] for n in range(50)]
    random.Random(4).shuffle(bodies)
    answers = at_once([lambda body=body: post(body, secret).status_code for body in bodies])
    assert answers == {200: 50}
    call = Call.objects.get()
    assert (call.outcome, call.started_at.isoformat()) == ("missed", said[0]["started_at"])
    assert CallEvent.objects.count() == len(said)
    lead, item = Lead.objects.get(), WorkItem.objects.get()
    assert (call.lead, call.missed_item, item.status) == (lead, item, "open")
    assert lead.created_at == call.started_at


def test_calls_of_one_number_at_once_are_one_lead_that_counts_and_one_work_item(committed):
    _line, secret = line_of("generic")
    bodies = [body for n in range(6) for body in events(f"c{n}")]
    random.Random(5).shuffle(bodies)
    assert at_once([lambda body=body: post(body, secret).status_code for body in bodies]) == {200: 48}
    assert Call.objects.count() == 6
    assert Lead.objects.filter(duplicate_of=None).count() == 1
    item = WorkItem.objects.get()
    assert item.note.endswith("×6")


@pytest.mark.django_db
def test_a_forged_stale_or_strange_webhook_is_403_and_changes_nothing():
    line, secret = line_of("generic", addresses=["127.0.0.0/8"])
    body = events()[0]
    old = str((datetime.now(UTC) - timedelta(minutes=6)).timestamp())
    assert post(body, "guess").status_code == 403
    assert post(body, secret, **{"X-Signature": ""}).status_code == 403
    raw = json.dumps(body).encode()
    assert post(raw, secret, **{"X-Timestamp": old, "X-Signature": sign(secret, old, raw)}).status_code == 403
    assert post(body, secret, code="nobody").status_code == 403
    client = Client(REMOTE_ADDR="203.0.113.9")
    stamp = str(datetime.now(UTC).timestamp())
    headers = {"X-Timestamp": stamp, "X-Signature": sign(secret, stamp, raw)}
    answer = client.post("/api/v1/hooks/calls/generic/", raw, "application/json", headers=headers)
    assert answer.status_code == 403
    assert Call.objects.count() == 0
    assert post(body, secret).status_code == 200
    stop_line(line=line, by=BY, now=datetime.now(UTC))
    assert post(events("c2")[0], secret).status_code == 403
    assert Call.objects.count() == 1


ODD = [
    b"",
    b"[]",
    b"{",
    b"[" * 5000,
    b'{"call_id": "c", "event_id": "e"}',
    b'{"call_id": "c", "event_id": "e", "at": "yesterday"}',
    b'{"call_id": "c", "event_id": "e", "at": 1e400}',
    b'{"call_id": ["c"], "event_id": "e", "at": 1772442000}',
    b'{"call_id": "c", "event_id": "\\u0000", "at": 1772442000}',
    b'{"call_id": "\\ud800", "event_id": "e", "at": 1772442000}',
    b'{"call_id": "c", "event_id": "e", "at": 1772442000, "outcome": "eaten"}',
    b'{"call_id": "c", "event_id": "e", "at": 1772442000, "direction": {}}',
    b'{"call_id": "c", "event_id": "e", "at": 1772442000, "talk_seconds": 1e99}',
    b'{"call_id": "c", "event_id": "e", "at": 1772442000, "talk_seconds": -5}',
    b'{"call_id": "c", "event_id": "e", "at": -5}',
    b"\xff\xfe",
]


@pytest.mark.django_db
@pytest.mark.parametrize("raw", ODD)
def test_an_odd_body_is_400_and_changes_nothing(raw):
    _line, secret = line_of("generic")
    assert post(raw, secret).status_code == 400
    assert Call.objects.count() == 0


@pytest.mark.django_db
def test_a_body_that_is_too_long_is_413():
    _line, secret = line_of("generic")
    assert post(b" " * 70_000, secret).status_code == 413


def mango(kind, body, key="k", salt="s"):
    text = json.dumps(body)
    form = {"vpbx_api_key": key, "sign": signature(key, text, salt), "json": text}
    return Client(raise_request_exception=False).post(f"/api/v1/hooks/calls/mango/events/{kind}", form)


@pytest.mark.django_db
def test_the_three_addresses_of_mango_make_one_call():
    line_of("mango", key="k", salt="s")
    at = int(datetime.now(UTC).timestamp()) - 600
    ring = {"entry_id": "e1", "call_id": "l1", "timestamp": at, "seq": 1, "call_state": "Appeared",
            "location": "abonent", "from": {"number": PHONE[1:]}, "to": {"line_number": "74951234567"}}  # fmt: skip
    over = {"entry_id": "e1", "call_direction": 1, "from": {"number": PHONE[1:]}, "to": {"extension": "7"},
            "line_number": "74951234567", "create_time": at, "talk_time": at + 5, "end_time": at + 65}  # fmt: skip
    record = {"entry_id": "e1", "recording_id": "r1", "timestamp": at + 70}
    for kind, body in (("record/added", record), ("summary", over), ("call", ring), ("dtmf", {})):
        assert mango(kind, body).status_code == 200
    call = Call.objects.get()
    assert (call.outcome, call.talk_seconds, call.extension, call.recording) == ("answered", 60, "7", "r1")
    assert Lead.objects.get().first_response_at == call.answered_at
    assert mango("summary", over, salt="guess").status_code == 403
    assert [mango("call", odd).status_code for odd in ({}, [], {"entry_id": "e2", "from": 5})] == [400] * 3


def uis(body, secret):
    client = Client(raise_request_exception=False)
    return client.post(f"/api/v1/hooks/calls/uis/uis/{secret}/", json.dumps(body), "application/json")


@pytest.mark.django_db
def test_uis_is_known_by_the_secret_in_the_address():
    _line, secret = line_of("uis")
    at = int(datetime.now(UTC).timestamp()) - 60
    lost = {"event": "lost", "call_session_id": 77, "notification_timestamp": at, "direction": "in",
            "contact_phone_number": PHONE[1:], "virtual_phone_number": "74951234567"}  # fmt: skip
    assert uis(lost, "guess").status_code == 403
    assert Call.objects.count() == 0
    assert uis(lost, secret).status_code == 200
    assert WorkItem.objects.get().kind == "call_back"
    odd = [{}, lost | {"event": ["lost"]}, lost | {"notification_timestamp": {}}, lost | {"talk_time_duration": [1]}]
    assert [uis(body, secret).status_code for body in odd] == [400] * 4
