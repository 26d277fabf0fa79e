"""Fetch receipts and answers from a provider that keeps them until it is asked (SMPP)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from messaging.actions.replies import take_reply
from messaging.actions.reports import BadReport, take_report
from messaging.queries.clock import database_now
from messaging.transports import transport as transport_of
from messaging.transports.base import Listener

log = logging.getLogger(__name__)
LONGEST = 20.0  # seconds of one run
SAME_ANSWER = 600  # seconds in which the same words from the same phone are one answer, delivered twice


def listen(*, transport: str, seconds: float = LONGEST) -> int:
    """Each event is written in its own transaction before the provider hears that we have it; a failure of the database
    ends the run, and the provider delivers again. Returns how many came; a provider that is away is only logged."""

    def take(event: Mapping[str, Any]) -> None:
        take_event(transport=transport, event=event, now=database_now())

    carrier = cast(Listener, transport_of(transport))
    try:
        return carrier.receive(take, seconds=seconds)
    except ConnectionError as error:
        log.warning("the provider of %s cannot be listened to: %s", transport, error)
        return 0


def take_event(*, transport: str, event: Mapping[str, Any], now: datetime) -> None:
    """A receipt {id, status, event_id} or an answer {from, text}. One that makes no sense is logged and acknowledged:
    otherwise it would come again for ever, and nothing behind it."""
    if "status" in event:
        try:
            take_report(transport=transport, report={**event, "occurred_at": now.isoformat()}, now=now)
        except BadReport as error:
            log.warning("a receipt of %s makes no sense: %s", transport, error)
        return
    address, text = str(event["from"])[:254], str(event["text"])
    words = f"{address}|{text}|{int(now.timestamp()) // SAME_ANSWER}"
    event_id = f"{transport}:{hashlib.sha256(words.encode()).hexdigest()[:40]}"
    take_reply(transport=transport, event_id=event_id, address=address, text=text, received_at=now, now=now)
