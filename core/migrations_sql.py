"""Migrations whose SQL differs between PostgreSQL and SQLite."""

from __future__ import annotations

from typing import Any

from django.db.migrations import RunPython
from django.db.migrations.operations.base import Operation


def vendor_sql(
    postgresql: list[str] | None = None, sqlite: list[str] | None = None, undo: dict[str, list[str]] | None = None
) -> Operation:
    """One operation that runs the statements of the database at hand; `undo` = {"postgresql": [...], "sqlite": [...]}."""
    forward = {"postgresql": postgresql or [], "sqlite": sqlite or []}

    def run(statements: dict[str, list[str]]) -> Any:
        def execute(apps: Any, schema_editor: Any) -> None:
            for statement in statements.get(schema_editor.connection.vendor, []):
                schema_editor.execute(statement, None)

        return execute

    return RunPython(run(forward), run(undo or {}), elidable=False)
