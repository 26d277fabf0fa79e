"""Everything that this room is asked. Imported as `from messaging import queries`."""

from messaging.queries.health import Health, health, oldest_due_age, overdue
from messaging.queries.mailbox import mailbox_page, queue_length
from messaging.queries.outbox import OutboxPage, outbox_page
from messaging.queries.settings import automation_rows, paused_transports, sending_paused
from messaging.queries.texts import template_rows, texts_for, wording

__all__ = [
    "Health",
    "OutboxPage",
    "automation_rows",
    "health",
    "mailbox_page",
    "oldest_due_age",
    "outbox_page",
    "overdue",
    "paused_transports",
    "queue_length",
    "sending_paused",
    "template_rows",
    "texts_for",
    "wording",
]
