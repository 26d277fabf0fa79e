"""The mailbox of bounces, every few minutes: a bounded look, so that no worker hangs on a slow server."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings

from messaging import actions
from messaging.actions.beats import due_again
from messaging.queries.clock import database_now
from messaging.transports.bounces import BounceBox, MailboxAway

log = logging.getLogger(__name__)
EVERY = timedelta(minutes=5)


@shared_task(name="messaging.tasks.read_bounces")
def read_bounces() -> None:
    """Harmless when run twice: each notification counts once. A mailbox that is away is looked at next time."""
    if not settings.BOUNCES_URL or not due_again(name="bounces", every=EVERY, now=database_now()):
        return
    try:
        BounceBox.from_url(settings.BOUNCES_URL).read(lambda raw: actions.take_bounce(raw=raw, now=database_now()))
    except MailboxAway as error:
        log.warning("the mailbox of bounces cannot be read: %s", error)
