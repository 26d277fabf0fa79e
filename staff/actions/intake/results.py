"""What intake says of each row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CREATED, UPDATED, UNCHANGED, FAILED = "created", "updated", "unchanged", "failed"


@dataclass(slots=True)
class RowResult:
    """The fate of row `index`. `errors`: field as the row spells it (`items.0.service_id` inside lists) -> reasons."""

    index: int
    external_id: str
    id: int | None
    status: str
    errors: dict[str, list[str]] = field(default_factory=dict)


# (Ref, by our own id?, key, how the row spells it)
Reference = tuple[Any, bool, Any, str]


@dataclass(slots=True, eq=False)
class Record:
    """One row on its way in. Columns are named as the model's attributes (`patient_id`, `start_at`).

    `given`: column -> parsed value of the keys that the row has; `loose`: the same of keys without a column;
    `references`: what is still to be resolved; `old`: the stored columns, None for a new
    record; `values`: what will be stored; `related`: reference column -> columns of the object that it points at.
    """

    index: int
    external_id: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    loose: dict[str, Any] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)
    id: int | None = None
    old: dict[str, Any] | None = None
    values: dict[str, Any] = field(default_factory=dict)
    related: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)  # what the room keeps of the record from step to step
    failed: bool = False
    touched: bool = False  # something kept beside its columns changed: phones, items
    status: str = ""
    parent: Record | None = None
    prefix: str = ""  # how the parent's row spells the way to this one: "items.0."
    dependents: list[tuple[Record, str, str]] = field(default_factory=list)  # (record, field, reason) that fall with it

    def classify(self) -> str:
        """Sets and returns the status, once everything about the record is known."""
        if self.failed:
            self.status = FAILED
        elif self.old is None:
            self.status = CREATED
        else:
            self.status = UPDATED if self.touched or self.values != self.old else UNCHANGED
        return self.status

    def result(self) -> RowResult:
        known = self.id if self.old is not None or not self.failed else None
        return RowResult(self.index, self.external_id, known, self.status, self.errors)


def fail(record: Record, name: str, reason: str) -> None:
    """Reject the record, and with it whatever stands on it: the row it is part of, rows that point at it.

    A worklist, not recursion: a chain of references may be as long as the batch.
    """
    waiting = [(record, name, reason)]
    while waiting:
        one, name, reason = waiting.pop()
        if reason:
            one.errors.setdefault(name, []).append(reason)
            if one.parent is not None:
                waiting.append((one.parent, one.prefix + name, reason))
        if not one.failed:
            one.failed = True
            waiting.extend(one.dependents)
