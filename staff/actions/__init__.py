"""Every write of this room. Imported as `from staff import actions`."""

from staff.actions.audit import one_deed, record
from staff.actions.intake import RowResult, record_branches, record_doctors, record_shifts
from staff.actions.journal import ChangedRow, note_changes

__all__ = [
    "ChangedRow",
    "RowResult",
    "note_changes",
    "one_deed",
    "record",
    "record_branches",
    "record_doctors",
    "record_shifts",
]
