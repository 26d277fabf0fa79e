"""A person stops a run at half: what is being handed over at that moment still goes out, and not one message more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from messaging import actions
from messaging.actions import send as sending
from messaging.models import Message
from tests import make
from tests.messaging.outbox import NOON, approval, gateway, queued, send, states
from tests.messaging.test_policy import advert, agrees

pytestmark = pytest.mark.django_db
RUN, BATCH, BY = 40, 10, {"by": make.actor(), "now": NOON}
STOPS: dict[str, tuple[Callable[..., None], dict[str, int]]] = {
    # what a person does to the messages and their approval; what becomes of the half that has not left
    "everything": (lambda _signed: actions.pause_sending(paused=True, **BY), {"queued": 20}),
    "transport": (lambda _signed: actions.pause_transport(transport="sms", paused=True, **BY), {"queued": 20}),
    "automation": (
        lambda _signed: actions.switch_automation(code="win_back", is_on=False, **BY),
        {"skipped": 20},
    ),
    "approval": (lambda signed: actions.withdraw_approval(approval=signed, **BY), {"skipped": 20}),
}


class Half:
    """The transport as it is; in the middle of its second batch somebody stops the run."""

    def __init__(self, carrier, stop: Callable[[], None]) -> None:
        self.carrier, self.stop, self.batches = carrier, stop, 0

    def __getattr__(self, name: str):
        return getattr(self.carrier, name)

    def send(self, letters, deadline):
        self.batches += 1
        first, rest = letters[: BATCH // 2], letters[BATCH // 2 :]
        outcomes = self.carrier.send(first, deadline)
        if self.batches == 2:
            assert states() == {"sent": BATCH, "inflight": BATCH, "claimed": BATCH, "queued": BATCH}
            self.stop()
        return outcomes + self.carrier.send(rest, deadline)


@pytest.mark.parametrize("what", STOPS)
def test_what_is_inflight_is_the_last_that_goes_out(what, settings, monkeypatch):
    stop, others = STOPS[what]
    settings.SENDING_BATCH = BATCH
    signed = approval(subject="automation:win_back")
    rows = [advert(agrees(make.patient()), approval=signed, automation="win_back") for _each in range(RUN)]
    with gateway() as (url, judge):
        settings.SMS_GATEWAY_URL = url
        carrier = Half(sending.transport_of("sms"), lambda: stop(signed))
        monkeypatch.setattr(sending, "transport_of", lambda _name: carrier)
        # Another worker has its batch in hand, and looks at it once more only after the stop.
        claimed = actions.claim(transport="sms", owner="other", size=BATCH, now=NOON)
        send()
        assert actions.mark_inflight(ids=claimed, owner="other", now=NOON) == []
        send()
        accepted = {letter["to"] for letter in judge()["seen"].values()}
    assert accepted == {row.address for row in rows[BATCH : 3 * BATCH]}
    assert states() == {"sent": 2 * BATCH} | others


def test_what_a_person_paused_goes_on_where_it_stood(settings):
    rows = [queued() for _each in range(3)]
    actions.pause_sending(paused=True, **BY)
    with gateway() as (url, judge):
        settings.SMS_GATEWAY_URL = url
        send()
        assert judge()["accepted"] == 0
        actions.pause_sending(paused=False, **BY)
        send()
        assert {letter["to"] for letter in judge()["seen"].values()} == {row.address for row in rows}
    assert Message.objects.filter(state="sent").count() == 3
