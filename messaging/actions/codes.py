"""A code to a phone that nobody is known by yet: it asks whose phone this is. Leaves at once, is no advertisement."""

from __future__ import annotations

from datetime import datetime

from messaging.actions.wake import wake_on_commit
from messaging.models import Message
from messaging.models.outbox import PHONE_CODE, Priority
from patients.models.contact import Purpose
from patients.models.person import Transport


def queue_code(*, key: str, phone: str, text: str, language: str, now: datetime, expires_at: datetime) -> Message:
    """One SMS, before everything else and in quiet hours too: somebody waits for it. The same `key` again is the same one.

    It passes the policy like every message: an address that is blocked gets none.
    """
    row, _made = Message.objects.get_or_create(
        dedupe_key=f"{PHONE_CODE}:{key}",
        defaults={
            "automation": PHONE_CODE,
            "purpose": Purpose.SERVICE,
            "priority": Priority.MEDICAL,
            "transport": Transport.SMS,
            "address": phone,
            "text": text,
            "language": language,
            "tz": "",
            "created_at": now,
            "not_before": now,
            "expires_at": expires_at,
        },
    )
    wake_on_commit(Transport.SMS.value)
    return row


def forget_codes(*, now: datetime) -> int:
    """The text of codes that are over is wiped: what stays is that one went out. Returns how many."""
    over = Message.objects.filter(automation=PHONE_CODE, expires_at__lt=now).exclude(text="")
    return over.exclude(state__in=("claimed", "inflight")).update(text="")
