"""Bars that lie: a ranking by name, with an optional interval and values below zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.charts.scale import Number, Table, Text, plain, px


@dataclass(frozen=True)
class RowInput:
    """A named value; ``low`` and ``high`` bound its interval, ``note`` stands under the name."""

    name: str
    value: Number | None
    low: Number | None = None
    high: Number | None = None
    note: str = ""
    url: str = ""
    immature: bool = False


@dataclass(frozen=True)
class Row:
    """A drawn row: ``x``, ``width``, ``low`` and ``high`` in % of the track; ``low`` None is no interval."""

    name: str
    note: str
    url: str
    text: str
    x: float
    width: float
    low: float | None
    high: float | None
    negative: bool
    immature: bool
    tip: str


@dataclass(frozen=True)
class Ranking:
    """Everything that components/charts/ranking.html draws; ``zero`` is where the axis stands, in %."""

    rows: Sequence[Row]
    zero: float
    table: Table
    empty: bool
    has_immature: bool


def ranking_chart(
    rows: Sequence[RowInput],
    *,
    text: Text = plain,
    head: Sequence[str] = ("", "", ""),
    immature: str = "",
) -> Ranking:
    """Bars in the order given, on one scale that holds zero, every value and every interval.

    ``head`` names the table's columns: name, value, interval.
    """
    known = [float(edge) for row in rows for edge in (row.value, row.low, row.high) if edge is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    span = (high - low) or 1.0
    return Ranking(
        rows=[_row(row, low, span, text, immature) for row in rows],
        zero=_at(0, low, span),
        table=Table(list(head), [_cells(row, text, immature) for row in rows]),
        empty=not any(row.value is not None for row in rows),
        has_immature=any(row.immature for row in rows),
    )


def _at(value: Number | None, low: float, span: float) -> float:
    return px(100 * (float(value or 0) - low) / span)


def _interval(row: RowInput, text: Text) -> str:
    return f"{text(row.low)} … {text(row.high)}" if row.low is not None and row.high is not None else ""


def _row(row: RowInput, low: float, span: float, text: Text, immature: str) -> Row:
    zero, end = _at(0, low, span), _at(row.value or 0, low, span)
    ranged = bool(_interval(row, text))
    mark = f" ({immature})" if row.immature and immature else ""
    return Row(
        name=row.name,
        note=row.note,
        url=row.url,
        text=text(row.value),
        x=min(zero, end),
        width=px(abs(end - zero)),
        low=_at(row.low, low, span) if ranged else None,
        high=_at(row.high, low, span) if ranged else None,
        negative=(row.value or 0) < 0,
        immature=row.immature,
        tip="\n".join(line for line in (f"{row.name}: {text(row.value)}{mark}", _interval(row, text)) if line),
    )


def _cells(row: RowInput, text: Text, immature: str) -> list[str]:
    mark = f" ({immature})" if row.immature and immature else ""
    return [row.name, text(row.value) + mark, _interval(row, text) or "—"]
