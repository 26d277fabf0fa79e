"""Lines over time, with an optional band (an interval or a target corridor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.charts import scale as sc
from core.charts.scale import Number, Series


@dataclass(frozen=True)
class Band:
    """A corridor between two rows of values, as long as the labels; None leaves a gap."""

    name: str
    low: Sequence[Number | None]
    high: Sequence[Number | None]


@dataclass(frozen=True)
class Dot:
    """A value worth a dot: the latest, a lonely one, or an immature one (drawn hollow)."""

    x: float
    y: float
    hollow: bool


@dataclass(frozen=True)
class Line:
    """``path`` is solid, ``dashed`` leads to immature values; both are SVG path data or empty."""

    name: str
    tone: int
    path: str
    dashed: str
    dots: Sequence[Dot]


@dataclass(frozen=True)
class LineChart:
    """Everything that components/charts/line.html draws."""

    height: int
    margin: int
    floor: float
    ticks: Sequence[sc.Tick]
    labels: Sequence[sc.Label]
    lines: Sequence[Line]
    band: str
    keys: Sequence[sc.Key]
    band_name: str
    hits: Sequence[sc.Hit]
    table: sc.Table
    empty: bool
    has_immature: bool


def line_chart(
    texts: Sequence[str],
    series: Sequence[Series],
    *,
    band: Band | None = None,
    height: int = 240,
    text: sc.Text = sc.plain,
    tick: sc.Text | None = None,
    corner: str = "",
    immature: str = "",
    from_zero: bool = True,
) -> LineChart:
    """Lines through ``series`` over ``texts``. ``text`` writes a value, ``tick`` one on the axis.

    ``corner`` heads the table's first column, ``immature`` is the word that marks incomplete values.
    """
    sides = _sides(band)
    sc.checked(texts, [*series, *sides])
    values = [value for one in [*series, *sides] for value in one.values]
    grid = sc.scale_of(values, height, from_zero=from_zero)
    ticks = grid.ticks(tick or text)
    xs = sc.middles(len(texts))
    return LineChart(
        height=height,
        margin=sc.margin_of(ticks),
        floor=sc.floor_of(height),
        ticks=ticks,
        labels=sc.labels_of(texts),
        lines=[_line(one, tone, xs, grid) for tone, one in enumerate(series, 1)],
        band=_corridor(band, xs, grid) if band else "",
        band_name=band.name if band else "",
        keys=[sc.Key(one.name, tone) for tone, one in enumerate(series, 1)],
        hits=sc.hits_of(texts, [*series, *sides], text, immature),
        table=sc.table_of(corner, texts, [*series, *sides], text, immature),
        empty=all(value is None for one in series for value in one.values),
        has_immature=any(one.immature for one in series),
    )


def _sides(band: Band | None) -> list[Series]:
    """The band's two edges as series, for the scale, the tips and the table."""
    return [Series(f"{band.name}, ↓", band.low), Series(f"{band.name}, ↑", band.high)] if band else []


def runs(values: Sequence[Number | None]) -> list[list[int]]:
    """Indexes of the known values in unbroken runs: ``[1, None, 2, 3]`` -> ``[[0], [2, 3]]``."""
    found: list[list[int]] = []
    for index, value in enumerate(values):
        if value is None:
            continue
        if index and values[index - 1] is not None:
            found[-1].append(index)
        else:
            found.append([index])
    return found


def _y(values: Sequence[Number | None], index: int, grid: sc.Scale) -> float:
    """The height of a value that ``runs`` found known."""
    return grid.y(values[index] or 0)


def path_of(points: Sequence[tuple[float, float]]) -> str:
    """``M x y L x y …``"""
    return " ".join(f"{'L' if number else 'M'}{x:g} {y:g}" for number, (x, y) in enumerate(points))


def _line(series: Series, tone: int, xs: Sequence[float], grid: sc.Scale) -> Line:
    solid: list[str] = []
    dashed: list[str] = []
    dots: list[Dot] = []
    for run in runs(series.values):
        points = {index: (xs[index], _y(series.values, index, grid)) for index in run}
        ripe = [index for index in run if index not in series.immature]
        solid += [path_of([points[index] for index in part]) for part in _neighbours(ripe) if len(part) > 1]
        dashed += [path_of([points[one], points[one + 1]]) for one in run[:-1] if {one, one + 1} & series.immature]
        shown = [index for index in run if index in series.immature or len(run) == 1]
        dots += [Dot(*points[index], hollow=index in series.immature) for index in shown]
    return Line(series.name, tone, " ".join(solid), " ".join(dashed), dots + _latest(series, xs, grid))


def _neighbours(indexes: Sequence[int]) -> list[list[int]]:
    """Split where an index is skipped: ``[0, 1, 3]`` -> ``[[0, 1], [3]]``."""
    parts: list[list[int]] = []
    for index in indexes:
        if parts and parts[-1][-1] == index - 1:
            parts[-1].append(index)
        else:
            parts.append([index])
    return parts


def _latest(series: Series, xs: Sequence[float], grid: sc.Scale) -> list[Dot]:
    """A dot on the last ripe value, unless it stands alone and has one already."""
    ripe = [i for i, value in enumerate(series.values) if value is not None and i not in series.immature]
    if not ripe or [ripe[-1]] in runs(series.values):
        return []
    return [Dot(xs[ripe[-1]], _y(series.values, ripe[-1], grid), hollow=False)]


def _corridor(band: Band, xs: Sequence[float], grid: sc.Scale) -> str:
    """Closed shapes between the two edges, one for each run where both are known."""
    both = [low if high is not None else None for low, high in zip(band.low, band.high, strict=True)]
    shapes = []
    for run in runs(both):
        over = [(xs[index], _y(band.high, index, grid)) for index in run]
        under = [(xs[index], _y(band.low, index, grid)) for index in reversed(run)]
        shapes.append(path_of([*over, *under]) + " Z")
    return " ".join(shapes)
