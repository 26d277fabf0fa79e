"""Mango Office VPBX: what its events and its statistics say about calls, and the signature on both (docs/calls.md).

Everything goes as a form `vpbx_api_key`, `sign`, `json` with sign = hex SHA-256(key + json + salt), both ways.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.phones import BadPhone, parse_phone
from funnel.rules.calls import IN, INTERNAL, MISSED, OUT, Said
from messaging.transports.pooled_http import Answer, Call, Failure, Origin, exchange

FIELDS = "records,start,finish,answer,from_extension,from_number,to_extension,to_number,line_number,entry_id,create"
DIRECTIONS = {"0": INTERNAL, "1": IN, "2": OUT}


class NotAnswered(Exception):
    """No usable answer of the provider; the text says which, without numbers of people."""


def signature(key: str, text: str, salt: str) -> str:
    return hashlib.sha256(f"{key}{text}{salt}".encode()).hexdigest()


def is_genuine(form: Mapping[str, str], key: str, salt: str) -> bool:
    """False without a key or salt, and for a form of another account or with another text than was signed."""
    if not key or not salt or not hmac.compare_digest(form.get("vpbx_api_key", "").encode(), key.encode()):
        return False
    right = signature(key, form.get("json", ""), salt)
    return hmac.compare_digest(right.encode(), form.get("sign", "").lower().encode())


def said_in(kind: str, text: str, region: str = "RU") -> Said | None:
    """`kind` is the end of the address: call, summary or record/added. None for events that tell nothing of a call.

    Raises ValueError for what is no such event.
    """
    readers = {"call": _step, "summary": _summary, "record/added": _record}
    if kind not in readers:
        return None
    body = json.loads(text)
    if not isinstance(body, dict) or not body.get("entry_id"):
        raise ValueError("entry_id")
    return readers[kind](body, region)


def _step(body: dict[str, Any], region: str) -> Said:
    """A leg rings, talks or ends. Only the summary ends the call; the voice menu is nobody who answers."""
    caller, called, at = _party(body, "from"), _party(body, "to"), instant(body.get("timestamp"))
    if at is None or not body.get("call_id"):
        raise ValueError("timestamp or call_id")
    direction = (INTERNAL if called.get("extension") else OUT) if caller.get("extension") else IN
    answers = body.get("call_state") == "Connected" and body.get("location") == "abonent"
    return Said(
        call_id=str(body["entry_id"]),
        event_id=f"call:{body['call_id']}:{body.get('seq', 0)}",
        at=at,
        direction=direction,
        from_number=phone(caller.get("number"), region),
        to_number=phone(called.get("number"), region),
        called_number=phone(called.get("line_number"), region),
        extension=str(caller.get("extension") or called.get("extension") or ""),
        answered_at=at if answers else None,
    )


def _summary(body: dict[str, Any], region: str) -> Said:
    caller, called = _party(body, "from"), _party(body, "to")
    start, talk, end = (instant(body.get(name)) for name in ("create_time", "talk_time", "end_time"))
    if end is None:
        raise ValueError("end_time")
    return Said(
        call_id=str(body["entry_id"]),
        event_id=f"summary:{body['entry_id']}",
        at=end,
        direction=DIRECTIONS.get(str(body.get("call_direction")), ""),
        from_number=phone(caller.get("number"), region),
        to_number=phone(called.get("number"), region),
        called_number=phone(body.get("line_number"), region),
        extension=str(caller.get("extension") or called.get("extension") or ""),
        started_at=start,
        answered_at=talk,
        ended_at=end,
        talk_seconds=int((end - talk).total_seconds()) if talk else 0,
        outcome="" if talk else MISSED,
    )


def _record(body: dict[str, Any], _region: str) -> Said:
    at, recording = instant(body.get("timestamp")), str(body.get("recording_id") or "")
    if at is None or not recording:
        raise ValueError("timestamp or recording_id")
    return Said(str(body["entry_id"]), f"record:{recording}"[:120], at, recording=recording)


def ask_for_calls(url: str, key: str, salt: str, first: datetime, last: datetime) -> str:
    """The key under which the statistics will lie ready. `url` up to `/vpbx`. Raises NotAnswered."""
    span = {"date_from": str(int(first.timestamp())), "date_to": str(int(last.timestamp())), "fields": FIELDS}
    answer = _asked(url, "/stats/request", key, salt, span)
    found = _object(answer).get("key")
    if answer.status != 200 or not isinstance(found, str) or not found:
        raise NotAnswered(f"no key: {answer.status}")
    return found


def fetch_calls(url: str, key: str, salt: str, ready: str, region: str = "RU") -> list[Said] | None:
    """What the statistics say, a line a leg; None while they are being made (204: ask again after 5 seconds)."""
    answer = _asked(url, "/stats/result", key, salt, {"key": ready})
    if answer.status == 204:
        return None
    if answer.status != 200:
        raise NotAnswered(str(answer.status))
    if not answer.body and answer.headers.get("Content-Length", "0") != "0":
        raise NotAnswered("too long: ask for a shorter span")
    lines = [line.strip().split(";") for line in answer.body.decode().splitlines() if line.strip()]
    return [_line(dict(zip(FIELDS.split(","), line, strict=True)), region) for line in lines]


def _line(row: dict[str, str], region: str) -> Said:
    start, end, talk = instant(row["start"]), instant(row["finish"]), instant(row["answer"])
    if end is None or not row["entry_id"]:
        raise NotAnswered("a line without finish or entry_id")
    caller, called = row["from_extension"], row["to_extension"]
    leg = hashlib.sha256(";".join(row.values()).encode()).hexdigest()[:24]
    return Said(
        call_id=row["entry_id"],
        event_id=f"stats:{leg}",
        at=end,
        direction=(INTERNAL if called else OUT) if caller else IN,
        from_number=phone(row["from_number"], region),
        to_number=phone(row["to_number"], region),
        called_number=phone(row["line_number"], region),
        extension=caller or called,
        started_at=instant(row["create"]) or start,
        answered_at=talk,
        ended_at=end,
        talk_seconds=int((end - talk).total_seconds()) if talk else 0,
        outcome="" if talk else MISSED,
        recording=row["records"].strip("[]").partition(",")[0],
    )


def _asked(url: str, path: str, key: str, salt: str, body: Mapping[str, str]) -> Answer:
    text = json.dumps(body)
    form = {"vpbx_api_key": key, "sign": signature(key, text, salt), "json": text}
    (answer,) = exchange(Origin.of(url), [Call("POST", path, form=form)], lambda: False, 1)
    if answer is None or isinstance(answer, Failure):
        raise NotAnswered(answer.kind if answer else "not tried")
    return answer


def _object(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError as error:
        raise NotAnswered("not JSON") from error
    return body if isinstance(body, dict) else {}


def _party(body: dict[str, Any], name: str) -> dict[str, Any]:
    party = body.get(name) or {}
    if not isinstance(party, dict):
        raise ValueError(name)
    return party


def phone(value: object, region: str) -> str:
    """E.164, or "" for an extension, a SIP account or a hidden number. Numbers come without a plus."""
    text = str(value or "").strip()
    try:
        return parse_phone(f"+{text}" if text.isdigit() and len(text) > 10 else text, region).number
    except BadPhone:
        return ""


def instant(value: object) -> datetime | None:
    """Seconds since 1970; 0 and nothing mean "it did not happen". Raises ValueError."""
    seconds = int(str(value or 0))
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, OSError) as error:
        raise ValueError("a time out of reach") from error
