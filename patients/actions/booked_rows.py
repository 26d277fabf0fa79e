"""A booking made here through the API: a row like any other, in a slot that nobody else holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.names import new_code
from patients.actions.booking import book_visit
from patients.actions.visits import VISITS, record_visits
from patients.models import Patient, Visit
from staff.access import Actor
from staff.actions.intake import Batch, Record, Resource
from staff.models import Branch, Doctor, Room, Source


class RowRejected(Exception):
    """`errors`: field -> reasons."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("row rejected")
        self.errors = errors


@transaction.atomic
def book_row(*, row: Mapping[str, Any], source: Source, by: Actor, now: datetime, resource: Resource = VISITS) -> int:
    """Book the visit that `row` describes (keys of `record_visits`); returns its id. `resource` as there.

    What holds the doctor's time goes through `book_visit` (raises SlotTaken, BadTime); the rest of the row (items,
    payments, diagnosis) follows in the same transaction. Raises RowRejected.
    """
    full = {"external_id": new_code(), "status": Visit.Status.SCHEDULED.value, **row}
    record = _looked_at(full, Batch(resource, source=source, by=by, now=now))
    values = record.values
    if "booked_at" not in record.given:
        known = (now, values["start_at"], values["cancelled_at"])
        full["booked_at"] = min(at for at in known if at is not None).isoformat()
    if values["status"] in Visit.HOLDING:
        book_visit(
            patient=Patient.objects.get(pk=values["patient_id"]),
            doctor=Doctor.objects.get(pk=values["doctor_id"]),
            branch=Branch.objects.get(pk=values["branch_id"]),
            start_at=values["start_at"],
            end_at=values["end_at"],
            status=values["status"],
            external_id=record.external_id,
            room=Room.objects.filter(pk=values["room_id"]).first(),
            source=source,
            by=by,
            now=now,
        )
    (result,) = record_visits(source=source, rows=[full], by=by, now=now, resource=resource)
    if result.errors or result.id is None:
        raise RowRejected(result.errors)
    return result.id


def _looked_at(row: Mapping[str, Any], batch: Batch) -> Record:
    """The row as intake understands it, before anything is written."""
    batch.read([(0, {"booked_at": "1900-01-01T00:00:00Z", **row})])
    batch.load()
    batch.settle()
    (record,) = batch.records
    if record.failed:
        raise RowRejected(record.errors)
    if record.old is not None:
        raise RowRejected({"external_id": [_("is taken")]})
    if "booked_at" not in row:
        record.given.pop("booked_at")
    return record
