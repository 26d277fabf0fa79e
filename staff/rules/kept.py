"""A form that was sent on a locked screen: what is kept of it in the person's own session until he has unlocked it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

KEPT = "kept"
LARGEST = 100_000  # characters of names and values
SECONDS = 3600
# Secrets are never kept: neither passwords nor codes, and the token of the old page is made anew.
SECRET = frozenset({"csrfmiddlewaretoken", "password", "old", "new", "again", "code"})
Pairs = list[tuple[str, str]]


def keep(
    session: Any, *, address: str, back: str, fields: Iterable[tuple[str, list[str]]], files: bool, now: int
) -> None:
    """Keeps the newest form only. `back`: the page that it stood on. What is longer than LARGEST is not kept."""
    pairs = [[name, value] for name, values in fields if name not in SECRET for value in values]
    if len(json.dumps(pairs, ensure_ascii=False)) <= LARGEST:
        session[KEPT] = {"address": address, "back": back, "pairs": pairs, "files": files, "at": now}


def kept_form(session: Mapping[str, Any], now: int) -> dict[str, Any] | None:
    """{address, back, pairs, files, at} or None when there is none, or it is an hour old."""
    found: dict[str, Any] | None = session.get(KEPT)
    return found if found and now - found["at"] <= SECONDS else None


def forget(session: Any, address: str = "") -> None:
    """Drops what is kept; with `address` only when it was meant for that one (it is being sent again now)."""
    found = session.get(KEPT)
    if found and address in ("", found["address"]):
        del session[KEPT]
