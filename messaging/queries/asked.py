"""Whose address it is, and what the newest message to it asked: what an answer from there can mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from messaging.models import Message
from messaging.models.outbox import State
from patients.models import Patient, PatientPhone, Visit
from patients.models.contact import Purpose

ARRIVED = (State.SENT, State.DELIVERED, State.UNDELIVERED, State.UNKNOWN)  # what he may have read, whatever we know
LOOKED_BACK, MOST = timedelta(days=92), 20
SLACK = timedelta(minutes=2)  # the provider's clock and ours
FEEDBACK_OPEN = timedelta(days=14)


@dataclass(frozen=True)
class Asked:
    """`message`: what the answer is to, as far as anybody can tell; `quoted`: the patient himself pointed at it.

    `late`: something else went out after he had written. `visits`: ids of all open visits that this address was asked
    about at their present time; `scores`: of those it was asked to score in the last days.
    """

    message: Message | None = None
    quoted: bool = False
    late: bool = False
    grouped: bool = False
    visits: frozenset[int] = field(default_factory=frozenset)
    unconfirmed: frozenset[int] = field(default_factory=frozenset)
    scores: frozenset[int] = field(default_factory=frozenset)


def owners_of(transport: str, address: str) -> list[Patient]:
    """Canonical patients whose address it is now, oldest record first. A family's phone has several."""
    if transport == "email":
        records = Patient.objects.filter(email=address.lower()).exclude(email="")
    elif transport == "telegram":
        chat = int(address) if address.removeprefix("-").isdigit() else 0
        records = Patient.objects.filter(telegram_chats__chat_id=chat, telegram_chats__unlinked_at=None)
    else:
        records = Patient.objects.filter(pk__in=PatientPhone.objects.filter(number=address).values("patient_id"))
    roots = records.order_by().values_list(Coalesce("canonical_id", "id"), flat=True)
    return list(Patient.objects.filter(pk__in=set(roots)).select_related("branch").order_by("pk")[:MOST])


def asked_of(*, transport: str, address: str, at: datetime, hint: str = "") -> Asked:
    """What an answer of `at` from this address answers. `hint`: our client_id, or the provider's id of the message."""
    rows = list(_sent_to(transport, address).filter(went__gt=at - LOOKED_BACK).order_by("-went", "-id")[:MOST])
    quoted = _hinted(_sent_to(transport, address), hint) if hint else None
    message = quoted or next((row for row in rows if _went(row) <= at + SLACK), None)
    if message is None:
        return Asked()
    visits = {row.visit.pk: row.visit for row in [message, *rows] if row.visit and _is_open(row, row.visit, at)}
    return Asked(
        message=message,
        quoted=quoted is not None,
        late=quoted is None and _went(rows[0]) > at + SLACK,
        grouped=message.grouped_into_id is not None or message.grouped.exists(),
        visits=frozenset(visits),
        unconfirmed=frozenset(pk for pk, visit in visits.items() if visit.confirmed_at is None),
        scores=frozenset(
            row.visit_id for row in rows if row.visit_id and is_question(row) and at - _went(row) < FEEDBACK_OPEN
        ),
    )


def is_question(message: Message) -> bool:
    """Whether it asks for a score of a visit."""
    return message.purpose == Purpose.FEEDBACK and message.visit_id is not None


def _sent_to(transport: str, address: str) -> QuerySet[Any]:
    rows = Message.objects.filter(transport=transport, address=address, state__in=ARRIVED, user=None)
    return rows.annotate(went=Coalesce("sent_at", "first_tried_at")).exclude(went=None).select_related("visit")


def _hinted(rows: QuerySet[Any], hint: str) -> Message | None:
    """The message that the answer points at, and only if it went to this very address."""
    found: Message | None = rows.filter(Q(client_id=hint) | Q(provider_id=hint)).first()
    return found


def _went(row: Message) -> datetime:
    went: datetime = row.went  # type: ignore[attr-defined]
    return went


def _is_open(row: Message, visit: Visit, at: datetime) -> bool:
    """The visit still stands as the message said it."""
    return visit.status == Visit.Status.SCHEDULED and visit.start_at > at and row.about_at == visit.start_at
