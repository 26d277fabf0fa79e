"""The clock here is the database's: hosts whose clocks differ must not see different messages due."""

from __future__ import annotations

import os
import socket
import uuid
from datetime import datetime

from celery import shared_task

from messaging import actions, automations
from messaging.actions.beats import due_again
from messaging.actions.plan import plan_all
from messaging.actions.wake import publish, wake
from messaging.queries.clock import database_now
from messaging.rules.automation import Automation
from messaging.transports import NAMES, listens

__all__ = ["ask_about_unknown", "listen", "owner", "send_due", "tick", "wake"]


def owner() -> str:
    """Unique to one call, so that a lease names exactly one run; host and process are for whoever reads the log."""
    return f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


@shared_task(name="messaging.tasks.tick")
def tick() -> None:
    """Once a TICK_SECONDS: plan what is due, find what was left lying, wake the senders. Harmless when run twice."""
    now = database_now()
    actions.beat(name="tick", now=now)
    actions.reap(now=now)
    by_clock = automations.by_clock(automations.registered())
    plan_all(automations=[one for one in by_clock if rested(one, now)], now=now)
    actions.fall_back(now=now)
    actions.forget_tries(now=now)
    wake(*NAMES)
    publish("messaging.tasks.ask_about_unknown")
    if listens("sms"):
        publish("messaging.tasks.listen")
    actions.stop_timers()
    publish("messaging.tasks.read_bounces")


def rested(automation: Automation, now: datetime) -> bool:
    return not automation.rests or due_again(name=f"plan:{automation.code}"[:20], every=automation.rests, now=now)


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


@shared_task(name="messaging.tasks.listen")
def listen() -> None:
    """Fetch what an SMSC has kept for us since the last tick: receipts and answers. A bounded run: it holds a worker for a
    few seconds a minute, needs no process of its own to be watched, and what comes in between waits at the SMSC, which
    stores and forwards; so a restart or a dead line loses nothing and costs at most a minute."""
    actions.listen(transport="sms")
