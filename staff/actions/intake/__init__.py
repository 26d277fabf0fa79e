"""Intake: rows of other systems become records, set-based and idempotent (architecture.md "One visit is a set of one").

`record_x(*, source, rows, by, now) -> list[RowResult]`. Rows are dicts of JSON values or CSV strings ("" = null); a key
that is absent leaves the stored value alone; a bad row fails alone; the same rows again change nothing. References
(`patient_id`) are external ids of the same source, or our own ids under the short name (`patient`).
Money: decimal strings or exact numbers. Times: ISO 8601, without an offset the branch's local time, kept to the second.
"""

from staff.actions.intake.batch import Batch
from staff.actions.intake.engine import feed, intake, note_lines, plain, touch_parents
from staff.actions.intake.ground import record_branches, record_doctors, record_shifts
from staff.actions.intake.resource import Field, Nested, Ref, Resource
from staff.actions.intake.results import (
    CREATED,
    FAILED,
    NOT_KNOWN,
    UNCHANGED,
    UPDATED,
    Record,
    RowResult,
    code_of,
    fail,
)

__all__ = [
    "CREATED",
    "FAILED",
    "NOT_KNOWN",
    "UNCHANGED",
    "UPDATED",
    "Batch",
    "Field",
    "Nested",
    "Record",
    "Ref",
    "Resource",
    "RowResult",
    "code_of",
    "fail",
    "feed",
    "intake",
    "note_lines",
    "plain",
    "record_branches",
    "record_doctors",
    "record_shifts",
    "touch_parents",
]
