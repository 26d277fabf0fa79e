"""The change feed is written with the facts, in their transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from staff.models import Change


@dataclass(frozen=True)
class ChangedRow:
    """What the feed says of one object. `target_id`: the survivor of a merge."""

    object_id: int
    source_code: str = ""
    external_id: str = ""
    branch_id: int | None = None
    target_id: int | None = None


def current_xact() -> int:
    """PostgreSQL's number of this transaction; 0 on SQLite, where writers queue and ids are in commit order."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def note_changes(*, resource: str, rows: Iterable[ChangedRow], now: datetime, kind: str = Change.Kind.CHANGED) -> None:
    """One line a row in the feed `/api/v1/changes/`. Must run inside the transaction that changed them."""
    xact = current_xact()
    Change.objects.bulk_create(
        [
            Change(
                xact=xact,
                at=now,
                resource=resource,
                object_id=row.object_id,
                branch_id=row.branch_id,
                source_code=row.source_code,
                external_id=row.external_id,
                kind=kind,
                target_id=row.target_id,
            )
            for row in rows
        ],
        batch_size=5000,
    )
