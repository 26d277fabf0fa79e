"""The heat map of cohorts: a table whose cells are shaded in nine steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.charts.scale import Number, Text, plain

STEPS = 9  # CSS classes heat-0 … heat-8; from DARK on the text turns light
DARK = 5


@dataclass(frozen=True)
class HeatRow:
    """One cohort: its name, its size as text, its values by column; ``immature`` holds column indexes."""

    name: str
    size: str
    values: Sequence[Number | None]
    immature: frozenset[int] = field(default_factory=frozenset)
    url: str = ""


@dataclass(frozen=True)
class Cell:
    """``step`` is 0 to 8, or None for no value; ``tip`` says row, column and value."""

    text: str
    step: int | None
    immature: bool
    tip: str


@dataclass(frozen=True)
class Line:
    """A drawn row."""

    name: str
    size: str
    url: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Heat:
    """Everything that components/charts/heat.html draws; ``low`` and ``high`` are the legend's ends."""

    corner: str
    size_head: str
    columns: Sequence[str]
    rows: Sequence[Line]
    low: str
    high: str
    steps: Sequence[int]
    empty: bool
    has_immature: bool


def heat_map(
    columns: Sequence[str],
    rows: Sequence[HeatRow],
    *,
    text: Text = plain,
    corner: str = "",
    size_head: str = "",
    immature: str = "",
    top: Number | None = None,
) -> Heat:
    """Shade ``rows`` from zero (or the lowest, if below) to the highest value, or to ``top``.

    With one ``top`` two maps can be compared.
    Rows may be shorter than ``columns`` (young cohorts); what is missing stays blank.
    """
    known = [value for row in rows for value in row.values if value is not None]
    low = min([*known, 0], key=float)
    high = top if top is not None else max(known, key=float, default=0)
    return Heat(
        corner=corner,
        size_head=size_head,
        columns=columns,
        steps=range(STEPS),
        low=text(low),
        high=text(high),
        rows=[
            Line(row.name, row.size, row.url, _cells(row, columns, (float(low), float(high)), text, immature))
            for row in rows
        ],
        empty=not known,
        has_immature=any(row.immature for row in rows),
    )


def step_of(value: Number, low: float, high: float) -> int:
    """The shade of a value: 0 at ``low``, 8 at ``high`` and beyond; 0 when there is no spread."""
    if high <= low:
        return 0
    share = (float(value) - low) / (high - low)
    return max(0, min(STEPS - 1, int(share * STEPS)))


def _cells(row: HeatRow, columns: Sequence[str], ends: tuple[float, float], text: Text, immature: str) -> list[Cell]:
    cells = []
    for index, column in enumerate(columns):
        value = row.values[index] if index < len(row.values) else None
        if value is None:
            cells.append(Cell("", None, False, ""))
            continue
        young = index in row.immature
        mark = f" ({immature})" if young and immature else ""
        tip = f"{row.name} · {column}: {text(value)}{mark}"
        cells.append(Cell(text(value), step_of(value, *ends), young, tip))
    return cells
