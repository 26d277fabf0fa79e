"""The API door of messages: ask for one or many, see what became of each and why."""

from __future__ import annotations

from collections import defaultdict

from messaging.actions.asked import MESSAGES, PURPOSES, TRANSPORTS, record_messages
from messaging.models import DeliveryEvent
from messaging.models.outbox import Reason, State
from messaging.queries.outbox import visible_messages
from staff.access import Actor
from staff.api.doors import KIND_SCHEMA, Column, Door, Json, Listed, instant_text, reference
from staff.api.filters import ChoiceFilter, DoorFilters, IdFilter, InstantFilter, TextFilter

TEXT = KIND_SCHEMA["text"]


class MessageFilters(DoorFilters):
    patient = IdFilter(field_name="patient_id")
    visit = IdFilter(field_name="visit_id")
    state = ChoiceFilter(choices=State.choices)
    purpose = ChoiceFilter(choices=[(value, value) for value in PURPOSES])
    transport = ChoiceFilter(choices=[(value, value) for value in TRANSPORTS])
    automation = TextFilter()
    created_at__gte = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_at__lt = InstantFilter(field_name="created_at", lookup_expr="lt")


def fill_events(rows: list[Json], by: Actor) -> None:
    found: dict[int, list[Json]] = defaultdict(list)
    events = DeliveryEvent.objects.filter(message_id__in=[row["id"] for row in rows]).order_by("occurred_at", "id")
    for message, status, occurred_at in events.values_list("message_id", "status", "occurred_at"):
        found[message].append({"status": status, "occurred_at": instant_text(occurred_at)})
    for row in rows:
        row["events"] = found[row["id"]]


def in_words(reason: str) -> str:
    """The reason in the language of the request."""
    return str(Reason(reason).label) if reason else ""


EVENT_SCHEMA = {"type": "object", "properties": {"status": TEXT, "occurred_at": KIND_SCHEMA["instant"]}}
MESSAGE_DOOR = Door(
    name="messages",
    one="message",
    resource=MESSAGES,
    record=record_messages,
    scope=visible_messages,
    columns=(
        *reference("patient"),
        *reference("visit"),
        Column("purpose"),
        Column("transport"),
        Column("automation"),
        Column("template"),
        Column("address", deed="see_contacts"),
        Column("subject", deed="see_contacts"),
        Column("text", deed="see_contacts"),
        Column("language"),
        Column("state"),
        Column("reason"),
        Column("why", path="reason", show=in_words),
        Column("detail", deed="see_provider"),
        Column("basis"),
        Column("consent", "id", "consent_id", null=True),
        Column("approval", "id", "approval_id", null=True),
        Column("cap_used", "integer", null=True),
        Column("decided_at", "instant", null=True),
        Column("created_at", "instant"),
        Column("not_before", "instant"),
        Column("expires_at", "instant"),
        Column("sent_at", "instant", null=True),
        Column("segments", "integer"),
        Column("cost", "money", deed="see_money"),
    ),
    lists=(Listed("events", fill_events, EVENT_SCHEMA),),
    filters=MessageFilters,
)
