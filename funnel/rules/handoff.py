"""Whose hands a step joins, and how two groups of visits are compared within strata. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FEW = 30  # visits in either group; below it the difference says nothing
ENDS = {
    "admin_doctor": ("administrator", "doctor"),
    "doctor_procedure": ("doctor", "doctor"),
    "doctor_curator": ("doctor", "curator"),
    "curator_admin": ("curator", "administrator"),
    "doctor_admin": ("doctor", "administrator"),
}
# Suggested to who sets up the first chain (seed 000: from hand to hand).
USUAL = ("admin_doctor", "doctor_procedure", "doctor_curator", "curator_admin")
HANDS = {"owner": "administrator", "manager": "administrator"}  # leaders stand at the desk when they hand over


def hands_of(role: str) -> str:
    """As whom a person of that role gives and takes the baton."""
    return HANDS.get(role, role)


def given_by(role: str) -> list[str]:
    """Kinds of step that these hands give."""
    return [kind for kind, (giver, _taker) in ENDS.items() if giver == hands_of(role)]


@dataclass(frozen=True)
class Cell:
    """Visits of one stratum and one group. `stratum`: what is held equal; `arm`: with (True) or without."""

    stratum: tuple[int, int]
    arm: bool
    n: int
    hits: int


@dataclass(frozen=True)
class Comparison:
    """Within strata that have both groups. `difference`: share with - share without, weighted by the visits of a
    stratum; None when there is no such stratum. `n1`, `hits1`: with; `n0`, `hits0`: without. `outside`: visits of strata
    that have one group alone."""

    n1: int
    hits1: int
    n0: int
    hits0: int
    strata: int
    outside: int
    difference: float | None

    @property
    def points(self) -> float | None:
        """The difference in points of percent."""
        return None if self.difference is None else 100 * self.difference

    @property
    def little(self) -> bool:
        return min(self.n1, self.n0) < FEW

    @property
    def share1(self) -> float | None:
        return self.hits1 / self.n1 if self.n1 else None

    @property
    def share0(self) -> float | None:
        return self.hits0 / self.n0 if self.n0 else None


def compared(cells: Iterable[Cell]) -> Comparison:
    """Sum of w · (p1 - p0) / sum of w, w = visits of the stratum, over strata with both groups."""
    strata: dict[tuple[int, int], dict[bool, Cell]] = defaultdict(dict)
    for cell in cells:
        strata[cell.stratum][cell.arm] = cell
    both = [(arms[True], arms[False]) for arms in strata.values() if len(arms) == 2]
    outside = sum(cell.n for arms in strata.values() if len(arms) == 1 for cell in arms.values())
    weight = sum(one.n + other.n for one, other in both)
    gain = sum((one.n + other.n) * (one.hits / one.n - other.hits / other.n) for one, other in both)
    return Comparison(
        *_sums([one for one, _other in both]),
        *_sums([other for _one, other in both]),
        len(both),
        outside,
        gain / weight if weight else None,
    )


def _sums(cells: Sequence[Cell]) -> tuple[int, int]:
    return sum(cell.n for cell in cells), sum(cell.hits for cell in cells)
