"""The rows from which a figure is made: the same text gives the figure and its drill-down."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.clock import day_number
from patients.metrics.base import Period, Scope


@dataclass(frozen=True)
class Facts:
    """`text`: template of the rows over the names of `base` and of `ctes`. `key`: columns that order the rows, unique.

    `codes`: text columns that hold ids of something with a code, as {column: what}: {"grp": "channel"}.
    """

    scope: Scope
    text: str
    key: tuple[str, ...]
    ctes: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def ask(self, question: str) -> list[dict[str, Any]]:
        """Answer of a question over the name `fact`."""
        return self.scope.ask(question, self.ctes | {"fact": self.text}, **self.values)

    def page(self, after: Sequence[int | str] | None, size: int) -> list[dict[str, Any]]:
        """At most `size` rows after the key `after`, each with `patient`: the code of its canonical patient."""
        names = ", ".join(f"f.{name}" for name in self.key)
        start = f"WHERE ({names}) > ({', '.join(literal(value) for value in after)})" if after else ""
        return self.ask(
            "SELECT f.*, pp.external_id AS patient FROM fact f LEFT JOIN patients_patient pp ON pp.id = f.patient_id "
            f"{start} ORDER BY {names} LIMIT {int(size)}"
        )


def literal(value: int | str) -> str:
    """A value of a cursor. Braces would be read as a template's."""
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"


def days(period: Period) -> dict[str, Any]:
    return {"first": day_number(period.first), "last": day_number(period.last)}


def share(flag: str) -> str:
    """SQL: how many rows have that condition."""
    return f"SUM(CASE WHEN {flag} THEN 1 ELSE 0 END)"
