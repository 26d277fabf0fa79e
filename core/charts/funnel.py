"""The funnel: stages from the widest to the narrowest, and what is lost between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.charts.scale import Number, Table, Text, plain, px


@dataclass(frozen=True)
class StageInput:
    """A stage as counted: ``reason`` is the chief cause of the loss on the way to it; urls are optional."""

    name: str
    value: int | None
    immature: bool = False
    reason: str = ""
    url: str = ""
    lost_url: str = ""


@dataclass(frozen=True)
class Stage:
    """A drawn stage: widths in % of the widest stage; shares as text; ``lost`` is empty at the first."""

    name: str
    url: str
    text: str
    width: float
    before: float
    immature: bool
    step: str
    total: str
    lost: str
    lost_url: str
    reason: str


@dataclass(frozen=True)
class Funnel:
    """Everything that components/charts/funnel.html draws."""

    stages: Sequence[Stage]
    table: Table
    empty: bool
    has_immature: bool


def funnel_chart(
    stages: Sequence[StageInput],
    *,
    text: Text = plain,
    share: Text = plain,
    head: Sequence[str] = ("", "", "", "", "", ""),
    immature: str = "",
) -> Funnel:
    """Bars against the largest stage; conversion to each stage from the one before and from the first.

    ``head`` names the table's six columns: stage, count, from the one before, from the first, lost, reason.
    A stage may be larger than the one before (walk-ins join late): then nothing is lost there.
    """
    widest = max((stage.value or 0 for stage in stages), default=0)
    drawn = [_stage(stages, index, widest, text, share) for index in range(len(stages))]
    return Funnel(
        stages=drawn,
        table=Table(list(head), [_row(stage, immature) for stage in drawn]),
        empty=widest == 0,
        has_immature=any(stage.immature for stage in stages),
    )


def ratio(part: int | None, whole: int | None) -> Decimal | None:
    """part / whole, or None when either is unknown or the whole is zero."""
    return Decimal(part) / Decimal(whole) if part is not None and whole else None


def _stage(stages: Sequence[StageInput], index: int, widest: int, text: Text, share: Text) -> Stage:
    stage = stages[index]
    before = stages[index - 1].value if index else None
    lost = before - stage.value if before is not None and stage.value is not None else 0
    return Stage(
        name=stage.name,
        url=stage.url,
        text=text(stage.value),
        immature=stage.immature,
        width=_width(stage.value, widest),
        before=_width(before, widest),
        step=share(ratio(stage.value, before)) if index else "",
        total=share(ratio(stage.value, stages[0].value)) if index else "",
        lost=text(lost) if lost > 0 else "",
        lost_url=stage.lost_url,
        reason=stage.reason,
    )


def _width(value: Number | None, widest: int) -> float:
    return px(100 * float(value) / widest) if value and widest else 0.0


def _row(stage: Stage, immature: str) -> list[str]:
    mark = f" ({immature})" if stage.immature and immature else ""
    return [
        stage.name + mark,
        stage.text,
        stage.step or "—",
        stage.total or "—",
        stage.lost or "—",
        stage.reason or "—",
    ]
