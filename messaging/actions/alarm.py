"""What managers must know at once: a message of its own to each of them, in his language, that leaves on commit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import translation
from django.utils.functional import Promise

from messaging.actions.wake import wake_on_commit
from messaging.models import Message
from messaging.models.outbox import Priority
from messaging.transports import configured
from patients.models.contact import Purpose
from staff.access import LEADERS
from staff.models import User

SENSIBLE = timedelta(hours=12)  # an alarm of yesterday alarms nobody


def tell_managers(
    *,
    key: str,
    subject: Promise | str,
    text: Promise | str,
    values: Mapping[str, object] | None = None,
    now: datetime,
    branch_id: int | None = None,
    without: str = "",
) -> int:
    """Once per `key`, at any hour. `text` and `subject` are lazy translations with %(name)s from `values`. `branch_id`:
    also those bound to that branch; without it only those bound to none. `without`: the transport that cannot carry it.

    Call it inside of a transaction: the workers are woken when it commits. Returns how many managers are told.
    """
    ready = [name for name in ("sms", "email") if name in configured() and name != without]
    bound = Q(branch=None) if branch_id is None else Q(branch=None) | Q(branch=branch_id)
    rows = []
    for user in User.objects.filter(bound, is_active=True, role__in=LEADERS):
        addresses = {"sms": user.phone, "email": user.email}
        transport = next((name for name in ready if addresses[name]), "")
        if transport:
            rows.append(_row(user, transport, addresses[transport], f"{key}:{user.pk}", (subject, text), values, now))
    Message.objects.bulk_create(rows, ignore_conflicts=True)
    wake_on_commit(*{row.transport for row in rows})
    return len(rows)


def _row(
    user: User,
    transport: str,
    address: str,
    key: str,
    words: tuple[Promise | str, Promise | str],
    values: Mapping[str, object] | None,
    now: datetime,
) -> Message:
    with translation.override(user.language):
        subject, text = (str(word) % values if values else str(word) for word in words)
    return Message(
        user=user,
        purpose=Purpose.SERVICE,
        priority=Priority.MEDICAL,
        transport=transport,
        address=address,
        text=text,
        subject=subject if transport == "email" else "",
        language=user.language,
        tz="",  # an alarm waits for no morning
        dedupe_key=key,
        created_at=now,
        not_before=now,
        expires_at=now + SENSIBLE,
    )
