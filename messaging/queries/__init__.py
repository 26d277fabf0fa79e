"""Everything that this room is asked. Imported as `from messaging import queries`."""

from messaging.queries.automations import automation_rows
from messaging.queries.due import count_due
from messaging.queries.health import Health, health, oldest_due_age, overdue
from messaging.queries.mailbox import mailbox_page, queue_length
from messaging.queries.operations import Operations, broken_transports, operations
from messaging.queries.outbox import OutboxPage, outbox_page
from messaging.queries.settings import sending_paused
from messaging.queries.texts import template_rows, texts_for, wording

__all__ = [
    "Health",
    "Operations",
    "OutboxPage",
    "automation_rows",
    "broken_transports",
    "count_due",
    "health",
    "mailbox_page",
    "oldest_due_age",
    "operations",
    "outbox_page",
    "overdue",
    "queue_length",
    "sending_paused",
    "template_rows",
    "texts_for",
    "wording",
]
