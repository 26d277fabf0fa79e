"""What all charts share: the value scale, its ticks, the labels across, the table under the drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

Number = int | float | Decimal
Text = Callable[[Number | None], str]

TOP = 12  # px above the highest tick, so that a stroke or a dot is not cut
BOTTOM = 28  # px under the lowest tick, for the labels across
ROOMS = (16, 8, 5)  # how many labels a wide, a middling and a narrow chart holds side by side


@dataclass(frozen=True)
class Series:
    """One named row of values; ``immature`` holds the indexes whose window has not fully passed."""

    name: str
    values: Sequence[Number | None]
    immature: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Key:
    """An entry of the legend; ``tone`` is 1 to 6, the CSS class ``tone-1`` …"""

    name: str
    tone: int


@dataclass(frozen=True)
class Tick:
    """A line across the plot at ``y`` px with its text in the margin."""

    y: float
    text: str
    zero: bool = False


@dataclass(frozen=True)
class Label:
    """A label under the plot at ``x`` %; the flags say in charts of which width there is room for it."""

    x: float
    text: str
    wide: bool = True
    middle: bool = True
    narrow: bool = True


@dataclass(frozen=True)
class Hit:
    """An invisible column over one label: ``x`` and ``width`` in %, ``tip`` is what it says."""

    x: float
    width: float
    tip: str


@dataclass(frozen=True)
class Table:
    """The same figures for those who would rather read: texts, ready to print."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def plain(value: Number | None) -> str:
    """The text of a value when the caller gives no format."""
    return "—" if value is None else str(value)


def px(value: float) -> float:
    """A coordinate short enough for markup, never written as -0.0."""
    return round(value, 2) + 0.0


def nice_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 5 x 10^k that covers ``span`` in at most ``count`` steps."""
    raw = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= raw * 0.999999)


def nice_range(low: float, high: float, count: int = 5) -> list[float]:
    """Round values from at or below ``low`` to at or above ``high``; always at least two."""
    if high <= low:
        low, high = (low - abs(low) / 2, high + abs(high) / 2) if low else (0.0, 1.0)
    step = nice_step(high - low, count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


@dataclass(frozen=True)
class Scale:
    """Values to px down a plot of ``height`` px in all."""

    values: Sequence[float]
    height: int

    def y(self, value: Number) -> float:
        """Pixels from the top; the lowest tick stands ``BOTTOM`` px above the lower edge."""
        low, high = self.values[0], self.values[-1]
        room = self.height - TOP - BOTTOM
        return px(TOP + room * (high - float(value)) / (high - low))

    def ticks(self, text: Text) -> list[Tick]:
        return [Tick(self.y(value), text(whole(value)), value == 0) for value in self.values]


def whole(value: float) -> Number:
    """100.0 -> 100, so that formats see integers where there are integers."""
    return int(value) if float(value).is_integer() else value


def scale_of(values: Iterable[Number | None], height: int, *, from_zero: bool = True) -> Scale:
    """A scale that holds all values that are known; zero too, unless told otherwise."""
    known = [float(value) for value in values if value is not None] or [0.0]
    low, high = min(known), max(known)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    return Scale(nice_range(low, high), height)


def margin_of(ticks: Sequence[Tick]) -> int:
    """Width in px of the margin that holds the longest tick text (about 6.5 px a sign at 11 px)."""
    longest = max((len(tick.text) for tick in ticks), default=1)
    return math.ceil(longest * 6.5 / 4) * 4 + 12


def floor_of(height: int) -> float:
    """The y in px of the baseline of the labels under a plot."""
    return px(height - BOTTOM + 18)


def middles(count: int) -> list[float]:
    """The middles of ``count`` equal bands, in %."""
    return [px(100 * (index + 0.5) / count) for index in range(count)]


def labels_of(texts: Sequence[str]) -> list[Label]:
    """Labels thinned for three widths, counted from the end: the latest always stands."""
    count = len(texts)
    steps = [max(1, math.ceil(count / room)) for room in ROOMS]
    return [
        Label(x, text, *((count - 1 - index) % step == 0 for step in steps))
        for index, (x, text) in enumerate(zip(middles(count), texts, strict=True))
    ]


def hits_of(texts: Sequence[str], series: Sequence[Series], text: Text, immature: str) -> list[Hit]:
    """One column a label, telling every series' value there, a line each."""
    width = px(100 / len(texts)) if texts else 0
    return [
        Hit(px(100 * index / len(texts)), width, "\n".join([label, *_said(series, index, text, immature)]))
        for index, label in enumerate(texts)
    ]


def _said(series: Sequence[Series], index: int, text: Text, immature: str) -> list[str]:
    lines = []
    for one in series:
        mark = f" ({immature})" if immature and index in one.immature else ""
        lines.append(f"{one.name}: {text(one.values[index])}{mark}")
    return lines


def table_of(corner: str, texts: Sequence[str], series: Sequence[Series], text: Text, immature: str) -> Table:
    """A row a label, a column a series; immature values carry their mark."""
    rows = []
    for index, label in enumerate(texts):
        marks = [f" ({immature})" if immature and index in one.immature else "" for one in series]
        cells = [text(one.values[index]) + mark for one, mark in zip(series, marks, strict=True)]
        rows.append([label, *cells])
    return Table([corner, *[one.name for one in series]], rows)


def checked(texts: Sequence[str], series: Sequence[Series]) -> None:
    """Every series is as long as the labels; otherwise the drawing would lie by a column."""
    for one in series:
        if len(one.values) != len(texts):
            raise ValueError(f"{one.name}: {len(one.values)} values for {len(texts)} labels")
