"""Rows of visits that were made here hold their doctor's time; those of other systems may overlap."""

from __future__ import annotations

from patients.actions.booking import SlotTaken, lock_doctors
from patients.models import Visit
from patients.queries.slots import nearest_free
from staff.actions.intake import Batch, Record

SLOT = ("doctor_id", "start_at", "end_at", "status", "may_overlap")


def hold_slots(visits: Batch) -> None:
    """Visits made here hold their doctor's time: lock him, so that the constraint refuses instead of deadlocking."""
    moved = [record for record in visits.live if _takes_time(record)]
    if not moved:
        return
    lock_doctors(*(record.values["doctor_id"] for record in moved))
    if len(moved) == 1:  # more than one at a time comes from no person: the constraint answers
        values = moved[0].values
        others = Visit.objects.filter(doctor_id=values["doctor_id"]).exclude(pk=values["id"]).holding_slot()
        if others.overlapping(values["start_at"], values["end_at"]).exists():
            minutes = max(5, int((values["end_at"] - values["start_at"]).total_seconds() // 60))
            raise SlotTaken(nearest_free(values["doctor_id"], values["start_at"], minutes, visits.now))


def _takes_time(record: Record) -> bool:
    """Whether the record was made here and newly holds this time of this doctor."""
    old, values = record.old, record.values
    if values["may_overlap"] or values["status"] not in Visit.HOLDING:
        return False
    return old is None or any(old[name] != values[name] for name in SLOT)
