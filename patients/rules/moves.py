"""What may happen to an appointment, from which status: one table for every door."""

from __future__ import annotations

from collections.abc import Mapping

SCHEDULED, ARRIVED, COMPLETED, NO_SHOW = "scheduled", "arrived", "completed", "no_show"
CANCELLED = frozenset({"cancelled_patient", "cancelled_clinic"})

# move -> statuses that it starts from. What is not here is not allowed.
MOVES: Mapping[str, frozenset[str]] = {
    "confirm": frozenset({SCHEDULED}),
    "arrive": frozenset({SCHEDULED, NO_SHOW}),  # who was written off may still come in late
    "finish": frozenset({SCHEDULED, ARRIVED}),
    "no_show": frozenset({SCHEDULED}),
    "move": frozenset({SCHEDULED}),
    "cancel": frozenset({SCHEDULED, ARRIVED}),
    "reopen": frozenset({ARRIVED, NO_SHOW}) | CANCELLED,  # a slip of the finger is put right
}


def allowed(move: str, status: str) -> bool:
    return status in MOVES[move]


def moves_from(status: str) -> frozenset[str]:
    """Names of everything that may happen next: what a page offers as buttons."""
    return frozenset(move for move, statuses in MOVES.items() if status in statuses)
