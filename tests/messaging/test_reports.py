"""Delivery reports: signed, doubled, out of order, early, forged, stale, unknown."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from messaging import actions
from messaging.models import DeliveryEvent, Message
from messaging.rules.signature import sign
from tests.messaging.outbox import NOON, queued

pytestmark = pytest.mark.django_db
URL = "/api/v1/hooks/messages/sms/"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def secret(settings):
    settings.SMS_GATEWAY_SECRET = "s3cret"


def inflight(state: str = "inflight") -> Message:
    row = queued()
    ids = actions.claim(transport="sms", owner="w", size=9, now=NOON)
    actions.mark_inflight(ids=ids, owner="w", now=NOON)
    Message.objects.filter(pk=row.pk).update(state=state)
    return Message.objects.get(pk=row.pk)


def report(row=None, event="e1", status="delivered", at=AT, **fields) -> dict:
    body = {
        "event_id": event,
        "id": "g1",
        "client_id": row.client_id if row else "nobody",
        "to": "+7",
        "status": status,
    }
    return body | {"occurred_at": at.isoformat()} | fields


def post(body, *, secret="s3cret", stamp=None, signature=None, raw=None):
    text = raw if raw is not None else json.dumps(body).encode()
    stamp = stamp or str(int(time.time()))
    headers = {"X-Timestamp": stamp, "X-Signature": signature or sign(secret, stamp, text)}
    return Client(enforce_csrf_checks=True).post(URL, text, content_type="application/json", headers=headers)


def state(row) -> str:
    return Message.objects.values_list("state", flat=True).get(pk=row.pk)


def test_a_signed_report_ends_the_message_and_a_doubled_one_changes_nothing():
    row = inflight("sent")
    assert post(report(row)).status_code == 200
    assert post(report(row)).status_code == 200
    assert state(row) == "delivered"
    assert DeliveryEvent.objects.count() == 1


def test_a_report_earlier_than_our_own_mark_of_sent_ends_delivered():
    from messaging.actions.send import note_outcomes
    from messaging.transports.base import Letter, Outcome, Result

    row = inflight()
    post(report(row))
    letter = Letter(row.pk, row.attempt, row.client_id, row.address, "", row.text)
    note_outcomes(transport="sms", outcomes=[Outcome(letter, Result.ACCEPTED, provider_id="g1")], settle_seconds=0)
    assert state(row) == "delivered"


def test_a_report_about_a_message_thought_lost_proves_that_it_was_taken():
    row = inflight("unknown")
    post(report(row, status="sent"))
    assert state(row) == "sent"


@pytest.mark.parametrize("seed", range(8))
def test_the_newest_final_status_holds_whatever_the_order(seed):
    row = inflight("sent")
    minutes = timedelta(minutes=1)
    bodies = [
        report(row, "a", "sent"), report(row, "b", "undelivered", AT + minutes), report(row, "a", "sent"),
        report(row, "c", "delivered", AT + 2 * minutes), report(row, "b", "undelivered", AT + minutes),
    ]  # fmt: skip
    random.Random(seed).shuffle(bodies)
    for body in bodies:
        assert post(body).status_code == 200
    assert state(row) == "delivered"


def test_forged_stale_and_unsigned_reports_change_nothing(settings):
    row = inflight("sent")
    assert post(report(row), secret="wrong").status_code == 403
    assert post(report(row), signature="zz").status_code == 403
    assert post(report(row), stamp=str(int(time.time()) - 301)).status_code == 403
    assert post(report(row), stamp="yesterday").status_code == 403
    assert Client().post(URL, "{}", content_type="application/json").status_code == 401
    settings.SMS_GATEWAY_SECRET = ""
    assert post(report(row), secret="").status_code == 403
    assert state(row) == "sent" and not DeliveryEvent.objects.exists()


def test_an_unknown_message_is_202_and_nonsense_400_never_500():
    assert post(report()).status_code == 202
    nonsense = [b"", b"[]", b"null", b"{", b"\xff", b'{"event_id": []}', b"[" * 5000, b'{"event_id": "x\\u0000"}']
    nonsense += [
        json.dumps(report() | {key: bad}).encode() for key in ("status", "occurred_at") for bad in (None, {}, "x")
    ]
    assert {post(None, raw=raw).status_code for raw in nonsense} <= {400, 202}
    assert post(report() | {"client_id": {"a": 1}, "id": 5, "event_id": "f"}).status_code == 202
    assert post(report() | {"client_id": "a\x00b", "event_id": "g"}).status_code == 202
    assert post(None, raw=b"x" * 70000).status_code == 413
    assert Client().get(URL).status_code == 405


def test_times_may_be_iso_too():
    row = inflight("sent")
    assert post(report(row), stamp=datetime.now(UTC).isoformat()).status_code == 200
