"""The page "Messages": counts that do not scan the past, and one keyset page of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from messaging.models import Message
from messaging.models.outbox import State
from messaging.rules.masks import without_codes
from patients.queries.scope import visible_patients
from staff.access import Actor

PAGE = 50
OPEN = (State.QUEUED, State.CLAIMED, State.INFLIGHT, State.UNKNOWN)
RECENT = timedelta(days=7)


@dataclass(frozen=True)
class StateCount:
    state: str
    label: str
    count: int


@dataclass(frozen=True)
class OutboxPage:
    """`after`: the key of the next page, None on the last. `counts`: open states in full, ended ones of 7 days."""

    counts: list[StateCount]
    rows: list[Message]
    after: int | None


def visible_messages(by: Actor) -> QuerySet[Message]:
    """A person bound to a branch sees the messages of that branch's patients."""
    messages = Message.objects.all()
    return messages if by.branch_id is None else messages.filter(patient__in=visible_patients(by).values("pk"))


def words_for(message: Message, by: Actor) -> str:
    """The text as `by` may read it, codes taken out. What was written to one person (an answer from the inbox, words of
    another system) may say anything: only who sees contacts reads it. Of a text of ours everybody knows what it says."""
    if not message.template and message.user_id is None and not by.may("see_contacts"):
        return ""
    return without_codes(message.text)


def outbox_page(*, by: Actor, state: str = "", after: int | None = None, now: datetime) -> OutboxPage:
    seen = visible_messages(by)
    rows = seen.filter(state=state) if state in State.values else seen
    if after is not None:
        rows = rows.filter(id__lt=after)
    page = list(rows.select_related("patient", "user", "visit").order_by("-id")[: PAGE + 1])
    return OutboxPage(_counts(seen, now), page[:PAGE], page[PAGE - 1].pk if len(page) > PAGE else None)


def _counts(seen: QuerySet[Message], now: datetime) -> list[StateCount]:
    open_ = seen.filter(state__in=OPEN).values_list("state").annotate(n=Count("id")).order_by()
    ended = seen.filter(created_at__gt=now - RECENT).exclude(state__in=OPEN)
    found = dict(open_) | dict(ended.values_list("state").annotate(n=Count("id")).order_by())
    return [StateCount(state.value, str(state.label), found.get(state.value, 0)) for state in State]
