"""What every write at the desk leaves behind: a line in the change feed and one in the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from patients.models import Patient, Visit
from staff import actions as staff
from staff.access import Actor
from staff.actions.journal import ChangedRow
from staff.models import User


def user_id(by: Actor) -> int | None:
    """The member of staff behind the actor, for columns that say who; keys and the system are nobody there."""
    return by.id if by.kind == "user" and by.id is not None and User.objects.filter(pk=by.id).exists() else None


def visit_changed(visit: Visit, *, deed: str, by: Actor, now: datetime, fields: Iterable[str], note: str = "") -> None:
    """Call it last: it locks the head of the audit chain until the transaction ends."""
    row = ChangedRow(visit.pk, visit.source.code, visit.external_id, visit.branch_id)
    staff.note_changes(resource="visits", rows=[row], now=now)
    staff.record(
        by=by,
        deed=deed,
        now=now,
        object_kind="visit",
        object_id=visit.pk,
        patient_id=visit.patient_id,
        fields=fields,
        note=note,
    )


def patient_changed(patient: Patient, *, deed: str, by: Actor, now: datetime, fields: Iterable[str]) -> None:
    """Call it last: it locks the head of the audit chain until the transaction ends."""
    row = ChangedRow(patient.pk, patient.source.code, patient.external_id, patient.branch_id)
    staff.note_changes(resource="patients", rows=[row], now=now)
    staff.record(
        by=by, deed=deed, now=now, object_kind="patient", object_id=patient.pk, patient_id=patient.pk, fields=fields
    )
