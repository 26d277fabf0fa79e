"""queued → claimed → inflight. A row is taken under a lease, looked at twice, and marked right before the call.

Leases go by the database's clock inside the statement, so that neither a wrong clock on a host nor a process that slept
between reading the time and using it can act on a lease that is over (fencing).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now

from messaging.actions.compose import take
from messaging.actions.decide import Decided, Row, decide, lock_patients, rows_of, settle
from messaging.actions.families import lead_again, members_of, on_their_own, told
from messaging.models import Message
from messaging.models.outbox import Basis, Priority, Reason, State
from messaging.queries.links import unsubscribe_url
from messaging.queries.rows import among
from messaging.queries.texts import pictures_for
from messaging.queries.verdict import consent_of, good_family, judged, not_paused
from messaging.rules.policy import Word
from messaging.transports.base import Letter
from patients.models.contact import ADVERTISES

BATCH_LIMIT = 1000
BASIS = Case(
    When(user__isnull=False, then=Value(Basis.STAFF)),
    When(purpose__in=ADVERTISES, then=Value(Basis.CONSENT)),
    default=Value(Basis.SERVICE),
)


@transaction.atomic
def claim(*, transport: str, owner: str, size: int, now: datetime, key_seconds: float = 0) -> list[int] | None:
    """Take up to `size` due rows for `owner`, the most important first; those that may not go out now get their reason,
    and the time until which they wait or their end.

    Returns the ids that are claimed now (without the members of families, whom their carriers take along), or None when
    nothing was due at all.
    """
    ids = _lock_due(transport, min(size, BATCH_LIMIT), now)
    if not ids:
        return None
    members = list(
        members_of(ids, State.QUEUED)
        .filter(grouped_into__unsure_at=None)
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("id", flat=True)
    )
    rows = rows_of(Message.objects.filter(among([*ids, *members])), now)
    lock_patients(rows)
    decided = decide(rows, now=now)
    settle(decided, now)
    if members:
        lead_again([row.id for row, answer in decided if answer.word is Word.SKIP and row.carrier is None])
    going = [each for each in decided if each[1].word is Word.SEND]
    old = _give_up_old_keys([row for row, _answer in going], key_seconds, now)
    return take(_with_their_carriers([each for each in going if each[0].id not in old], set(ids)), owner, now)


def _lock_due(transport: str, size: int, now: datetime) -> list[int]:
    """Priority by priority (there are four): so the index gives what is due without walking over all that waits."""
    ids: list[int] = []
    for priority in Priority.values:
        if len(ids) < size:
            due = not_paused(Message.objects.due(now).filter(transport=transport, priority=priority))
            locked = on_their_own(due).order_by("not_before", "id").select_for_update(skip_locked=True)
            ids += locked.values_list("id", flat=True)[: size - len(ids)]
    return ids


def _with_their_carriers(going: list[Decided], carriers: set[int]) -> list[Decided]:
    """Without members of families whose carrier does not go now: they keep waiting."""
    gone = {row.id for row, _answer in going if row.id in carriers}
    return [(row, answer) for row, answer in going if row.id in gone or row.carrier in gone]


def _give_up_old_keys(rows: Iterable[Row], key_seconds: float, now: datetime) -> set[int]:
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


@transaction.atomic
def mark_inflight(*, ids: list[int], owner: str, now: datetime) -> list[Letter]:
    """The last look, and the mark that says "a call may have been made". Committed before any call.

    Only rows whose lease is still ours and alive by the database's clock. Returns the letters to hand over; the others
    end with their reason or go back to the queue (paused or held meanwhile).
    """
    lease = timedelta(seconds=settings.SENDING_LEASE_SECONDS)
    ours = Message.objects.filter(owner=owner, state=State.CLAIMED, lease_until__gt=Now())
    theirs = Q(among(ids)) | Q(among(ids, "grouped_into_id"))  # and of the members whom they tell
    rows = rows_of(ours.filter(theirs), now, judge=False)
    lock_patients(rows)
    decided = decide(rows, now=now, count_all=False)
    free = [row.id for row, answer in decided if answer.word is Word.SEND and row.carrier not in ids]
    alive = not_paused(judged(ours.filter(among(free)), now)).filter(verdict="")
    families = {row.carrier for row in rows} & set(ids)
    if families:
        alive = good_family(alive, now)
    marked = alive.update(
        state=State.INFLIGHT,
        attempt=F("attempt") + 1,
        lease_until=Now() + lease,
        first_tried_at=Coalesce("first_tried_at", Now()),
        basis=BASIS,
        consent=consent_of(now),
        decided_at=now,
    )
    letters = _letters(Message.objects.filter(among(ids), owner=owner, state=State.INFLIGHT))
    if families:
        told([letter.id for letter in letters])
    if marked < len(rows):
        _let_go(ours.filter(theirs), now)
    return letters


def _letters(marked: QuerySet[Message]) -> list[Letter]:
    columns = (
        "pk",
        "attempt",
        "client_id",
        "address",
        "subject",
        "text",
        "unsure_at",
        "purpose",
        "transport",
        "template",
    )
    in_order = marked.order_by("priority", "not_before", "id")
    rows = list(in_order.values_list(*columns, "language", "approval_id", named=True))
    pictures = pictures_for(rows)
    return [
        Letter(
            id=row.pk,
            attempt=row.attempt,
            client_id=row.client_id or "",
            to=row.address,
            subject=row.subject,
            text=row.text,
            unsure_at=row.unsure_at,
            kind=row.purpose,
            unsubscribe_url=unsubscribe_url(row.pk) if row.purpose in ADVERTISES else "",
            picture=pictures[row.pk][0] if row.pk in pictures else None,
            picture_type=pictures[row.pk][1] if row.pk in pictures else "",
        )
        for row in rows
    ]


def _let_go(claimed: QuerySet[Message], now: datetime) -> None:
    """What passed the first look and not the last one: its end and reason, or back into the queue."""
    rows = rows_of(claimed, now)
    if rows:
        decided = decide(rows, now=now)
        settle(decided, now)
        lead_again([row.id for row, answer in decided if answer.word is Word.SKIP and row.carrier is None])
        back = Message.objects.filter(id__in=[row.id for row in rows], state=State.CLAIMED)
        back.update(state=State.QUEUED, owner="", lease_until=None)
