"""One UPDATE for many rows that each get values of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from core.sql import on_postgresql
from messaging.models import Message

KEY = ("id", "attempt")


def update_each(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    guard: str,
    same: Mapping[str, Any] | None = None,
    **more: str,
) -> int:
    """`rows` = (id, attempt, value, …). Sets `columns` where id and attempt agree and `guard` (SQL on `m`) holds.

    None keeps what is there. `same` = what every row gets; `more` = further assignments in SQL. Returns the number of
    rows changed.
    """
    if not rows:
        return 0
    shared = {name: _written(value) for name, value in (same or {}).items()}
    sets = [f"{name} = COALESCE(v.{name}, m.{name})" for name in columns]
    sets += [f"{name} = %s" for name in shared]
    sets += [f"{name} = {sql}" for name, sql in more.items()]
    names = [*KEY, *columns]
    statement = (
        f"UPDATE messaging_message AS m SET {', '.join(sets)} FROM {_source(names)} "  # noqa: S608 - names are ours
        f"WHERE m.id = v.id AND m.attempt = v.attempt AND {guard}"
    )
    # One parameter for all rows: as VALUES they were thousands of constants, each to be escaped, parsed and planned.
    said = json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False, default=_written)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*shared.values(), said])
        return int(cursor.rowcount)


def _source(names: Sequence[str]) -> str:
    """The rows of one JSON parameter as a table `v`."""
    if on_postgresql():
        typed = ", ".join(f"{name} {Message._meta.get_field(name).db_type(connection)}" for name in names)
        return f"json_to_recordset(%s) AS v({typed})"
    taken = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in names)
    return f"(SELECT {taken} FROM json_each(%s)) AS v"  # noqa: S608


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return str(connection.ops.adapt_datetimefield_value(value))
    return value


def states(allowed: Sequence[str]) -> str:
    return "m.state IN (" + ", ".join(f"'{state}'" for state in allowed) + ")"
