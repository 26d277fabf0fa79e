"""The clock here is the database's: hosts whose clocks differ must not see different messages due."""

from __future__ import annotations

import logging
import os
import socket
import uuid

from celery import shared_task
from kombu.exceptions import OperationalError

from messaging import actions, automations
from messaging.actions.plan import plan_all
from messaging.queries.clock import database_now
from messaging.transports import NAMES

log = logging.getLogger(__name__)


def owner() -> str:
    """Unique to one call, so that a lease names exactly one run; host and process are for whoever reads the log."""
    return f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


@shared_task(name="messaging.tasks.tick")
def tick() -> None:
    """Once a TICK_SECONDS: plan what is due, find what was left lying, wake the senders. Harmless when run twice."""
    now = database_now()
    actions.beat(name="tick", now=now)
    actions.reap(now=now)
    plan_all(automations=automations.by_clock(automations.registered()), now=now)
    wake(*NAMES)
    _publish(ask_about_unknown)


@shared_task(name="messaging.tasks.send_batch")
def send_due(transport: str) -> None:
    """Send until nothing is due."""
    while actions.send_batch(transport=transport, owner=owner(), now=database_now()):
        pass


@shared_task(name="messaging.tasks.ask_about_unknown")
def ask_about_unknown() -> None:
    for transport in NAMES:
        while actions.reconcile(transport=transport):
            pass


def wake(*transports: str) -> None:
    """Tell workers that there is work; call it on commit. Without a broker the next tick finds the work anyway."""
    for transport in transports or NAMES:
        _publish(send_due, transport)


def _publish(task: object, *args: str) -> None:
    try:
        task.apply_async(args, retry=False, expires=60)  # type: ignore[attr-defined]
    except (OperationalError, OSError) as error:
        log.warning("the broker cannot be reached: %s", type(error).__name__)
