"""A table as figures, before anybody writes them for people: one thing for the page, XLSX and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# text, count, money (minor units), percent (a fraction), number (a decimal), day (a date)
KINDS = ("text", "count", "money", "percent", "number", "day")


@dataclass(frozen=True)
class Column:
    """`name` is what people read, `kind` one of KINDS."""

    name: str
    kind: str = "count"

    @property
    def is_figure(self) -> bool:
        return self.kind not in ("text", "day")


@dataclass(frozen=True)
class Sheet:
    """`slug` names the file; None in a cell is "not known", written as a dash and exported as an empty cell.

    `urls`: address of a row's first cell (by index), `foot`: the totals' row, `young`: rows that are incomplete,
    `kinds`: of each row, where every row is a figure of its own kind and the columns are, say, years.
    """

    slug: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    foot: Sequence[Any] = ()
    urls: Sequence[str] = ()
    young: frozenset[int] = field(default_factory=frozenset)
    kinds: Sequence[str] = ()

    def column_at(self, row: int, place: int) -> Column:
        """The column of a cell, with the kind of its row where the table stands on its side."""
        column = self.columns[place]
        return Column(column.name, self.kinds[row]) if place and self.kinds else column

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def column(self, index: int) -> list[Any]:
        return [row[index] for row in self.rows]
