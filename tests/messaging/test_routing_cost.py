"""What a message cost: by our price list, as the provider says, by a report."""

from __future__ import annotations

import pytest

from messaging.actions.reports import take_report
from messaging.models import Message
from messaging.queries.cost import cost_by_automation, costs
from messaging.rules.cost import size_and_cost
from tests.messaging.outbox import NOON, gateway, queued, send, states
from tests.messaging.test_routing import H, decide

pytestmark = pytest.mark.django_db


def test_cost_is_by_the_part_from_the_price_list_and_as_the_provider_says(settings):
    assert size_and_cost("sms", "я" * 71, 250) == (2, 500)
    assert size_and_cost("email", "я" * 71, 30) == (0, 30)
    assert size_and_cost("sms", "я", 250, told=199) == (1, 199)
    decide("sms", price=250)
    with gateway() as (url, _judge):
        settings.SMS_GATEWAY_URL = url
        rows = [queued(text="я" * 71), queued(text="коротко")]
        Message.objects.filter(pk=rows[0].pk).update(automation="reminder_24h")
        send()
    assert states() == {"sent": 2}
    day = {"since": NOON - H, "until": NOON + H}
    assert [(c.automation, c.messages, c.parts, c.cost) for c in costs(**day)] == [
        ("reminder_24h", 1, 2, 500),
        ("", 1, 1, 250),
    ]
    assert cost_by_automation(**day) == {"reminder_24h": 500, "": 250}
    assert costs(since=NOON + H, until=NOON + 2 * H) == []


def test_a_report_prices_what_was_accepted_without_an_answer():
    decide("sms", price=250)
    lost = queued(text="я" * 71, state="unknown", client_id="c1")
    report = {"event_id": "e1", "client_id": "c1", "status": "delivered", "occurred_at": NOON.isoformat()}
    take_report(transport="sms", report=report, now=NOON)
    lost.refresh_from_db()
    assert (lost.state, lost.segments, lost.cost) == ("delivered", 2, 500)
    take_report(transport="sms", report=report | {"event_id": "e2", "cost": 470}, now=NOON)
    lost.refresh_from_db()
    assert (lost.segments, lost.cost) == (2, 470)
