"""What the contact policy answers to a batch, and what the answer does to its rows: go, wait until, or end with a reason.

Always the same number of statements, whatever the number of rows. What SQL can say stands in `queries.verdict`; here come
quiet hours, which need a zone's clock, and the budgets, which need counting while nobody else may count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from messaging.actions.rows import states, update_each
from messaging.models import Message
from messaging.models.outbox import Reason, State
from messaging.queries.contacts import is_capped, rations
from messaging.queries.verdict import judged, root_of, zone_of
from messaging.rules.policy import Answer, Ration, Word
from messaging.rules.quiet import ANSWERS, AWAKE, opening_for
from patients.models import Patient

FIRST = ("priority", "not_before", "id")  # who goes first when there is not enough of something


class Row(NamedTuple):
    """A message to decide about. `carrier`: of a member of a family, whose message says it; `zone`: '' = urgent."""

    id: int
    attempt: int
    purpose: str
    priority: int
    expires_at: datetime
    unsure_at: datetime | None
    client_id: str | None
    carrier: int | None
    root: int | None
    zone: str
    awake: bool
    verdict: str


Decided = tuple[Row, Answer]


def rows_of(messages: QuerySet[Message], now: datetime, *, judge: bool = True) -> list[Row]:
    """In the order of importance; without `judge` the verdict stays empty (the statement that marks asks for it)."""
    just_booked = Q(automation__in=ANSWERS, visit__booked_at__gt=now - AWAKE)
    asked = judged(messages, now) if judge else messages.annotate(verdict=Value(""))
    rows = asked.annotate(
        root=root_of(), zone=zone_of(), awake=Case(When(just_booked, then=True), default=False, output_field=BOOL)
    )
    columns = ("attempt", "purpose", "priority", "expires_at", "unsure_at", "client_id", "grouped_into", "root", "zone")
    return [Row(*row) for row in rows.order_by(*FIRST).values_list("id", *columns, "awake", "verdict")]


BOOL = BooleanField()


def lock_patients(rows: Iterable[Row]) -> None:
    """Nobody else counts the contacts of these patients until this transaction ends. In the order of ids: no deadlock.

    Only for what has to wait when a budget is used up: the rest always goes, and needs no waiting for others.
    """
    roots = {row.root for row in rows if row.root is not None and is_capped(row.purpose, row.priority)}
    if roots and connection.vendor == "postgresql":
        locked = Patient.objects.filter(pk__in=roots).order_by("pk").select_for_update(no_key=True)
        list(locked.values_list("pk", flat=True))


def decide(rows: Sequence[Row], *, now: datetime, count_all: bool = True) -> list[Decided]:
    """The answer to each row. A member of a family follows its carrier: it only answers for itself.

    `count_all`: also say of those whom no budget stops which contact of the period they are.
    """
    batch = {row.id for row in rows}
    night = {row.id: until for row in rows if (until := _night(row, now))}
    going = [row for row in rows if not row.verdict and row.id not in night and row.carrier not in batch]
    counted = [row for row in going if count_all or is_capped(row.purpose, row.priority)]
    budgets = rations(counted, batch=batch, now=now)
    return [(row, _answer(row, night.get(row.id), budgets.get(row.id))) for row in rows]


def _night(row: Row, now: datetime) -> datetime | None:
    """When it is day again for the addressee; None = it is, and stays so until the call is surely made."""
    if row.verdict or row.awake or not row.zone:
        return None
    opens = opening_for(now, row.zone, timedelta(seconds=settings.SENDING_LEASE_SECONDS))
    return None if opens == now else opens


def _answer(row: Row, night: datetime | None, budget: Ration | None) -> Answer:
    used, cap = (budget.used, budget.cap) if budget else (None, None)
    if row.verdict:
        return Answer(Word.SKIP, row.verdict)
    if night:
        return _later(row, Reason.QUIET, night, None, None)
    if budget and used and budget.never:
        return Answer(Word.SKIP, Reason.CAP, cap_used=used - 1, cap=cap)
    if budget and used and budget.until:
        return _later(row, Reason.CAP, budget.until, used - 1, cap)
    return Answer(Word.SEND, cap_used=used, cap=cap)


def _later(row: Row, reason: str, until: datetime, used: int | None, cap: int | None) -> Answer:
    """It waits, unless it no longer makes sense by then."""
    word = Word.HOLD if until < row.expires_at else Word.SKIP
    return Answer(word, reason, until, cap_used=used, cap=cap)


def settle(decided: Iterable[Decided], now: datetime) -> None:
    """Write down the answers that are not "send": one UPDATE."""
    rows = [
        (row.id, row.attempt, _state_after(row, answer), answer.reason, answer.until, answer.cap_used, answer.cap)
        for row, answer in decided
        if answer.word is not Word.SEND
    ]
    columns = ["state", "reason", "not_before", "cap_used", "cap"]
    same = {"decided_at": now, "owner": "", "lease_until": None, "next_check_at": None}
    update_each(columns, rows, guard=states([State.QUEUED, State.CLAIMED]), same=same)


def _state_after(row: Row, answer: Answer) -> str:
    """A row of which an earlier try may have been accepted is not called "not sent": it stays unknown, for a person."""
    if answer.word is Word.HOLD:
        return State.QUEUED.value
    if row.unsure_at:
        return State.UNKNOWN.value
    late = answer.reason == Reason.WINDOW or answer.until is not None
    return State.EXPIRED.value if late else State.SKIPPED.value
