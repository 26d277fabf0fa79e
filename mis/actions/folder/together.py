"""Visits and their items go in together: the amount of a new visit is known before it is written, which is then written
once. Where the two files stand in different orders, items wait on disk and come after the visits, as files do.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from funnel.actions.intake import record_visits_and_items
from mis.actions.folder.lanes import chunks, recorded
from mis.actions.folder.waiting import Entry, Spool
from staff.actions.intake import RowResult

if TYPE_CHECKING:
    from mis.actions.folder.load import Loader

AHEAD = 4  # items that are read ahead of a batch of visits, in batches
Pair = tuple[list[Entry], list[Entry]]


class Items:
    """The rows of the items' file in their order, taken as the visits come by."""

    def __init__(self, rows: Iterator[Entry], most: int) -> None:
        self.rows, self.most, self.later = rows, most, Spool()
        self.head = next(rows, None)

    def of(self, visits: list[Entry]) -> list[Entry]:
        """Items of these visits, as far as they are next. Others that stand before them are put aside."""
        if any(row.get("items") for _number, row in visits):
            return []  # these rows bring lists of their own
        codes = {row["external_id"] for _number, row in visits if isinstance(row["external_id"], str)}
        found: list[Entry] = []
        aside: list[Entry] = []
        while self.head is not None and len(found) + len(aside) < self.most:
            visit = self.head[1].get("appointment_id")
            if isinstance(visit, str) and visit in codes:
                found.append(self.head)
            elif found:
                break  # of a later visit, most likely
            else:
                aside.append(self.head)
            self.head = next(self.rows, None)
        self.later.add(aside)
        return found

    def rest(self) -> Iterator[Entry]:
        head = [self.head] if self.head is not None else []
        return chain(self.later.read(), head, self.rows)


def load_together(visits: Loader, items: Loader) -> None:
    """Load the visits' file with what of the items' file fits; the rest is left in `items.rows`."""
    if visits.file is None or items.file is None:
        return
    lines, load = Items(items.rows_of(items.file), AHEAD * visits.load.batch), visits.load

    def pairs(file_rows: Iterator[Entry]) -> Iterator[Pair]:
        for entries in chunks(file_rows, load.batch):
            yield entries, lines.of(entries)

    def record(pair: Pair) -> tuple[list[RowResult], list[RowResult]]:
        visits.forget(pair[0])
        items.forget(pair[1])
        rows, theirs = ([row for _number, row in entries] for entries in pair)
        return record_visits_and_items(source=load.source, rows=rows, items=theirs, by=load.by, now=load.now)

    for pair, results in recorded(pairs(visits.rows_of(visits.file)), record):
        for loader, entries, told in zip((visits, items), pair, results, strict=True):
            loader.sort(entries, told)
        visits.show(visits.file)
    visits.rows, items.rows = iter(()), lines.rest()
