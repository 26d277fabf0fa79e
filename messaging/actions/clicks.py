"""Somebody, or something, opened the link of a message."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from messaging.models import LinkClick, Message


@transaction.atomic
def note_click(*, message: Message, by_bot: bool, now: datetime) -> None:
    """Two statements; no audit entry: nobody of the clinic did it."""
    LinkClick.objects.get_or_create(message=message, defaults={"last_at": now})
    clicks = LinkClick.objects.filter(message=message)
    if by_bot:
        clicks.update(bots=F("bots") + 1, last_at=now)
    else:
        clicks.update(people=F("people") + 1, last_at=now, first_at=Coalesce(F("first_at"), now))
