from __future__ import annotations

from celery import shared_task

from followup import actions
from messaging import tasks as messaging
from messaging.queries.clock import database_now


@shared_task(name="followup.tasks.sweep")
def sweep() -> None:
    """Once a TICK_SECONDS. Harmless when run twice."""
    if actions.sweep(now=database_now()):
        messaging.wake()
