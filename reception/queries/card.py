"""What a card shows beyond the facts: the patient's value, live, and the messages that he was sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from loyalty.models import PatientValue
from loyalty.queries import live_value
from messaging.models import Message


def value_of(patient_id: int, now: datetime) -> PatientValue | None:
    """The person's value from visits and payments as they are now."""
    return live_value(patient_id, now)


def streams(record_ids: list[int]) -> dict[str, tuple[QuerySet[Any], str]]:
    """What higher rooms add to the timeline: {kind: (rows, name of their time)}."""
    return {"message": (Message.objects.filter(patient__in=record_ids), "created_at")}
