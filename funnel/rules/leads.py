"""The key of a page of leads: the moment and the id of its last row. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

Key = tuple[datetime, int]
MOST = 2**62


def write_key(key: Key | None) -> str:
    return "" if key is None else f"{key[0].astimezone(UTC).isoformat()}~{key[1]}"


def read_key(text: str) -> Key | None:
    """None for anything that we did not write: a bad key shows the first page."""
    at, _sign, number = text[:80].rpartition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    fits = number.isascii() and number.isdecimal() and int(number) <= MOST and moment.tzinfo is not None
    return (moment, int(number)) if fits else None
