"""Rows into tables by the fastest way of the database at hand: COPY on PostgreSQL, executemany on SQLite.

Every function is one or two statements, however many rows there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import RawSQL

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
PIECE = 1000
WORDY = {str, type(None), dict, list}  # what does not stand in COPY's text as Python writes it
# The sequence's name is looked up once (OFFSET 0 keeps it out of the loop): looking it up for every id costs ten times.
SEQUENCE = """SELECT array_agg(nextval(s.name)) FROM
(SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name OFFSET 0) s, generate_series(1, %s)"""


def on_postgresql() -> bool:
    return connection.vendor == "postgresql"


def among(values: Iterable[Any], kind: str = "text") -> RawSQL:
    """For `filter(column__in=among(values))`: one parameter, whatever the number of values. `kind`: text or bigint."""
    keys = [value for value in values if value is not None]
    if on_postgresql():
        return RawSQL(f"SELECT unnest(%s::{kind}[])", [array_text(keys)])  # noqa: S611 the kind is ours
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(keys)])


def check_references() -> None:
    """Foreign keys of what was written are checked now, not at COMMIT. Raises IntegrityError.

    At COMMIT they would be checked while the chain head of the audit log is locked: a third of a batch's time in which
    no other writer gets on. (SQLite's writers queue anyway.)
    """
    if on_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def ids_as_rows(ids: Iterable[int]) -> tuple[str, str]:
    """(SELECT of one column `id`, its parameter): own ids as a table to join with."""
    if on_postgresql():
        return "SELECT unnest(%s::bigint[]) AS id", array_text(list(ids))
    return "SELECT value AS id FROM json_each(%s)", json.dumps(list(ids))


def array_text(keys: list[Any]) -> str:
    """A PostgreSQL array in one literal: a list of thousands as a parameter would be parsed key by key, five times
    slower. Texts are quoted, so that `NULL`, commas and braces in an external id stay text.
    """
    if keys and type(keys[0]) is str:
        escaped = (key.replace("\\", "\\\\").replace('"', '\\"') for key in keys) if _odd(keys) else keys
        return '{"' + '","'.join(escaped) + '"}'
    return "{" + ",".join(map(str, keys)) + "}"


def _odd(keys: list[str]) -> bool:
    joined = "".join(keys)
    return '"' in joined or "\\" in joined


def new_ids(model: type[Model], count: int) -> list[int]:
    """`count` fresh ids of the table. On SQLite the write lock is held since BEGIN, so nobody else takes them."""
    table = model._meta.db_table
    if not count:
        return []
    with connection.cursor() as cursor:
        if on_postgresql():
            cursor.execute(SEQUENCE, [table, count])
            return list(cursor.fetchone()[0])
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
    first = (row[0] if row else 0) + 1
    return list(range(first, first + count))


def insert(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """New rows; `columns` are attribute names."""
    if not rows:
        return
    table, names = model._meta.db_table, [column_of(model, name) for name in columns]
    with connection.cursor() as cursor:
        if on_postgresql():
            _copy(cursor, table, names, rows)
        else:
            marks = ", ".join(["%s"] * len(names))
            cursor.executemany(f"INSERT INTO {table} ({_listed(names)}) VALUES ({marks})", _adapted(rows))  # noqa: S608


def update(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Set `columns` of existing rows; each row is (*values, id)."""
    if not rows or not columns:
        return
    table, names = model._meta.db_table, [column_of(model, name) for name in columns]
    with connection.cursor() as cursor:
        if not on_postgresql():
            sets = ", ".join(f'"{name}" = %s' for name in names)
            cursor.executemany(f"UPDATE {table} SET {sets} WHERE id = %s", _adapted(rows))  # noqa: S608
            return
        stage, sets = f"stage_{table}", ", ".join(f'"{name}" = s."{name}"' for name in names)
        listed = _listed([*names, "id"])
        cursor.execute(f"CREATE TEMP TABLE {stage} ON COMMIT DROP AS SELECT {listed} FROM {table} LIMIT 0")  # noqa: S608
        _copy(cursor, stage, [*names, "id"], rows)
        cursor.execute(f"UPDATE {table} t SET {sets} FROM {stage} s WHERE t.id = s.id")  # noqa: S608
        cursor.execute(f"DROP TABLE {stage}")


def column_of(model: type[Model], attname: str) -> str:
    return str(next(field.column for field in model._meta.concrete_fields if field.attname == attname))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _copy(cursor: Any, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    for name, values in list(columns.items()):
        if values[0] is None and values.count(None) == len(values):
            del columns[name]  # NULL is what a column gets that is not named
    with connection.wrap_database_errors:  # Django wraps execute() only: a deadlock would come through bare
        cursor.copy_expert(f"COPY {table} ({_listed([*columns])}) FROM STDIN", Lines([*columns.values()]))


class Lines:
    """COPY's text of the rows, a piece at a time: while the server stores one piece, the next is made."""

    def __init__(self, columns: Sequence[tuple[Any, ...]]) -> None:
        self.columns, self.starts = columns, iter(range(0, len(columns[0]), PIECE))

    def read(self, _size: int = -1) -> str:
        start = next(self.starts, None)
        if start is None:
            return ""
        columns = [_copy_column(column[start : start + PIECE]) for column in self.columns]
        return "\n".join(map("\t".join, zip(*columns, strict=True))) + "\n"


def _copy_column(values: tuple[Any, ...]) -> Sequence[str]:
    """COPY's text of one column. Whole columns at a time: most are all numbers, all plain text, or all the same."""
    first = values[0]
    if values[-1] == first and values.count(first) == len(values):
        return [_copy_text(first)] * len(values)
    kinds = set(map(type, values))
    if kinds == {str}:
        joined = "".join(values)
        return values if joined.isprintable() and "\\" not in joined else list(map(_copy_text, values))
    return list(map(str, values)) if not kinds & WORDY else list(map(_copy_text, values))


def _copy_text(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, (dict, list)):
        value = json.dumps(value)
    return value.translate(ESCAPES) if type(value) is str else str(value)


def _adapted(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[_sqlite_value(value) for value in row] for row in rows]


def _sqlite_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, date) else value
