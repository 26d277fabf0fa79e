"""A panel of a page: a table of figures, the drawing made of it, and the ways to take it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from analytics.rules.sheet import Column, Sheet
from analytics.views.figures import on_axis, value_of, written
from core import charts

TALL = 24  # rows from which a table scrolls in its own frame


@dataclass(frozen=True)
class Cell:
    """A cell of a drawn table; `label` is its heading, for phones."""

    text: str
    label: str
    is_figure: bool
    url: str = ""


@dataclass(frozen=True)
class Panel:
    """`kind` names the chart component (line, bars, bridge, heat, ranking) or is empty for a table.

    `badge`: (text, tone) beside the title; `url`: the very rows; `wide`: takes the whole row of the page.
    """

    sheet: Sheet
    kind: str = ""
    chart: Any = None
    url: str = ""
    badge: tuple[str, str] | None = None
    wide: bool = False
    currency: str = "RUB"
    text: str = ""
    options: Sequence[dict[str, Any]] = ()

    @property
    def slug(self) -> str:
        return self.sheet.slug

    @property
    def columns(self) -> list[dict[str, Any]]:
        return [{"label": column.name, "num": column.is_figure} for column in self.sheet.columns]

    @property
    def rows(self) -> list[list[Cell]]:
        columns = self.sheet.columns
        return [
            [
                self._cell(
                    self.sheet.column_at(at, place), row[place], self._url(at) if not place else "", first=not place
                )
                for place in range(len(columns))
            ]
            for at, row in enumerate(self.sheet.rows)
        ]

    @property
    def foot(self) -> list[Cell]:
        pairs = zip(self.sheet.columns, self.sheet.foot, strict=True) if self.sheet.foot else ()
        return [self._cell(column, value, "", first=False) for column, value in pairs]

    @property
    def tall(self) -> bool:
        return len(self.sheet.rows) > TALL

    @property
    def cards(self) -> bool:
        """On a phone a row becomes a card, unless a few columns fit anyway."""
        return len(self.sheet.columns) > 3

    def _url(self, index: int) -> str:
        return self.sheet.urls[index] if index < len(self.sheet.urls) else ""

    def _cell(self, column: Column, value: Any, url: str, *, first: bool) -> Cell:
        text = written(column.kind, self.currency)(value_of(value) if column.is_figure else value)
        return Cell(text, str(column.name), column.is_figure or bool(self.sheet.kinds and not first), url)


def _series(sheet: Sheet) -> list[charts.Series]:
    """Every figure column of the sheet; its first column names the places."""
    return [
        charts.Series(column.name, [value_of(row[place]) for row in sheet.rows], sheet.young)
        for place, column in enumerate(sheet.columns)
        if place
    ]


def _drawn(sheet: Sheet, currency: str) -> dict[str, Any]:
    kind = sheet.columns[1].kind
    return {
        "text": written(kind, currency),
        "tick": on_axis(kind, currency),
        "corner": sheet.columns[0].name,
        "immature": _("not complete yet"),
    }


def lines(sheet: Sheet, currency: str = "RUB", **rest: Any) -> Panel:
    """Lines over the first column, one for each further column; all of one kind."""
    texts = [str(row[0]) for row in sheet.rows]
    chart = charts.line_chart(texts, _series(sheet), **_drawn(sheet, currency))
    return Panel(sheet, "line", chart, currency=currency, **rest)


def bars(sheet: Sheet, currency: str = "RUB", *, stacked: bool = False, **rest: Any) -> Panel:
    """Upright bars over the first column."""
    texts = [str(row[0]) for row in sheet.rows]
    draw = charts.stacked_chart if stacked else charts.bar_chart
    return Panel(sheet, "bars", draw(texts, _series(sheet), **_drawn(sheet, currency)), currency=currency, **rest)


def ranking(
    sheet: Sheet, currency: str = "RUB", *, place: int = 1, note: int = 0, most: int = 12, **rest: Any
) -> Panel:
    """Lying bars of column `place`; `note` is the column that stands under the name."""
    text, small = (written(sheet.columns[at].kind, currency) for at in (place, note))
    rows = [
        charts.RowInput(
            name=str(row[0]),
            value=value_of(row[place]),
            note=f"{sheet.columns[note].name}: {small(value_of(row[note]))}" if note else "",
            url=sheet.urls[index] if index < len(sheet.urls) else "",
            immature=index in sheet.young,
        )
        for index, row in enumerate(sheet.rows[:most])
    ]
    head = (sheet.columns[0].name, sheet.columns[place].name, _("interval"))
    return Panel(sheet, "ranking", charts.ranking_chart(rows, text=text, head=head), currency=currency, **rest)
