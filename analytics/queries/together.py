"""Several questions over the same names in one statement: what they share is worked out once."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.sql import on_postgresql
from patients.metrics import Scope

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Asked:
    """A question with the names of its columns, the CTEs that it adds and the values of its templates."""

    text: str
    columns: tuple[str, ...]
    ctes: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def ask_together(scope: Scope, questions: Mapping[str, Asked]) -> dict[str, Rows]:
    """{name: rows}. CTEs and values of the same name must be the same: they are shared. Counts and sums come as int."""
    build = "json_build_object" if on_postgresql() else "json_object"
    parts: list[str] = []
    ctes: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, asked in questions.items():
        pairs = ", ".join(f"'{column}', {column}" for column in asked.columns)
        parts.append(f"SELECT '{name}' AS part, CAST({build}({pairs}) AS TEXT) AS line FROM ({asked.text}) q_{name}")
        ctes |= asked.ctes
        values |= asked.values
    found: dict[str, Rows] = {name: [] for name in questions}
    for row in scope.ask(" UNION ALL ".join(parts), ctes, **values):
        found[row["part"]].append(json.loads(row["line"]))
    return found
