"""One batch: claim, mark, hand over, write down what is known. The only place that calls a transport's `send`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from core.logs import scrubbed
from messaging.actions.breaker import allowance, count_tries
from messaging.actions.claim import claim, mark_inflight
from messaging.actions.families import let_members_go
from messaging.actions.refusals import close_addresses
from messaging.actions.rows import states, update_each
from messaging.models import Heartbeat
from messaging.models.outbox import Reason, State
from messaging.queries.clock import database_now
from messaging.queries.cost import price_of
from messaging.rules import backoff
from messaging.rules.cost import size_and_cost
from messaging.transports import transport as transport_of
from messaging.transports.base import Deadline, Outcome, Result, Transport

LAST_MOMENT = 1.0  # seconds of the lease kept for writing down the outcomes
TAKEN = (State.QUEUED, State.CLAIMED, State.INFLIGHT, State.UNKNOWN)
NOTHING_CAME = (Result.REFUSED, Result.NOT_ACCEPTED, Result.NOT_TRIED)
DONE: dict[str, Any] = {"owner": "", "lease_until": None}
SETTLED = {**DONE, "next_check_at": None}


def send_batch(*, transport: str, owner: str, now: datetime) -> bool:
    """Send one batch of `transport`. `owner` is unique to the call. True while there may be more.

    Deliberately not one transaction: the mark must be committed before the call is made, the outcome after it. Whatever
    dies in between is found by `reap`.
    """
    carrier = transport_of(transport)
    size = allowance(transport=transport, most=carrier.batch, now=now)
    if size == 0:
        beat(name="sent", now=now)  # a breaker that is open is no worker that stands still
        return False
    remembers = carrier.key_seconds if carrier.dedupe == "key" else float("inf")
    ids = claim(transport=transport, owner=owner, size=size, now=now, key_seconds=remembers)
    beat(name="sent", now=now)
    if ids is None:
        return False
    deadline = _deadline(carrier)  # counted from before the mark: the lease of the mark ends later, never earlier
    letters = mark_inflight(ids=ids, owner=owner, now=now)
    if letters:
        outcomes = carrier.send(letters, deadline)
        note_outcomes(transport=transport, outcomes=outcomes, settle_seconds=carrier.settle_seconds)
        beat(name="sent", now=database_now())
    return True


def _deadline(carrier: Transport) -> Deadline:
    """The last call that starts in time also ends in time; a very short lease leaves at least half of itself."""
    lease = float(settings.SENDING_LEASE_SECONDS)
    return Deadline(max(lease - carrier.call_seconds - LAST_MOMENT, lease / 2))


@transaction.atomic
def note_outcomes(*, transport: str, outcomes: Sequence[Outcome], settle_seconds: float) -> None:
    """At most three UPDATEs a batch, and its tries for the breaker. What the provider said of this try (id and attempt) is
    the truth whatever became of the lease; that he did not say anything only counts while the try is the last word."""
    now = database_now()
    price = price_of(transport)
    accepted = [o for o in outcomes if o.result is Result.ACCEPTED]
    update_each(
        ["provider_id", "segments", "cost"],
        [
            (o.letter.id, o.letter.attempt, o.provider_id, *size_and_cost(transport, o.letter.text, price, o.cost))
            for o in accepted
        ],
        guard=states(TAKEN),
        same={"state": State.SENT.value, "sent_at": now, "reason": "", "unsure_at": None, **SETTLED},
    )
    refused = [(o.letter.id, o.letter.attempt, *_said(o)) for o in outcomes if o.result is Result.REFUSED]
    ended = {"state": State.REFUSED.value, **SETTLED}
    update_each(["reason", "detail"], refused, guard=states(TAKEN), same=ended)
    settled = now + timedelta(seconds=settle_seconds)
    others = [_after(o, now, settled) for o in outcomes if o.result not in (Result.ACCEPTED, Result.REFUSED)]
    columns = ["state", "reason", "detail", "not_before", "next_check_at", "unsure_at"]
    update_each(columns, others, guard=states([State.INFLIGHT]), same=DONE)
    let_members_go([outcome.letter.id for outcome in outcomes if outcome.result in NOTHING_CAME])
    count_tries(transport=transport, outcomes=outcomes, now=now)
    close_addresses(outcomes=outcomes, now=now)


def _said(outcome: Outcome) -> tuple[str, str]:
    return outcome.reason, scrubbed(outcome.detail)[:200]


def _after(outcome: Outcome, now: datetime, settled: datetime) -> tuple[object, ...]:
    """(id, attempt, state, reason, detail, not_before, next_check_at, unsure_at); None keeps what is there."""
    letter = outcome.letter
    key, said = (letter.id, letter.attempt), _said(outcome)
    if outcome.result is Result.UNKNOWN:
        return *key, State.UNKNOWN.value, *said, None, settled, letter.unsure_at or now
    if outcome.result is Result.NOT_TRIED:
        return *key, State.QUEUED.value, "", "", now, None, None
    if letter.attempt < backoff.MOST_ATTEMPTS:
        later = now + backoff.wait(letter.attempt, outcome.retry_after)
        return *key, State.QUEUED.value, *said, later, None, None
    # An earlier try may have been accepted: then nobody may say that this message did not go out.
    end = State.UNKNOWN if letter.unsure_at else State.REFUSED
    return *key, end.value, Reason.GAVE_UP.value, said[1], None, None, None


def beat(*, name: str, now: datetime) -> None:
    """Write down that a thing that must happen again and again happened: `tick`, `sent`."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=now)], update_conflicts=True, unique_fields=["name"], update_fields=["at"]
    )
