"""The first claim puts a message together, once and for good: its text, and the key under which the provider knows it."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from messaging.actions.decide import Decided
from messaging.actions.families import lead_again
from messaging.actions.rows import states, update_each
from messaging.models import Message
from messaging.models.outbox import Reason, State
from messaging.queries.clock import database_now
from messaging.queries.texts import Texts, composed, finished, texts_for
from messaging.queries.values import Draft, drafts_of
from messaging.rules import families
from messaging.rules.placeholders import MissingValue
from patients.models.contact import ADVERTISES

FAMILY = "family"  # among the values of a message that tells several patients
COUNTED = ("cap_used", "cap")


@dataclass(frozen=True)
class _Fresh:
    """Rows that are put together now. `members`: carrier → those whom its text tells too; `apart`: members that one text
    cannot be said to."""

    heads: list[Draft]
    members: dict[int, list[Draft]]
    apart: list[int]


def take(going: Sequence[Decided], owner: str, now: datetime) -> list[int]:
    """Put the locked rows under the owner's lease; those claimed for the first time get their text and key for good.

    One UPDATE for these, one for repeats and members of families. A row that cannot be put together is skipped. The
    lease is counted from a clock read before the statement: it may only end too early.
    """
    until = database_now() + timedelta(seconds=settings.SENDING_LEASE_SECONDS)
    taken = {row.id: (said.cap_used, said.cap) for row, said in going}
    ours = {"state": State.CLAIMED.value, "owner": owner, "lease_until": until, "decided_at": now, "reason": ""}
    _put_together_anew([row.id for row, _answer in going if row.client_id and not row.unsure_at])
    fresh = _sorted_out(drafts_of(taken))
    ready, broken = _put_together(fresh)
    update_each(
        ["text", "subject", "client_id", "variables", *COUNTED],
        [(*words, *taken[words[0]]) for words in ready],
        guard=states([State.QUEUED]),
        same=ours,
    )
    heads = {row.pk for row in fresh.heads}
    following = {row.pk for family in fresh.members.values() for row in family}
    rest = [row for row, _answer in going if row.id not in heads and row.id not in fresh.apart]
    lines = [(row.id, row.attempt, *taken[row.id]) for row in rest if row.carrier not in broken]
    update_each(COUNTED, lines, guard=states([State.QUEUED]), same=ours)
    _send_away(broken, fresh.apart, now)
    return [row.id for row, _answer in going if row.id not in {*broken, *following, *fresh.apart}]


def _put_together_anew(ids: Collection[int]) -> None:
    """A family may have changed since an earlier claim. The provider surely took nothing: the key is as good as new."""
    if ids:
        told = Message.objects.filter(pk__in=ids, variables__has_key=FAMILY)
        told.update(text="", subject="", variables={}, client_id=None)


def _sorted_out(rows: Collection[Draft]) -> _Fresh:
    known = {row.pk: row for row in rows}
    members: dict[int, list[Draft]] = {}
    for row in rows:
        if row.grouped_into_id in known:
            members.setdefault(row.grouped_into_id, []).append(row)
    alone = [pk for pk, family in members.items() if not _is_one_text([known[pk], *family])]
    apart = [row.pk for pk in alone for row in members.pop(pk)]
    following = {row.pk for family in members.values() for row in family} | set(apart)
    return _Fresh([row for row in rows if row.pk not in following], members, apart)


def _about_visits(row: Draft) -> bool:
    return row.about_at is not None and row.purpose not in ADVERTISES


def _is_one_text(family: Sequence[Draft]) -> bool:
    return _about_visits(family[0]) or families.same_but_names([row.variables for row in family])


def _put_together(fresh: _Fresh) -> tuple[list[tuple[Any, ...]], set[int]]:
    """((id, attempt, text, subject, client_id, variables) of each, the ids of those that cannot be)."""
    ready, broken = [], set()
    codes = {row.template for row in fresh.heads if not row.text}
    texts = texts_for(codes, {row.approval_id for row in fresh.heads})
    for row in fresh.heads:
        try:
            ready.append(_finished(row, texts, fresh.members))
        except MissingValue:
            broken.add(row.pk)
    return ready, broken


def _finished(row: Draft, texts: Texts, members: Mapping[int, Sequence[Draft]]) -> tuple[Any, ...]:
    """(id, attempt, text, subject, client_id, variables). Raises MissingValue, also when there is no such text."""
    text, subject = row.text, row.subject
    if row.pk in members:
        text, subject = _family_text(row, members[row.pk], texts)
    elif not text:
        text, subject = finished(row, texts)
    if (text, subject) == (row.text, row.subject):  # it came as it is: nothing of it is written again
        return row.pk, row.attempt, None, None, client_id_of(row.dedupe_key), None
    return row.pk, row.attempt, text, subject[:200], client_id_of(row.dedupe_key), row.variables


def _family_text(row: Draft, members: Sequence[Draft], texts: Texts) -> tuple[str, str]:
    everybody = [each.variables for each in (row, *members)]
    if _about_visits(row):
        words = families.wording(row.template, row.transport, row.language)
        values = families.family_values(everybody, row.transport, row.language)
        row.variables = {**row.variables, FAMILY: values["family"]}
        return composed(words, values, row.transport, row.language, advertises=False)
    names = families.names_together([each.get("first_name", "") for each in everybody], row.language)
    row.variables = {**row.variables, "first_name": names, FAMILY: names}
    return finished(row, texts)


def _send_away(broken: Collection[int], apart: Collection[int], now: datetime) -> None:
    """What cannot be put together ends; whom one text cannot be said to gets his own, next time."""
    if broken:
        Message.objects.filter(id__in=broken).update(state=State.SKIPPED, reason=Reason.NO_VALUE, decided_at=now)
        lead_again(list(broken))
    if apart:
        Message.objects.filter(id__in=apart).update(grouped_into=None)


def client_id_of(dedupe_key: str) -> str:
    """The provider's idempotency key. Made from what the message is for: after a restore from a backup the same
    reminder has the same key again. Signed with our secret: two clinics at one gateway never meet."""
    return hmac.digest(settings.SECRET_KEY.encode(), dedupe_key.encode(), "sha256").hex()[:32]
