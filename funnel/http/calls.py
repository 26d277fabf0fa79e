"""The generic contract: what any telephony can say of a call in signed JSON (docs/calls.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from core.phones import BadPhone, parse_phone
from funnel.rules.calls import IN, INTERNAL, OUT, WEIGHT, Said
from messaging.rules.signature import instant_of

LONGEST = 500


def said_in(text: bytes, region: str = "RU") -> Said:
    """{event_id, call_id, at, direction, from, to, ...}. Raises ValueError naming the field."""
    body = json.loads(text)
    if not isinstance(body, dict):
        raise ValueError("not an object")
    direction, outcome = _text(body, "direction"), _text(body, "outcome")
    if direction not in ("", IN, OUT, INTERNAL):
        raise ValueError("direction")
    if outcome not in WEIGHT:
        raise ValueError("outcome")
    at = _time(body, "at")
    if at is None:
        raise ValueError("at")
    return Said(
        call_id=_text(body, "call_id"),
        event_id=_text(body, "event_id"),
        at=at,
        direction=direction,
        from_number=_number(body, "from", region),
        to_number=_number(body, "to", region),
        called_number=_number(body, "called", region),
        extension=_text(body, "extension"),
        started_at=_time(body, "started_at"),
        answered_at=_time(body, "answered_at"),
        ended_at=_time(body, "ended_at"),
        talk_seconds=_seconds(body),
        outcome=outcome,
        recording=_text(body, "recording"),
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    value = "" if value is None else value
    if not isinstance(value, str | int) or isinstance(value, bool) or len(str(value)) > LONGEST:
        raise ValueError(name)
    return str(value).strip()


def _number(body: Mapping[str, Any], name: str, region: str) -> str:
    """E.164; "" for an extension or a hidden number."""
    try:
        return parse_phone(_text(body, name), region).number
    except BadPhone:
        return ""


def _time(body: Mapping[str, Any], name: str) -> datetime | None:
    value = body.get(name)
    if value in (None, ""):
        return None
    found = instant_of(value)
    if found is None:
        raise ValueError(name)
    return found


def _seconds(body: Mapping[str, Any]) -> int | None:
    value = body.get("talk_seconds")
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise ValueError("talk_seconds")
    return value


def comes_from(address: str, allowed: list[str]) -> bool:
    """Whether the address is one of the line's, or in one of its networks; any is where none is named."""
    if not allowed:
        return True
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    return any(peer in ip_network(one, strict=False) for one in allowed)
