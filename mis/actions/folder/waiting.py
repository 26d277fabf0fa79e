"""Rows that name objects which are not known yet: kept on disk during a load, in the database between loads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any

from mis.models import WaitingRow
from staff.actions.intake import store
from staff.models import Source

Row = dict[str, Any]
Entry = tuple[int | None, Row]  # row number in the file (None: it waited since an earlier load), row


class Spool:
    """Rows put aside on disk. Written once, read once: memory stays flat however many there are."""

    def __init__(self) -> None:
        self.file = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 it lives as long as the spool
        self.count = 0

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.file.write(json.dumps(entry) + "\n")
            self.count += 1

    def read(self) -> Iterator[Entry]:
        self.file.seek(0)
        for line in self.file:
            number, row = json.loads(line)
            yield number, row
        self.file.close()


def identity(resource: str, row: Row) -> str:
    """What a row is known by while it waits."""
    if resource == "allocations":
        return f"{row.get('payment_id')}:{row.get('appointment_id')}"[:250]
    return str(row.get("external_id") or "")[:250]


def waits(source: Source, resource: str) -> bool:
    return WaitingRow.objects.filter(source=source, resource=resource).exists()


def forget(source: Source, resource: str, rows: Iterable[Row]) -> None:
    """These rows came again or were settled: what waited under their ids is out of date."""
    ids = store.among({identity(resource, row) for row in rows})
    WaitingRow.objects.filter(source=source, resource=resource, external_id__in=ids).delete()


def waiting_rows(source: Source, resource: str) -> Iterator[Entry]:
    rows = WaitingRow.objects.filter(source=source, resource=resource).order_by("id")
    for row in rows.values_list("row", flat=True).iterator(2000):
        yield None, row


def keep(source: Source, resource: str, entries: list[tuple[Row, str]], now: datetime) -> None:
    """(row, reason) of rows that go on waiting."""
    WaitingRow.objects.bulk_create(
        [
            WaitingRow(
                source=source,
                resource=resource,
                external_id=identity(resource, row),
                row=row,
                reason=reason[:300],
                created_at=now,
            )
            for row, reason in entries
        ],
        batch_size=2000,
        update_conflicts=True,
        unique_fields=["source", "resource", "external_id"],
        update_fields=["row", "reason"],
    )
