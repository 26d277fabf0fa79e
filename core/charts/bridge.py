"""The bridge: how a start becomes an end (start + new + returned − lost = end)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from core.charts import scale as sc
from core.charts.bars import Bar, bar_width, upright
from core.charts.scale import Number

TONES = {"total": 1, "up": 2, "down": 3}


@dataclass(frozen=True)
class Step:
    """One change; ``name`` is its label, ``value`` is negative for a loss."""

    name: str
    value: Number


@dataclass(frozen=True)
class Pier:
    """A bar of the bridge with its text; ``kind`` is total, up or down; ``text_y`` in px."""

    bar: Bar
    kind: str
    x: float
    text: str
    text_y: float


@dataclass(frozen=True)
class Link:
    """The thin line from one bar's end to the next bar's start, ``x`` to ``to`` in %."""

    x: float
    to: float
    y: float


@dataclass(frozen=True)
class Bridge:
    """Everything that components/charts/bridge.html draws."""

    height: int
    margin: int
    floor: float
    ticks: Sequence[sc.Tick]
    labels: Sequence[sc.Label]
    piers: Sequence[Pier]
    links: Sequence[Link]
    hits: Sequence[sc.Hit]
    table: sc.Table
    end: Number
    empty: bool


def bridge_chart(
    start: Step,
    changes: Sequence[Step],
    end_name: str,
    *,
    height: int = 260,
    text: sc.Text = sc.plain,
    signed: sc.Text | None = None,
    tick: sc.Text | None = None,
    corner: str = "",
    figure: str = "",
) -> Bridge:
    """From ``start`` through ``changes`` to their sum, named ``end_name``.

    ``signed`` writes a change with its sign; ``corner`` and ``figure`` head the table's two columns.
    """
    levels = list(accumulate((step.value for step in changes), initial=start.value))
    steps = [start, *changes, Step(end_name, levels[-1])]
    grid = sc.scale_of(levels, height)
    ticks = grid.ticks(tick or text)
    words = _words(steps, text, signed or text)
    piers = _piers(steps, levels, words, grid)
    return Bridge(
        height=height,
        margin=sc.margin_of(ticks),
        floor=sc.floor_of(height),
        ticks=ticks,
        labels=[sc.Label(x, step.name) for x, step in zip(sc.middles(len(steps)), steps, strict=True)],
        piers=piers,
        links=_links(piers, levels, grid),
        end=levels[-1],
        hits=[
            sc.Hit(sc.px(100 * index / len(steps)), sc.px(100 / len(steps)), f"{step.name}: {word}")
            for index, (step, word) in enumerate(zip(steps, words, strict=True))
        ],
        table=sc.Table([corner, figure], [[step.name, word] for step, word in zip(steps, words, strict=True)]),
        empty=not any(levels),
    )


def _words(steps: Sequence[Step], text: sc.Text, signed: sc.Text) -> list[str]:
    """Totals plain, changes with their sign."""
    last = len(steps) - 1
    return [(text if index in (0, last) else signed)(step.value) for index, step in enumerate(steps)]


def _piers(steps: Sequence[Step], levels: Sequence[Number], words: Sequence[str], grid: sc.Scale) -> list[Pier]:
    width = bar_width(len(steps)) * 1.4
    piers = []
    for index, x in enumerate(sc.middles(len(steps))):
        total = index in (0, len(steps) - 1)
        kind = "total" if total else ("up" if steps[index].value >= 0 else "down")
        before = 0 if total else levels[index - 1]
        after = levels[min(index, len(levels) - 1)]
        bar = upright(x - width / 2, width, (before, after), grid, tone=TONES[kind])
        piers.append(Pier(bar, kind, x, words[index], sc.px(bar.y - 6)))
    return piers


def _links(piers: Sequence[Pier], levels: Sequence[Number], grid: sc.Scale) -> list[Link]:
    return [
        Link(sc.px(left.bar.x + left.bar.width), right.bar.x, grid.y(level))
        for left, right, level in zip(piers, piers[1:], levels, strict=False)
    ]
