"""Arithmetic of the product ladder: steps in order, the transition matrix, the usual time on a step (R37-R43)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

LADDER = ("lead_magnet", "tripwire", "core", "maximizer", "return")  # bottom to top; `other` stands beside it
NONE = "none"
PLACE = {tier: place for place, tier in enumerate(LADDER)}
USUAL_SHARE = Fraction(3, 4)
FEW = 30  # fewer ways up than this say nothing of what is usual


@dataclass(frozen=True)
class Step:
    """One way of the matrix. `days`: how long each person took, sorted; empty for `none`."""

    earlier: str
    later: str
    count: int
    share: Fraction
    days: tuple[int, ...]

    @property
    def median(self) -> int | None:
        return nearest_rank(self.days, Fraction(1, 2))


def nearest_rank(values: tuple[int, ...], q: Fraction) -> int | None:
    """Sorted value number ceil(q*n) (metrics.md 1); None of nothing."""
    return values[-(-q.numerator * len(values) // q.denominator) - 1] if values else None


def matrix(ways: Iterable[tuple[str, str, int | None, int]]) -> dict[str, list[Step]]:
    """Rows by the step left, from (earlier, later or `none`, days, people). The shares of a row sum to 1."""
    found: dict[tuple[str, str], list[tuple[int | None, int]]] = {}
    for earlier, later, days, people in ways:
        found.setdefault((earlier, later), []).append((days, people))
    return {tier: row for tier in LADDER if (row := _row(tier, found))}


def _row(tier: str, found: Mapping[tuple[str, str], list[tuple[int | None, int]]]) -> list[Step]:
    parts = {later: found[tier, later] for later in (*LADDER, NONE) if (tier, later) in found}
    whole = sum(people for part in parts.values() for _days, people in part)
    return [_step(tier, later, part, whole) for later, part in parts.items()]


def _step(tier: str, later: str, part: list[tuple[int | None, int]], whole: int) -> Step:
    count = sum(people for _days, people in part)
    days = sorted(day for day, people in part if day is not None for _one in range(people))
    return Step(tier, later, count, Fraction(count, whole), tuple(days))


def usual_days(steps: Iterable[Step], setting: int) -> int:
    """The time within which three of four who went on from a step did so; the setting while there are few."""
    days = tuple(sorted(day for step in steps for day in step.days))
    found = nearest_rank(days, USUAL_SHARE) if len(days) >= FEW else None
    return setting if found is None else found
