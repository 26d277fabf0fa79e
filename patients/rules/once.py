"""How one submission of a form is named, for the action that writes it and the page that asks about it."""

from __future__ import annotations


def submission(kind: str, actor_id: int | None, deed: str, key: str) -> dict[str, str]:
    """`actor` and `key` of the IdempotencyRecord: unique together in the database."""
    return {"actor": f"{kind}:{actor_id or 0}"[:40], "key": f"{deed}:{key}"[:120]}
