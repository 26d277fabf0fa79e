"""What became of those whose worker died, and of those whose answer never came.

A claimed row past its lease was never handed over: back to the queue. One marked as in flight may have been: unknown.
An unknown one is asked about by our key, but only after the provider has had its own time to finish; it is never sent
again on a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, DurationField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now

from messaging.actions.families import let_members_go
from messaging.actions.rows import states, update_each
from messaging.models import Message
from messaging.models.outbox import Reason, State
from messaging.queries.clock import database_now
from messaging.queries.cost import price_of
from messaging.rules import backoff
from messaging.rules.cost import size_and_cost
from messaging.transports import NAMES
from messaging.transports import transport as transport_of
from messaging.transports.base import LookUp, Transport, Verdict

ASKED_AT_ONCE = 200
STATUSES = {"delivered": State.DELIVERED, "undelivered": State.UNDELIVERED, "expired": State.UNDELIVERED}


@transaction.atomic
def reap(*, now: datetime) -> None:
    """Three UPDATEs: dead claims go back, dead calls become unknown, and what waited too long is expired.

    The last also covers what a person paused: after a long pause nothing stale goes out. What somebody else holds is left
    for the next tick: two ticks, or a tick and a worker that writes down its outcomes, would wait for each other.
    """
    _free(Message.objects.filter(state=State.CLAIMED, lease_until__lt=Now())).update(
        state=State.QUEUED, owner="", lease_until=None
    )
    settle = [When(transport=name, then=Value(timedelta(seconds=transport_of(name).settle_seconds))) for name in NAMES]
    wait = Case(*settle, default=Value(timedelta(minutes=1)), output_field=DurationField())
    # `owner` stays: should its worker wake up and know the outcome, he may still say so.
    _free(Message.objects.filter(state=State.INFLIGHT, lease_until__lt=Now())).update(
        state=State.UNKNOWN,
        reason=Reason.LEASE,
        lease_until=None,
        next_check_at=Now() + wait,
        unsure_at=Coalesce("unsure_at", Now()),
    )
    late = Message.objects.filter(state=State.QUEUED, expires_at__lte=now)
    end = Case(When(Q(unsure_at=None), then=Value(State.EXPIRED)), default=Value(State.UNKNOWN))
    _free(late).update(state=end, reason=Reason.WINDOW, next_check_at=None)


def _free(rows: QuerySet[Message]) -> QuerySet[Message]:
    """`rows` that nobody else is writing to; locked as part of the statement that changes them."""
    return Message.objects.filter(pk__in=rows.select_for_update(skip_locked=True).values("pk"))


def reconcile(*, transport: str) -> bool:
    """Ask the provider about one batch of unknown messages. True while there may be more to ask about."""
    carrier = transport_of(transport)
    asked = _take_unknown(transport)
    if not asked:
        return False
    answers = {
        answer.client_id: answer for answer in carrier.look_up({row.client_id or "": row.address for row in asked})
    }
    _note_answers(transport, [(row, answers[row.client_id or ""]) for row in asked], carrier)
    return len(asked) == ASKED_AT_ONCE


@transaction.atomic
def _take_unknown(transport: str) -> list[Message]:
    """Rows whose time to ask has come; asking again is put off at once, so that two workers do not ask the same."""
    due = Message.objects.filter(state=State.UNKNOWN, transport=transport, next_check_at__lte=Now())
    rows = list(due.order_by("next_check_at").select_for_update(skip_locked=True)[:ASKED_AT_ONCE])
    now = database_now()
    update_each(
        ["next_check_at"],
        [(row.id, row.attempt, now + backoff.recheck(row.checks)) for row in rows],
        guard=states([State.UNKNOWN]),
        checks="m.checks + 1",
    )
    return rows


@transaction.atomic
def _note_answers(transport: str, answers: Sequence[tuple[Message, LookUp]], carrier: Transport) -> None:
    """Found = accepted. Not found = surely not accepted, unless the provider only knows keys: then a repeat under the
    same key is safe while it remembers it."""
    now = database_now()
    found = [(row, answer) for row, answer in answers if answer.verdict is Verdict.FOUND]
    price = price_of(transport)
    update_each(
        ["provider_id", "sent_at", "state", "segments", "cost"],
        [_accepted(row, answer, now) + size_and_cost(transport, row.text, price, answer.cost) for row, answer in found],
        guard=states([State.UNKNOWN]),
        reason="''",
        owner="''",
        next_check_at="NULL",
        unsure_at="NULL",
    )
    again = [(row.id, row.attempt, State.QUEUED.value, now) for row, a in answers if _may_repeat(row, a, carrier, now)]
    unsure_at = "m.unsure_at" if carrier.dedupe == "key" else "NULL"
    update_each(
        ["state", "not_before"],
        again,
        guard=states([State.UNKNOWN]),
        owner="''",
        next_check_at="NULL",
        unsure_at=unsure_at,
    )
    let_members_go([pk for pk, *_rest in again])
    lost = [(row.id, row.attempt, Reason.KEY_EXPIRED.value) for row, a in answers if _is_lost(row, a, carrier, now)]
    update_each(["reason"], lost, guard=states([State.UNKNOWN]), next_check_at="NULL")


def _accepted(row: Message, answer: LookUp, now: datetime) -> tuple[object, ...]:
    state = STATUSES.get(answer.status, State.SENT)
    return row.id, row.attempt, answer.provider_id, row.first_tried_at or now, state.value


def _remembered(row: Message, carrier: Transport, now: datetime) -> bool:
    """Whether the provider still knows the key of the first uncertain try."""
    since = row.unsure_at or row.first_tried_at
    return since is not None and (now - since).total_seconds() < carrier.key_seconds


def _may_repeat(row: Message, answer: LookUp, carrier: Transport, now: datetime) -> bool:
    if carrier.dedupe == "key":
        return answer.verdict is not Verdict.FOUND and _remembered(row, carrier, now)
    return carrier.dedupe == "lookup" and answer.verdict is Verdict.NOT_FOUND


def _is_lost(row: Message, answer: LookUp, carrier: Transport, now: datetime) -> bool:
    """Nothing that a machine can still find out: a person has to decide."""
    if answer.verdict is Verdict.FOUND or carrier.dedupe == "lookup":
        return False
    return carrier.dedupe != "key" or not _remembered(row, carrier, now)
