"""A patient stops advertising by the link of a message. One decision: ledger, address, and whatever is queued."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from messaging.actions.policy import suppress
from messaging.models import Message, Suppression
from patients import actions as patients
from patients.models import Consent, Patient
from patients.models.contact import ADVERTISES
from patients.queries.consents import latest_given
from staff import actions as staff
from staff.access import Actor


@transaction.atomic
def unsubscribe(*, message: Message, everywhere: bool, by: Actor, now: datetime) -> None:
    """Withdraw the consents to advertising, for the message's transport or for every one, and close its address.

    Doing it twice adds nothing. What is queued asks the policy again before it leaves, so it stops within the second.
    """
    if message.patient is None:
        return
    patient = message.patient.canonical or message.patient
    with staff.one_deed():
        for purpose in ADVERTISES:
            _withdraw(patient, purpose, "" if everywhere else message.transport, message, by, now)
        if message.address:
            suppress(
                transport=message.transport,
                address=message.address,
                kind=Suppression.Kind.UNSUBSCRIBED,
                detail=f"message {message.pk}",
                by=by,
                now=now,
            )


def _withdraw(patient: Patient, purpose: str, transport: str, message: Message, by: Actor, now: datetime) -> None:
    if latest_given(patient=patient, purpose=purpose, transport=transport, now=now) is False:
        return
    evidence = f"message {message.pk}"
    how = Consent.How.LINK.value
    patients.withdraw(patient=patient, purpose=purpose, transport=transport, how=how, evidence=evidence, by=by, now=now)
