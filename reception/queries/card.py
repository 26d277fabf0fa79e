"""What a card shows beyond the facts: the patient's value, live, and the messages that he was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet

from loyalty.models import PatientValue
from loyalty.queries import live_value
from messaging.models import Message, Reply
from messaging.queries.policy import may_contact, may_contact_each
from messaging.queries.why import offer_said, with_reasons
from messaging.rules.policy import Answer
from patients.models import Patient
from patients.models.contact import Purpose
from patients.models.person import Transport


def value_of(root_id: int, record_ids: list[int], now: datetime) -> PatientValue | None:
    """The person's value from visits and payments as they are now. `record_ids`: all records of the person."""
    return live_value(root_id, now, dict.fromkeys(record_ids, root_id))


def streams(record_ids: list[int]) -> dict[str, tuple[QuerySet[Any], str]]:
    """What higher rooms add to the timeline: {kind: (rows, name of their time)}."""
    theirs = Q(patient__in=record_ids) | Q(answers__patient__in=record_ids)
    return {
        "message": (with_reasons(Message.objects.filter(patient__in=record_ids)), "created_at"),
        "reply": (Reply.objects.filter(theirs), "received_at"),
    }


def offer_call(patient: Patient, now: datetime) -> tuple[Answer, Callable[[], str]]:
    """May he be called about an offer: the contact policy's answer, and its words (said in the page's zone)."""
    answer = may_contact(patient=patient, purpose=Purpose.MARKETING, transport=Transport.CALL, now=now)
    return answer, partial(offer_said, answer)


def show_offers(patients: Iterable[Patient | None], now: datetime) -> None:
    """Puts the same answer on every patient of a page of work items, as `offer_said`. A few queries for all."""
    shown = [patient for patient in patients if patient is not None]
    said = may_contact_each(patients=shown, purpose=Purpose.MARKETING, transport=Transport.CALL, now=now)
    for patient in shown:
        if patient.pk in said:
            patient.offer_said = partial(offer_said, said[patient.pk])  # type: ignore[attr-defined]
