"""Who goes first when the budget or the hour is short: what a message is for decides (beyond.md 9)."""

from __future__ import annotations

from messaging.models.outbox import Priority
from patients.models.contact import ADVERTISES, Purpose

PRIORITIES = {
    Purpose.SERVICE.value: Priority.REMINDER,
    Purpose.FEEDBACK.value: Priority.FEEDBACK,
    **dict.fromkeys(ADVERTISES, Priority.PROMOTION),
}
# A service message alone may be of another kind than most: medical, or one that can wait like a question.
OTHERWISE = {Purpose.SERVICE.value: (Priority.MEDICAL, Priority.FEEDBACK)}


class WrongPriority(ValueError):
    """An advertisement that would go before a reminder."""


def priority_of(purpose: str, wanted: int | None = None) -> int:
    """Of a message of that purpose; `wanted`, where the purpose allows it. Raises WrongPriority."""
    usual = PRIORITIES.get(purpose, Priority.REMINDER)
    if wanted is not None and wanted not in (usual, *OTHERWISE.get(purpose, ())):
        raise WrongPriority(f"{purpose}: {wanted}")
    return int(usual if wanted is None else wanted)
