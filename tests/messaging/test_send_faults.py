"""Gateways that misbehave, are away, or do not exist."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now

from messaging import actions
from messaging.models import Message
from tests.messaging.outbox import NOON, gateway, queued, send, states

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("words", [(), ("--no-keys",)])
def test_faults_of_the_gateway_lose_and_double_nothing(settings, words):
    settings.SMS_GATEWAY_SETTLE_SECONDS = 0
    settings.SMS_GATEWAY_DEDUPE = "lookup" if words else "key"
    for _each in range(120):
        queued()
    with gateway("--faults", "0.5", "--seed", "7", *words) as (url, judge):
        settings.SMS_GATEWAY_URL = url
        for _round in range(30):
            Message.objects.filter(state="queued").update(not_before=NOON)
            send()
            Message.objects.filter(state="unknown").update(next_check_at=Now())
            actions.reconcile(transport="sms")
        found = judge()
    assert set(states()) <= {"sent", "refused"}
    assert found["twice"] == {} and found["numbers"] == {}
    assert found["accepted"] == states()["sent"]


def test_an_absent_gateway_costs_a_wait_and_a_poison_row_only_itself(settings):
    settings.SMS_GATEWAY_URL = "http://127.0.0.1:9"
    row = queued()
    send()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("queued", "busy") and row.not_before > NOON


def test_without_a_provider_the_refusal_is_clear_and_in_the_demo_the_mailbox_takes_it(settings):
    settings.SMS_GATEWAY_URL, settings.DEMO = "", False
    row = queued()
    send()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("refused", "not_configured")
    settings.DEMO = True
    row = queued()
    send()
    row.refresh_from_db()
    assert row.state == "sent"
    from messaging.queries import mailbox_page

    assert [item.text for item in mailbox_page()] == [row.text]
