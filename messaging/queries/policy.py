"""May this patient be contacted at all? Asked before a call, and for whoever wonders why (R122-R124).

The answer to a message that is in the outbox is stored in it; what is asked here is the same policy in the same SQL,
about a contact that is no row yet.
"""

# ruff: noqa: S608 - the statement is put together from constants, values are parameters
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from messaging.models import Budget, PromotionHold, Suppression, TelegramChat
from messaging.models.outbox import Basis, Reason
from messaging.queries.contacts import rations
from messaging.queries.reached import Reach, reach_of
from messaging.queries.verdict import CONSENT, PERSONAL, bound
from messaging.rules.policy import Answer, Ration, Word
from messaging.rules.priority import priority_of
from messaging.rules.quiet import is_quiet, opening
from patients.models import Patient, PatientPhone
from patients.models.contact import ADVERTISES, Purpose
from patients.models.person import Transport

QUESTION = f"""SELECT messaging_message.patient_id, {PERSONAL}, {CONSENT}
    FROM (SELECT v.column1 AS patient_id, v.column2 AS address, %s AS purpose, %s AS transport
        FROM (VALUES {{rows}}) AS v) AS messaging_message"""


@dataclass(frozen=True)
class _Thought:
    """A contact that somebody thinks of."""

    id: int
    root: int
    purpose: str
    priority: int


def may_contact(*, patient: Patient, purpose: str, transport: str, now: datetime) -> Answer:
    """`transport` may be a call, which a person makes: it needs no approval, and everything else."""
    return may_contact_each(patients=[patient], purpose=purpose, transport=transport, now=now)[patient.pk]


def may_contact_each(*, patients: Iterable[Patient], purpose: str, transport: str, now: datetime) -> dict[int, Answer]:
    """By the ids of `patients`. The same few queries for one and for a page of them."""
    roots = {patient.pk: patient.root_id for patient in patients}
    reach = reach_of(sorted(set(roots.values())), now=now)
    if not reach:
        return {}
    judged = _judged(reach, purpose, transport, now)
    priority = priority_of(purpose)
    thoughts = [_Thought(root, root, purpose, priority) for root in judged]
    budgets = rations(thoughts, batch=(), now=now)
    said = {root: _answer(*judged[root], purpose, budgets[root], reach[root].tz, now) for root in judged}
    return {pk: said[root] for pk, root in roots.items()}


def _judged(reach: dict[int, Reach], purpose: str, transport: str, now: datetime) -> dict[int, tuple[str, int | None]]:
    """By canonical patient: the verdict of the policy, and the consent line that holds."""
    rows: list[Any] = []
    for root, way in reach.items():
        address = way.addresses.get(Transport.SMS if transport == Transport.CALL else transport)
        rows += [root, address or ""]
    values = ", ".join(["(%s, %s)"] * len(reach))
    # All moments stand before the purpose.
    sql, moments = bound(QUESTION.format(rows=values), now)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*moments, purpose, transport, *rows])
        return {root: (verdict, consent) for root, verdict, consent in cursor.fetchall()}


def _answer(verdict: str, consent: int | None, purpose: str, budget: Ration, tz: str, now: datetime) -> Answer:
    basis = Basis.CONSENT if purpose in ADVERTISES else Basis.SERVICE
    if verdict:
        return Answer(Word.SKIP, verdict)
    if budget.never:
        return Answer(Word.SKIP, Reason.CAP, cap_used=budget.used - 1, cap=budget.cap)
    if budget.until is not None:
        return Answer(Word.HOLD, Reason.CAP, budget.until, basis, consent, budget.used - 1, budget.cap)
    if is_quiet(now, tz):
        return Answer(Word.HOLD, Reason.QUIET, opening(now, tz), basis, consent, budget.used - 1, budget.cap)
    return Answer(Word.SEND, "", None, basis, consent, budget.used, budget.cap)


TRANSPORTS = (Transport.SMS, Transport.EMAIL, Transport.TELEGRAM, Transport.CALL)
PURPOSES = (Purpose.SERVICE, Purpose.FEEDBACK, Purpose.MARKETING)


def answers_of(*, patient: Patient, now: datetime) -> list[tuple[Transport, list[Answer]]]:
    """For the eye: of each transport the answers for service, feedback and advertising."""
    return [
        (
            transport,
            [
                may_contact(patient=patient, purpose=purpose.value, transport=transport.value, now=now)
                for purpose in PURPOSES
            ],
        )
        for transport in TRANSPORTS
    ]


def addresses_of(patient: Patient) -> list[tuple[str, str]]:
    """(transport, address) of every record of a person, each once; a phone stands for SMS."""
    group = Q(patient=patient.root_id) | Q(patient__canonical=patient.root_id)
    phones = PatientPhone.objects.filter(group).order_by("position", "id").values_list("number", flat=True)
    mails = Patient.objects.filter(Q(pk=patient.root_id) | Q(canonical=patient.root_id)).exclude(email="")
    chats = TelegramChat.objects.filter(group, unlinked_at=None).values_list("chat_id", flat=True)
    found = [
        *((Transport.SMS.value, number) for number in phones),
        *((Transport.EMAIL.value, mail) for mail in mails.order_by("pk").values_list("email", flat=True)),
        *((Transport.TELEGRAM.value, str(chat)) for chat in chats.order_by("pk")),
    ]
    return list(dict.fromkeys(found))


def open_holds(patient_ids: Iterable[int], now: datetime) -> QuerySet[PromotionHold]:
    """What freezes advertising for a person, newest first."""
    holds = PromotionHold.objects.filter(patient__in=patient_ids, lifted_at=None)
    return (holds.filter(until=None) | holds.filter(until__gt=now)).select_related("set_by").order_by("-since", "-id")


def suppressions_of(addresses: Iterable[str]) -> QuerySet[Suppression]:
    """Which of these addresses (as they are compared) are out of use, and why."""
    rows = Suppression.objects.filter(address__in=list(addresses), lifted_at=None)
    return rows.select_related("set_by").order_by("-since", "-id")


def budgets() -> QuerySet[Budget]:
    return Budget.objects.order_by("code")
