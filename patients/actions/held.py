"""Rows of visits that were made here hold their doctor's time; those of other systems may overlap."""

from __future__ import annotations

from patients.actions.booking import lock_doctors, lock_room, require_bookable
from patients.models import Visit
from staff.actions.intake import Batch, Record

TIME = ("doctor_id", "room_id", "start_at", "end_at")
SLOT = (*TIME, "status", "may_overlap")


def hold_slots(visits: Batch) -> None:
    """Visits made here hold their doctor's time: lock him, so that the constraint refuses instead of deadlocking.

    What a person could not book at the desk (a visit, a hold, another system's busy time) is refused here too: SlotTaken.
    """
    moved = [record for record in visits.live if _takes_time(record)]
    if not moved:
        return
    lock_doctors(*(record.values["doctor_id"] for record in moved))
    if len(moved) == 1:  # more than one at a time comes from no person: the constraint answers
        (record,) = moved
        lock_room(record.values["room_id"])
        before = (record.old["start_at"], record.old["end_at"]) if record.old else None
        wanted = Visit(pk=record.values["id"], **{name: record.values[name] for name in TIME})
        require_bookable(wanted, visits.now, before)


def _takes_time(record: Record) -> bool:
    """Whether the record was made here and newly holds this time of this doctor."""
    old, values = record.old, record.values
    if values["may_overlap"] or values["status"] not in Visit.HOLDING:
        return False
    return old is None or any(old[name] != values[name] for name in SLOT)
