from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from analytics import actions
from staff.actions.idempotency import forget_old_keys


@shared_task
def nightly() -> None:
    now = timezone.now()
    actions.night(now=now)
    forget_old_keys(now=now)
