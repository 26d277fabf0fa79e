"""Items that come apart from their visits, and without them (the folder's items.csv, a file's lines)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from patients.actions.visits import ITEMS, refresh_amounts, retotal, visit_lines
from staff.access import Actor
from staff.actions.intake import Batch, RowResult, intake, note_lines
from staff.models import Source


def record_items(*, source: Source, rows: Sequence[Mapping[str, object]], by: Actor, now: datetime) -> list[RowResult]:
    """Upsert items that come apart from their visits. Nothing is removed."""

    def work(numbered: list[tuple[int, Mapping[str, Any]]]) -> Batch:
        items = Batch(ITEMS, source=source, by=by, now=now)
        items.read(numbered)
        items.load()
        items.settle()
        items.classify()
        items.write()
        refresh_amounts(retotal(items))
        note_lines(visit_lines(items), now)
        return items

    return intake(work, rows=rows, by=by, now=now, deed="record_items")
