"""Things that are to happen every few minutes, whatever the number of beats and workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from messaging.models import Heartbeat


@transaction.atomic
def due_again(*, name: str, every: timedelta, now: datetime) -> bool:
    """Whether it is this caller's turn: true for one of those that ask within `every`."""
    _row, first = Heartbeat.objects.get_or_create(name=name, defaults={"at": now})
    return first or bool(Heartbeat.objects.filter(name=name, at__lte=now - every).update(at=now))
