"""What intake says of each row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

CREATED, UPDATED, UNCHANGED, FAILED = "created", "updated", "unchanged", "failed"


NOT_KNOWN = "not_known"


class Reason(str):
    """A reason as people read it, with a code for programs: the words are translated, the code is not."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, text: str, code: str) -> Reason:
        made = super().__new__(cls, text)
        made.code = code
        return made


def not_known(key: Any) -> Reason:
    """Nothing is wrong with the row itself: what it names may come later."""
    return Reason(_("%(id)s is not known") % {"id": key}, NOT_KNOWN)


def code_of(reason: str) -> str:
    """The code of a reason; "" for most: they only speak to people."""
    return reason.code if isinstance(reason, Reason) else ""


@dataclass(slots=True)
class RowResult:
    """The fate of row `index`. `errors`: field as the row spells it (`items.0.service_id` inside lists) -> reasons.

    A reason may bear a code (`code_of`).
    """

    index: int
    external_id: str
    id: int | None
    status: str
    errors: dict[str, list[str]] = field(default_factory=dict)


# (Ref, by our own id?, key, how the row spells it)
Reference = tuple[Any, bool, Any, str]


class Record:
    """One row on its way in. Columns are named as the model's attributes (`patient_id`, `start_at`).

    `given`: column -> parsed value of the keys that the row has; `loose`: the same of keys without a column;
    `references`: what is still to be resolved; `old`: the stored columns, None for a new
    record; `values`: what will be stored; `related`: reference column -> columns of the object that it points at;
    `kept`: what the room keeps of the record from step to step; `touched`: something kept beside its columns changed
    (phones, items); `prefix`: how the parent's row spells the way to this one ("items.0."); `dependents`: (record,
    field, reason) that fall with it. Written by hand, not as a dataclass: a batch makes tens of thousands of these.
    """

    __slots__ = (
        "dependents", "errors", "external_id", "failed", "given", "id", "index", "kept", "loose", "old", "parent",
        "prefix", "references", "related", "status", "touched", "values",
    )  # fmt: skip

    def __init__(self, index: int, *, parent: Record | None = None, prefix: str = "") -> None:
        self.index, self.parent, self.prefix = index, parent, prefix
        self.external_id = self.status = ""
        self.given: dict[str, Any] = {}
        self.loose: dict[str, Any] = {}
        self.references: list[Reference] = []
        self.errors: dict[str, list[str]] = {}
        self.id: int | None = None
        self.old: dict[str, Any] | None = None
        self.values: dict[str, Any] = {}
        self.related: dict[str, dict[str, Any]] = {}
        self.kept: dict[str, Any] = {}
        self.failed = self.touched = False
        self.dependents: list[tuple[Record, str, str]] = []

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
