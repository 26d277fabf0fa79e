"""Upright bars: side by side, or one on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.charts import scale as sc
from core.charts.scale import Number, Series

SHARE = 0.68  # of a band is bar, the rest is air
WIDEST = 8.0  # % of the plot: three bars must not become three walls


@dataclass(frozen=True)
class Bar:
    """A rectangle: ``x`` and ``width`` in %, ``y`` and ``height`` in px."""

    x: float
    width: float
    y: float
    height: float
    tone: int
    immature: bool


@dataclass(frozen=True)
class BarChart:
    """Everything that components/charts/bars.html draws, for grouped and stacked bars alike."""

    height: int
    margin: int
    floor: float
    ticks: Sequence[sc.Tick]
    labels: Sequence[sc.Label]
    bars: Sequence[Bar]
    keys: Sequence[sc.Key]
    hits: Sequence[sc.Hit]
    table: sc.Table
    empty: bool
    has_immature: bool


@dataclass(frozen=True)
class Words:
    """How a chart writes: a value, a value on the axis, the table's corner, the mark of immature values."""

    text: sc.Text
    tick: sc.Text
    corner: str
    immature: str


def bar_chart(
    texts: Sequence[str],
    series: Sequence[Series],
    *,
    height: int = 240,
    text: sc.Text = sc.plain,
    tick: sc.Text | None = None,
    corner: str = "",
    immature: str = "",
) -> BarChart:
    """A group of bars over each label, one for each series; negative bars hang from zero."""
    sc.checked(texts, series)
    grid = sc.scale_of([value for one in series for value in one.values], height)
    bars = [bar for index, x in enumerate(sc.middles(len(texts))) for bar in _group(series, index, x, len(texts), grid)]
    return _chart(texts, series, grid, bars, Words(text, tick or text, corner, immature))


def stacked_chart(
    texts: Sequence[str],
    series: Sequence[Series],
    *,
    height: int = 240,
    text: sc.Text = sc.plain,
    tick: sc.Text | None = None,
    corner: str = "",
    immature: str = "",
) -> BarChart:
    """One bar over each label, the series' parts on one another; negative parts grow downwards."""
    sc.checked(texts, series)
    sums = [edge for index in range(len(texts)) for edge in _edges(series, index)]
    grid = sc.scale_of(sums, height)
    bars = [bar for index, x in enumerate(sc.middles(len(texts))) for bar in _stack(series, index, x, len(texts), grid)]
    return _chart(texts, series, grid, bars, Words(text, tick or text, corner, immature))


def _chart(
    texts: Sequence[str], series: Sequence[Series], grid: sc.Scale, bars: Sequence[Bar], words: Words
) -> BarChart:
    ticks = grid.ticks(words.tick)
    return BarChart(
        height=grid.height,
        margin=sc.margin_of(ticks),
        floor=sc.floor_of(grid.height),
        ticks=ticks,
        labels=sc.labels_of(texts),
        bars=bars,
        keys=[sc.Key(one.name, tone) for tone, one in enumerate(series, 1)],
        hits=sc.hits_of(texts, series, words.text, words.immature),
        table=sc.table_of(words.corner, texts, series, words.text, words.immature),
        empty=all(value is None for one in series for value in one.values),
        has_immature=any(one.immature for one in series),
    )


def bar_width(bands: int, a_band: int = 1) -> float:
    """Width in % of one bar when ``bands`` labels carry ``a_band`` bars each."""
    return min(100 / bands * SHARE / a_band, WIDEST)


def upright(
    x: float, width: float, ends: tuple[Number, Number], grid: sc.Scale, *, tone: int, immature: bool = False
) -> Bar:
    """A bar between two values, whichever is higher."""
    top, foot = sorted(grid.y(end) for end in ends)
    return Bar(sc.px(x), sc.px(width), top, sc.px(foot - top), tone, immature)


def _group(series: Sequence[Series], index: int, middle: float, bands: int, grid: sc.Scale) -> list[Bar]:
    width = bar_width(bands, len(series))
    left = middle - width * len(series) / 2
    drawn = width * 0.92 if len(series) > 1 else width
    return [
        upright(left + width * place, drawn, (0, value), grid, tone=place + 1, immature=index in one.immature)
        for place, one in enumerate(series)
        if (value := one.values[index]) is not None
    ]


def _edges(series: Sequence[Series], index: int) -> tuple[float, float]:
    """Sum of the negative parts and of the positive parts of one bar."""
    parts = [float(one.values[index] or 0) for one in series]
    return sum(part for part in parts if part < 0), sum(part for part in parts if part > 0)


def _stack(series: Sequence[Series], index: int, middle: float, bands: int, grid: sc.Scale) -> list[Bar]:
    width = bar_width(bands)
    up = down = 0.0
    bars = []
    for tone, one in enumerate(series, 1):
        value = float(one.values[index] or 0)
        start = up if value > 0 else down
        if value:
            ends = (start, start + value)
            bars.append(upright(middle - width / 2, width, ends, grid, tone=tone, immature=index in one.immature))
        up, down = (start + value, down) if value > 0 else (up, start + value)
    return bars
