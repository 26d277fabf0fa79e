"""The demo's mailbox and the length of the queue beside it."""

from __future__ import annotations

from messaging.models import MailboxItem, Message
from messaging.models.outbox import State


def mailbox_page(*, limit: int = 100) -> list[MailboxItem]:
    """What the demo transport delivered, newest first."""
    return list(MailboxItem.objects.order_by("-id")[:limit])


def queue_length() -> int:
    """Messages that wait or are on their way."""
    return Message.objects.filter(state__in=(State.QUEUED, State.CLAIMED, State.INFLIGHT)).count()
