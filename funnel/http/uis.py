"""UIS (and CoMagic, Novofon, CallGear: one Data API): its notifications and its report of calls (docs/calls.md).

The body of a notification is a template that the account's owner writes; ours names the event itself, so that nothing
hangs on the provider's mnemonics. There is no signature: a secret stands in the address, and addresses may be listed.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.clock import zone
from funnel.http.mango import NotAnswered, instant, phone
from funnel.rules.calls import IN, MISSED, OUT, Said
from messaging.transports.pooled_http import Call, Failure, Origin, exchange

PAGE = 50  # lines of a report that fit into the longest answer that is read
FIELDS = (
    "id", "start_time", "finish_time", "direction", "is_lost", "talk_duration", "wait_duration", "contact_phone_number",
    "virtual_phone_number", "call_records", "last_answered_employee_id",
)  # fmt: skip
EVENTS = frozenset({"incoming", "outgoing", "answered", "finished", "lost", "recorded"})


def is_genuine(given: str, secret: str) -> bool:
    """`given` as it stood in the address. False where no secret is set."""
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


def said_in(text: bytes, region: str = "RU") -> Said:
    """One notification of the template in docs/calls.md. Raises ValueError for anything else."""
    body = json.loads(text)
    if not isinstance(body, dict) or body.get("event") not in EVENTS or not body.get("call_session_id"):
        raise ValueError("event or call_session_id")
    event, at = body["event"], instant(body.get("notification_timestamp"))
    if at is None:
        raise ValueError("notification_timestamp")
    over, talk = event in ("finished", "lost"), body.get("talk_time_duration")
    other, ours = (phone(body.get(name), region) for name in ("contact_phone_number", "virtual_phone_number"))
    direction = OUT if event == "outgoing" or body.get("direction") == "out" else IN
    return Said(
        call_id=str(body["call_session_id"]),
        event_id=f"{event}:{body['call_session_id']}",
        at=at,
        direction="" if event == "recorded" else direction,
        from_number=other if direction == IN else ours,
        to_number=ours if direction == IN else other,
        called_number=ours,
        extension=str(body.get("employee_id") or ""),
        started_at=at if event in ("incoming", "outgoing") else None,
        answered_at=at if event == "answered" else None,
        ended_at=at if over else None,
        talk_seconds=int(talk) if over and talk not in (None, "") else None,
        outcome=MISSED if event == "lost" else "",
        recording=str(body.get("file_link") or "")[:500] if event == "recorded" else "",
    )


def fetch_calls(
    url: str, token: str, first: datetime, last: datetime, *, tz: str, skip: int = 0, region: str = "RU"
) -> list[Said]:
    """A page of calls that began in the span; fewer than PAGE = the last. `tz` is the account's. Raises NotAnswered."""
    span = {name: at.astimezone(zone(tz)).strftime("%Y-%m-%d %H:%M:%S")
            for name, at in (("date_from", first), ("date_till", last))}  # fmt: skip
    asked = {"access_token": token, **span, "limit": PAGE, "offset": skip, "fields": list(FIELDS)}
    question = {"jsonrpc": "2.0", "id": 1, "method": "get.calls_report", "params": asked}
    (answer,) = exchange(Origin.of(url), [Call("POST", "/v2.0", json=question)], lambda: False, 1)
    if answer is None or isinstance(answer, Failure):
        raise NotAnswered(answer.kind if answer else "not tried")
    return [_line(row, tz, region) for row in _rows(answer.status, answer.body)]


def _rows(status: int, body: bytes) -> list[dict[str, Any]]:
    """JSON-RPC says errors with 200, too."""
    try:
        said = json.loads(body)
    except ValueError as error:
        raise NotAnswered(f"{status}, not JSON or too long") from error
    result = said.get("result") if isinstance(said, dict) else None
    if status != 200 or not isinstance(result, dict) or not isinstance(result.get("data"), list):
        code = said.get("error", {}).get("code", "") if isinstance(said, dict) else ""
        raise NotAnswered(f"{status} {code}".strip())
    rows: list[dict[str, Any]] = result["data"]
    return rows


def _line(row: Mapping[str, Any], tz: str, region: str) -> Said:
    start, end = _local(row["start_time"], tz), _local(row["finish_time"], tz)
    talk, direction = int(row.get("talk_duration") or 0), OUT if row.get("direction") == "out" else IN
    other, ours = (phone(row.get(name), region) for name in ("contact_phone_number", "virtual_phone_number"))
    records = row.get("call_records") or []
    return Said(
        call_id=str(row["id"]),
        event_id=f"report:{row['id']}",
        at=end,
        direction=direction,
        from_number=other if direction == IN else ours,
        to_number=ours if direction == IN else other,
        called_number=ours,
        extension=str(row.get("last_answered_employee_id") or ""),
        started_at=start,
        ended_at=end,
        talk_seconds=talk,
        outcome=MISSED if row.get("is_lost") or not talk else "",
        recording=str(records[0]) if records else "",
    )


def _local(text: str, tz: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone(tz)).astimezone(UTC)
