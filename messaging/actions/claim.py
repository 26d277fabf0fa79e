"""queued → claimed → inflight. A row is taken under a lease, looked at twice, and marked right before the call.

Leases go by the database's clock inside the statement, so that neither a wrong clock on a host nor a process that slept
between reading the time and using it can act on a lease that is over (fencing).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, Case, F, Q, When
from django.db.models.functions import Coalesce, Now

from messaging.actions.rows import states, update_each
from messaging.models import Message
from messaging.models.outbox import Reason, State
from messaging.queries.texts import Texts, texts_for
from messaging.queries.values import values_of
from messaging.queries.verdict import judged, not_paused
from messaging.rules.placeholders import MissingValue, filled, one_line
from messaging.rules.quiet import ANSWERS, AWAKE, is_quiet, opening
from messaging.transports.base import Letter

BATCH_LIMIT = 1000


@dataclass(frozen=True)
class _Row:
    id: int
    tz: str
    verdict: str
    unsure_at: datetime | None
    awake: bool


@transaction.atomic
def claim(*, transport: str, owner: str, size: int, now: datetime, key_seconds: float = 0) -> list[int] | None:
    """Take up to `size` due rows for `owner`; those that may not go out get their end and reason.

    Returns the ids that are claimed now, or None when nothing was due at all.
    """
    due = not_paused(Message.objects.due(now).filter(transport=transport)).order_by("not_before", "id")
    locked = due.select_for_update(skip_locked=True).values_list("id", flat=True)
    ids = list(locked[: min(size, BATCH_LIMIT)])
    if not ids:
        return None
    rows = _judged_rows(ids, now)
    held = _hold_quiet([row for row in rows if not row.verdict], now)
    held |= _give_up_old_keys([row for row in rows if row.id not in held and not row.verdict], key_seconds, now)
    _end(rows)
    taken = [row.id for row in rows if not row.verdict and row.id not in held]
    lease = timedelta(seconds=settings.SENDING_LEASE_SECONDS)
    Message.objects.filter(id__in=taken).update(state=State.CLAIMED, owner=owner, lease_until=Now() + lease, reason="")
    return _with_texts(taken)


def _judged_rows(ids: list[int], now: datetime) -> list[_Row]:
    just_booked = Q(automation__in=ANSWERS, visit__booked_at__gt=now - AWAKE)
    rows = judged(Message.objects.filter(id__in=ids), now).annotate(
        awake=Case(When(just_booked, then=True), default=False, output_field=BooleanField())
    )
    found = rows.values_list("id", "tz", "verdict", "unsure_at", "awake")
    return [_Row(*row) for row in found]


def _end(rows: Iterable[_Row]) -> None:
    """One UPDATE a reason (there are a dozen), whatever the number of rows.

    A row of which an earlier try may have been accepted is not called "not sent": it stays unknown, for a person.
    """
    ends: dict[tuple[str, State], list[int]] = {}
    for row in rows:
        if row.verdict:
            end = State.EXPIRED if row.verdict == Reason.WINDOW else State.SKIPPED
            ends.setdefault((row.verdict, State.UNKNOWN if row.unsure_at else end), []).append(row.id)
    for (reason, state), ids in ends.items():
        Message.objects.filter(id__in=ids).update(
            state=state, reason=reason, owner="", lease_until=None, next_check_at=None
        )


def _hold_quiet(rows: Iterable[_Row], now: datetime) -> set[int]:
    """Rows whose addressee is in quiet hours wait for his morning. An empty zone = urgent; who has just booked is awake.

    One UPDATE a zone.
    """
    nights: dict[str, list[int]] = {}
    for row in rows:
        if row.tz and not row.awake and is_quiet(now, row.tz):
            nights.setdefault(row.tz, []).append(row.id)
    for tz, ids in nights.items():
        Message.objects.filter(id__in=ids).update(not_before=opening(now, tz), reason=Reason.QUIET)
    return {id_ for ids in nights.values() for id_ in ids}


def _give_up_old_keys(rows: Iterable[_Row], key_seconds: float, now: datetime) -> set[int]:
    """A repeat of a call with unknown outcome is safe only while the provider remembers the key."""
    if key_seconds == float("inf"):
        return set()
    limit = timedelta(seconds=key_seconds)
    old = {row.id for row in rows if row.unsure_at is not None and now - row.unsure_at >= limit}
    if old:
        Message.objects.filter(id__in=old).update(
            state=State.UNKNOWN, reason=Reason.KEY_EXPIRED, owner="", lease_until=None, next_check_at=None
        )
    return old


def _with_texts(ids: list[int]) -> list[int]:
    """Freeze the text and the key of rows claimed for the first time. A row that cannot be put together is skipped."""
    fresh = list(values_of(ids))
    texts = texts_for({row.template for row in fresh if not row.text})
    ready, broken = [], []
    for row in fresh:
        try:
            ready.append(_finished(row, texts))
        except MissingValue:
            broken.append(row.id)
    columns = ["text", "subject", "client_id", "variables"]
    update_each(columns, ready, guard=states([State.CLAIMED]))
    if broken:
        Message.objects.filter(id__in=broken).update(
            state=State.SKIPPED, reason=Reason.NO_VALUE, owner="", lease_until=None
        )
    return [id_ for id_ in ids if id_ not in set(broken)]


def _finished(row: Message, texts: Texts) -> tuple[object, ...]:
    """(id, attempt, text, subject, client_id, variables). Raises MissingValue, also when there is no such text."""
    text, subject, values = row.text, row.subject, row.variables
    if not text:
        words = texts.get(row.template, row.transport, row.language)
        if words is None:
            raise MissingValue(row.template)
        text, subject = filled(words.body, values), one_line(filled(words.subject, values))
    return (
        row.id,
        row.attempt,
        text,
        subject[:200],
        client_id_of(row.dedupe_key),
        json.dumps(values, ensure_ascii=False),
    )


def client_id_of(dedupe_key: str) -> str:
    """The provider's idempotency key. Made from what the message is for: after a restore from a backup the same
    reminder has the same key again. Signed with our secret: two clinics at one gateway never meet."""
    return hmac.new(settings.SECRET_KEY.encode(), dedupe_key.encode(), hashlib.sha256).hexdigest()[:32]


@transaction.atomic
def mark_inflight(*, ids: list[int], owner: str, now: datetime) -> list[Letter]:
    """The last look, and the mark that says "a call may have been made". Committed before any call.

    Only rows whose lease is still ours and alive by the database's clock. Returns the letters to hand over; the others
    end with their reason or go back to the queue (paused meanwhile).
    """
    lease = timedelta(seconds=settings.SENDING_LEASE_SECONDS)
    ours = Message.objects.filter(id__in=ids, owner=owner, state=State.CLAIMED)
    alive = not_paused(judged(ours.filter(lease_until__gt=Now()), now)).filter(verdict="")
    alive.update(
        state=State.INFLIGHT,
        attempt=F("attempt") + 1,
        lease_until=Now() + lease,
        first_tried_at=Coalesce("first_tried_at", Now()),
    )
    left = list(ours.filter(lease_until__gt=Now()).values_list("id", flat=True))
    if left:
        _end(_judged_rows(left, now))
        Message.objects.filter(id__in=left, state=State.CLAIMED).update(state=State.QUEUED, owner="", lease_until=None)
    fields = ("id", "attempt", "client_id", "address", "subject", "text", "unsure_at")
    marked = Message.objects.filter(id__in=ids, owner=owner, state=State.INFLIGHT)
    return [Letter(*row) for row in marked.order_by("not_before", "id").values_list(*fields)]
