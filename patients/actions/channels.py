"""Channels as people keep them: a tree of sources (R35)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from core.names import clean_text
from patients.models import Channel
from staff.access import Actor
from staff.actions.audit import record
from staff.actions.journal import ChangedRow, note_changes


class Circle(ValueError):
    """A channel would stand below itself."""


@transaction.atomic
def save_channel(
    *, channel: Channel | None = None, name: str, kind: str, parent: Channel | None, by: Actor, now: datetime
) -> Channel:
    """Make a channel or change it. Raises Circle."""
    edges = locked_parents()
    made = channel is None
    found = channel or Channel()
    if parent is not None and found.pk is not None and found.pk in line_above(parent.pk, edges):
        raise Circle(name)
    found.name, found.kind, found.parent = clean_text(name)[:200], kind, parent
    found.save()
    row = ChangedRow(object_id=found.pk, source_code=found.source.code, external_id=found.external_id)
    note_changes(resource="channels", rows=[row], now=now)
    deed = "make_channel" if made else "edit_channel"
    record(by=by, deed=deed, now=now, object_kind="channel", object_id=found.pk, fields=("kind", "name", "parent"))
    return found


def locked_parents() -> dict[int, set[int]]:
    """{channel: {the one above it}}, all rows locked: two moves at once could close a circle that neither sees."""
    rows = Channel.objects.select_for_update(of=("self",)).order_by("id").values_list("id", "parent_id")
    return {pk: {parent} if parent else set() for pk, parent in rows}


def line_above(start: int, edges: Mapping[int, set[int]]) -> set[int]:
    """`start` and everything above it."""
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting.extend(edges.get(one, ()))
    return seen
