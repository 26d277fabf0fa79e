"""The sparkline of a tile: one small line, no axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.charts.line import path_of, runs
from core.charts.scale import Number, px

WIDTH = 96  # the drawing's own units, one to a pixel
HEIGHT = 28
PAD = 3


@dataclass(frozen=True)
class Spark:
    """``path`` is the line, ``area`` the shape under it, ``x`` and ``y`` the last known value; px."""

    width: int
    height: int
    path: str
    area: str
    x: float | None
    y: float | None


def sparkline(values: Sequence[Number | None], *, width: int = WIDTH, height: int = HEIGHT) -> Spark:
    """From the lowest to the highest known value; equal values run through the middle."""
    points = _points(values, width, height)
    drawn = [[points[index] for index in run] for run in runs(values)]
    lines = [path_of(run) for run in drawn if len(run) > 1]
    areas = [f"{path_of(run)} L{run[-1][0]:g} {height} L{run[0][0]:g} {height} Z" for run in drawn if len(run) > 1]
    last = points[max(points)] if points else (None, None)
    return Spark(width, height, " ".join(lines), " ".join(areas), *last)


def _points(values: Sequence[Number | None], width: int, height: int) -> dict[int, tuple[float, float]]:
    """Index -> (x, y) of every known value."""
    known = {index: float(value) for index, value in enumerate(values) if value is not None}
    low, high = min(known.values(), default=0.0), max(known.values(), default=0.0)
    step = (width - 2 * PAD) / max(len(values) - 1, 1)
    room = height - 2 * PAD
    share = {index: (value - low) / (high - low) if high > low else 0.5 for index, value in known.items()}
    return {index: (px(PAD + step * index), px(PAD + room * (1 - part))) for index, part in share.items()}
