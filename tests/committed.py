"""For tests that need real commits (threads, the order of transactions): the database as it was comes back afterwards.

Django's own way (flush) cannot be used: the append-only triggers refuse to delete, and the migrations' rows would go.
"""

from __future__ import annotations

import atexit
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from django.db import connection, transaction

SEQUENCES = """SELECT quote_ident(t.relname), quote_ident(a.attname),
        pg_get_serial_sequence(quote_ident(t.relname), a.attname)
    FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attidentity <> ''
    WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace"""


@contextmanager
def restored() -> Iterator[None]:
    """Everything that the block commits is gone after it."""
    _need_test_database()
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        copy = sqlite3.connect(":memory:")
        connection.connection.backup(copy)
        try:
            yield
        finally:
            copy.backup(connection.connection)
        return
    seed = _copied()
    try:
        yield
    finally:
        _put_back(seed)


def _need_test_database() -> None:
    """pytest-django makes the test database only when a test with its mark is selected. Danger: without this, a run of
    nothing but tests that commit would empty the developer's own database.
    """
    name = str(connection.settings_dict["NAME"])
    if name.startswith("test_") or "memory" in name:
        return
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    atexit.register(connection.creation.destroy_test_db, name, verbosity=0)


def _copied() -> dict[str, str]:
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            out = StringIO()
            cursor.copy_expert(f'COPY "{table}" TO STDOUT', out)
            found[table] = out.getvalue()
    return found


def _put_back(seed: dict[str, str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(f'{chr(34)}{table}{chr(34)}' for table in seed)} CASCADE")
        for table, rows in seed.items():
            cursor.copy_expert(f'COPY "{table}" FROM STDIN', StringIO(rows))
        cursor.execute(SEQUENCES)
        for table, column, sequence in cursor.fetchall():
            cursor.execute(f"SELECT setval('{sequence}', GREATEST((SELECT MAX({column}) FROM {table}), 1))")
