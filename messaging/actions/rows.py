"""One UPDATE for many rows that each get values of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

# What PostgreSQL must be told, for in VALUES a column of nothing but NULL or text is text.
MOMENTS = ("not_before", "next_check_at", "unsure_at", "lease_until", "decided_at")
NUMBERS = ("cap_used", "cap")
CASTS = {"variables": "jsonb", **dict.fromkeys(MOMENTS, "timestamptz"), **dict.fromkeys(NUMBERS, "smallint")}


def update_each(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, guard: str, **more: str) -> int:
    """`rows` = (id, attempt, value, …). Sets `columns` where id and attempt agree and `guard` (SQL on `m`) holds.

    None keeps what is there. `more` = further assignments in SQL. Returns the number of rows changed.
    """
    if not rows:
        return 0
    sets = [f"{name} = COALESCE({_value(name, at)}, m.{name})" for at, name in enumerate(columns, start=3)]
    sets += [f"{name} = {sql}" for name, sql in more.items()]
    line = "(" + ", ".join(["%s"] * (len(columns) + 2)) + ")"
    values = ", ".join([line] * len(rows))
    statement = (
        f"UPDATE messaging_message AS m SET {', '.join(sets)} FROM (VALUES {values}) AS v "  # noqa: S608 - names are ours
        f"WHERE m.id = v.column1 AND m.attempt = v.column2 AND {guard}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_adapted(value) for row in rows for value in row])
        return int(cursor.rowcount)


def _value(name: str, at: int) -> str:
    if connection.vendor == "postgresql" and name in CASTS:
        return f"CAST(v.column{at} AS {CASTS[name]})"
    return f"v.column{at}"


def _adapted(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def states(allowed: Sequence[str]) -> str:
    return "m.state IN (" + ", ".join(f"'{state}'" for state in allowed) + ")"
