"""Who may give which role: nobody raises anybody, himself included, above his own."""

from __future__ import annotations

from staff.access import MANAGER, OWNER, Actor
from staff.models import Role

RANK = {OWNER: 2, MANAGER: 1}


def rank(role: str) -> int:
    return RANK.get(role, 0)


def reaches(by: Actor, role: str) -> bool:
    """Whether `by` stands at least as high as `role`: may give it, may change those who have it."""
    return by.kind == "system" or rank(by.role) >= rank(role)


def roles_to_give(by: Actor) -> list[tuple[str, str]]:
    """Choices for a form. A person never gets the role of a machine."""
    return [(value, str(label)) for value, label in Role.choices if reaches(by, value) and value != Role.INTEGRATION]
