"""Tell workers that there is work. Without a broker the next tick finds the work anyway."""

from __future__ import annotations

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from messaging.transports import NAMES

log = logging.getLogger(__name__)


def wake(*transports: str) -> None:
    """Of these transports, or of all. Call it on commit."""
    for transport in transports or NAMES:
        publish("messaging.tasks.send_batch", transport)


def wake_on_commit(*transports: str) -> None:
    """What was queued in this transaction leaves as soon as it is committed."""
    transaction.on_commit(partial(wake, *transports))


def publish(task: str, *args: str) -> None:
    """A task by its name: rooms below the doors may ask for one without importing it."""
    try:
        current_app.send_task(task, args=args, retry=False, expires=60)
    except (OperationalError, OSError) as error:
        log.warning("the broker cannot be reached: %s", type(error).__name__)
