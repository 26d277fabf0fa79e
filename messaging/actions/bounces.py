"""Mails that came back: the message was not delivered, and an address that does not exist is closed."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from messaging.actions.policy import same_address, suppress
from messaging.actions.reports import take_report
from messaging.models import Message, Suppression
from messaging.rules.dsn import Bounce, bounces_of
from messaging.transports.smtp import domain_of
from staff import actions as staff
from staff.access import SYSTEM


@transaction.atomic
def take_bounce(*, raw: bytes, now: datetime) -> bool:
    """One raw mail of the bounce mailbox. Whether it was a notification about a mail of ours; the same one again, or one
    that says "delayed", changes nothing."""
    found = [(bounce, _message(bounce)) for bounce in bounces_of(raw, domain_of(settings.EMAIL_FROM))]
    ours = [(bounce, message) for bounce, message in found if message is not None]
    with staff.one_deed():
        for bounce, message in ours:
            if bounce.failed:
                _undelivered(bounce, message, now)
    return bool(ours)


def _message(bounce: Bounce) -> Message | None:
    return Message.objects.filter(transport="email", client_id=bounce.client_id).first()


def _undelivered(bounce: Bounce, message: Message, now: datetime) -> None:
    report = {
        "event_id": f"dsn:{bounce.client_id}:{bounce.status or '5'}",
        "client_id": bounce.client_id,
        "status": "undelivered",
        "occurred_at": now.isoformat(),
    }
    take_report(transport="email", report=report, now=now)
    # Forwarded to another address that is dead: that is not the patient's address, which works.
    if bounce.dead and same_address(message.address) in bounce.recipients:
        kind, detail = Suppression.Kind.BOUNCED, f"{bounce.status}, message {message.pk}"
        suppress(transport="email", address=message.address, kind=kind, detail=detail, by=SYSTEM, now=now)
