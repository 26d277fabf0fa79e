"""Reach and clicks of a channel by day: from other systems, by hand, and from a file together with spend."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from funnel.actions.spend import SPEND
from funnel.models import Spend, Traffic
from patients.models import Channel
from staff.access import Actor
from staff.actions.intake import FAILED, UNCHANGED, Field, Ref, Resource, RowResult, plain
from staff.actions.intake.parsers import day, text, whole
from staff.models import Source
from staff.models.base import OWN_SOURCE

MOST = 10**12  # more than anybody was ever shown in a day

TRAFFIC = Resource(
    name="traffic",
    model=Traffic,
    keys=(
        Ref("channel_id", "channel_id", "channel", Channel),
        Field("date", day, "date", required=True),
        Field("reach", whole(0, MOST), "reach"),
        Field("clicks", whole(0, MOST), "clicks"),
    ),
)

record_traffic = plain(TRAFFIC)
record_file_spend = plain(replace(SPEND, keys=(*SPEND.keys, Field("note", text(300), "note"))))


class BadRows(ValueError):
    """Rows of a file that cannot be taken: {index of the row: {field: reasons}}. Nothing was written."""

    def __init__(self, errors: dict[int, dict[str, list[str]]]) -> None:
        super().__init__(f"{len(errors)} rows")
        self.errors = errors


@dataclass(frozen=True)
class FileRow:
    """A row of a file. `values`: `reach` and `clicks`, or `amount` (decimal text), `purpose` and `note`."""

    channel: Channel | None
    day: date
    values: Mapping[str, Any]


def set_traffic(*, channel: Channel | None, day: date, reach: int, clicks: int, by: Actor, now: datetime) -> None:
    """What a channel had on a day; entered again, it stands as entered last."""
    row = FileRow(channel, day, {"reach": reach, "clicks": clicks})
    take_traffic(rows=[row], by=by, now=now)


def take_traffic(*, rows: Sequence[FileRow], by: Actor, now: datetime) -> int:
    """All rows or none; how many changed something. Raises BadRows.

    A channel and day is one row, whether by hand or from a file: the same file again changes nothing.
    """
    keys = Counter(map(_key, rows))
    twice = {index: {"date": [_("stands twice in the file")]} for index, row in enumerate(rows) if keys[_key(row)] > 1}
    if twice:
        raise BadRows(twice)
    return _all_or_none(record_traffic, [_given(f"day:{_key(row)}", row) for row in rows], by, now)


@transaction.atomic
def take_spend(*, rows: Sequence[FileRow], by: Actor, now: datetime) -> int:
    """All rows or none; how many changed something. Raises BadRows.

    The same file again adds nothing, and a corrected amount replaces the one before: a line is known by its day,
    channel, purpose and note, and by which of several like it stands in the file.
    """
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        key = f"{_key(row)}:{row.values['purpose']}:{row.values.get('note', '')}"
        seen[key] += 1
        digest = hashlib.sha256(f"{key}:{seen[key]}".encode()).hexdigest()
        found.append(_given(f"file:{digest[:32]}", row))
    changed = _all_or_none(record_file_spend, found, by, now)
    _refuse_taken_back(found)
    return changed


def _refuse_taken_back(rows: Sequence[Mapping[str, Any]]) -> None:
    """A line that was taken back must stay nought: its reversal is of the amount before."""
    codes = {row["external_id"]: index for index, row in enumerate(rows)}
    uneven = Spend.objects.filter(
        ~Q(reversal__amount=-F("amount")), source=OWN_SOURCE, external_id__in=codes, reversal__isnull=False
    )
    said = [_("this line was taken back; write another note to enter it anew")]
    errors = {codes[code]: {"amount": said} for code in uneven.values_list("external_id", flat=True)}
    if errors:
        raise BadRows(errors)


def _key(row: FileRow) -> str:
    return f"{row.channel.pk if row.channel else 0}:{row.day.isoformat()}"


def _given(external_id: str, row: FileRow) -> dict[str, Any]:
    channel = row.channel.pk if row.channel else None
    return {"external_id": external_id, "channel": channel, "date": row.day.isoformat(), **row.values}


@transaction.atomic
def _all_or_none(
    record: Callable[..., list[RowResult]], rows: Sequence[Mapping[str, Any]], by: Actor, now: datetime
) -> int:
    results = record(source=Source.objects.get(pk=OWN_SOURCE), rows=rows, by=by, now=now)
    errors = {result.index: result.errors for result in results if result.status == FAILED}
    if errors:
        raise BadRows(errors)
    return sum(result.status != UNCHANGED for result in results)
