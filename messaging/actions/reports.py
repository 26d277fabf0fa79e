"""Delivery reports: doubled, out of order, for messages we do not know, or earlier than our own mark of `sent`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from messaging.actions.policy import suppress
from messaging.models import DeliveryEvent, Message, Suppression
from messaging.models.outbox import State
from messaging.queries.cost import price_of
from messaging.rules.cost import size_and_cost
from messaging.rules.signature import instant_of
from staff.access import SYSTEM

MOST_COST = 10**9  # minor units; a larger one is no price of a message

MEANINGS = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "undelivered": State.UNDELIVERED,
    "expired": State.UNDELIVERED,
}
FINAL = (State.DELIVERED, State.UNDELIVERED)
# A report proves that the provider took the message, so it also ends rows that we thought not handed over.
OPEN = (State.QUEUED, State.CLAIMED, State.INFLIGHT, State.UNKNOWN, State.SENT)


class BadReport(ValueError):
    """Not a report: a field is missing or says nothing that we know. The text names the field."""


@transaction.atomic
def take_report(*, transport: str, report: Mapping[str, Any], now: datetime) -> bool:
    """Note one report. Idempotent by its event id; the final status with the newest `occurred_at` holds, in any order.

    `cost` (minor units) and `blocked` (the operator or subscriber shut it out) may stand in it. Returns whether the message
    is known. Raises BadReport.
    """
    event_id, status, occurred_at = _read(report)
    message = _message_of(transport, report)
    event = DeliveryEvent(
        transport=transport,
        event_id=event_id,
        message=message,
        status=status,
        occurred_at=occurred_at,
        received_at=now,
    )
    known = DeliveryEvent.objects.filter(transport=transport, event_id=event_id).exists()
    if not known:
        DeliveryEvent.objects.bulk_create([event], ignore_conflicts=True)
    if message is not None and not known:
        _apply(message, MEANINGS[status], occurred_at, str(report.get("id") or "")[:120])
        _more(message, report, now)
    return message is not None


def _read(report: Mapping[str, Any]) -> tuple[str, str, datetime]:
    event_id, status = report.get("event_id"), report.get("status")
    occurred_at = instant_of(report.get("occurred_at"))
    if not isinstance(event_id, str | int) or not 0 < len(str(event_id)) <= 120 or "\x00" in str(event_id):
        raise BadReport("event_id")
    if not isinstance(status, str) or status not in MEANINGS:
        raise BadReport("status")
    if occurred_at is None:
        raise BadReport("occurred_at")
    return str(event_id), str(status), occurred_at


def _message_of(transport: str, report: Mapping[str, Any]) -> Message | None:
    """By our own key, else by the provider's id."""
    client_id, provider_id = report.get("client_id"), report.get("id")
    ours = [value for value in (client_id, provider_id) if isinstance(value, str) and "\x00" not in value]
    if not ours:
        return None
    rows = Message.objects.select_for_update().filter(transport=transport)
    if isinstance(client_id, str) and client_id in ours:
        found = rows.filter(client_id=client_id).first()
        if found is not None:
            return found
    return rows.filter(provider_id=provider_id).exclude(provider_id="").first() if provider_id in ours else None


def _more(message: Message, report: Mapping[str, Any], now: datetime) -> None:
    cost = report.get("cost")
    told = cost if isinstance(cost, int) and not isinstance(cost, bool) and 0 <= cost < MOST_COST else None
    if told is not None or message.sent_at is None:  # the answer that would have priced it never came
        parts, money = size_and_cost(message.transport, message.text, price_of(message.transport), told)
        Message.objects.filter(pk=message.pk).update(segments=parts, cost=money)
    if report.get("blocked") is True and message.address:
        kind, detail = Suppression.Kind.BLOCKED, f"message {message.pk}"
        suppress(transport=message.transport, address=message.address, kind=kind, detail=detail, by=SYSTEM, now=now)


def _apply(message: Message, state: State, occurred_at: datetime, provider_id: str) -> None:
    newer = Q(status_at=None) | Q(status_at__lt=occurred_at)
    rows = Message.objects.filter(pk=message.pk)
    if state is State.SENT:
        rows = rows.filter(state__in=OPEN)
    else:
        rows = rows.filter(Q(state__in=OPEN) | Q(state__in=FINAL) & newer)
    rows.update(
        state=state,
        status_at=message.status_at if state is State.SENT else occurred_at,
        provider_id=message.provider_id or provider_id,
        sent_at=message.sent_at or occurred_at,
        reason="",
        owner="",
        lease_until=None,
        next_check_at=None,
        unsure_at=None,
    )
