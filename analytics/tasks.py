from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from analytics import actions
from patients.actions import find_duplicates
from staff.actions.idempotency import forget_old_keys


@shared_task
def nightly() -> None:
    now = timezone.now()
    if actions.night(now=now):
        find_duplicates(now=now)
        forget_old_keys(now=now)


@shared_task
def warm() -> None:
    """Once a TICK_SECONDS. Harmless when run twice."""
    actions.warm(now=timezone.now())
