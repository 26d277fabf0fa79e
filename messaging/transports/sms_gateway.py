"""The generic SMS gateway contract (`SMS_GATEWAY_URL`): POST /v1/messages, GET /v1/messages?client_id=…

An answer is classified by what it proves. 429, 503 and a connection that never came about: surely not accepted.
A timeout, a reset, 500, or something with 200 that is not the promised JSON: unknown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings

from messaging.models.outbox import Reason
from messaging.transports.base import Deadline, Letter, LookUp, Outcome, Result, Verdict
from messaging.transports.pooled_http import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    Answer,
    Call,
    Failure,
    Origin,
    exchange,
)

PATH = "/v1/messages"
BLOCKED_BY_SUBSCRIBER, SAME_TEXT = 8, 9
MISCONFIGURED = frozenset({401, 402, 403, 404, 405})  # our key, our money, our address: not the message's fault


@dataclass
class SmsGateway:
    url: str
    sender: str
    dedupe: str = "key"
    key_seconds: float = 3600
    settle_seconds: float = 30
    batch: int = 500
    call_seconds: float = CONNECT_SECONDS + ANSWER_SECONDS

    @classmethod
    def from_settings(cls) -> SmsGateway:
        return cls(
            url=settings.SMS_GATEWAY_URL,
            sender=settings.SMS_SENDER,
            dedupe=settings.SMS_GATEWAY_DEDUPE,
            key_seconds=settings.SMS_GATEWAY_KEY_SECONDS,
            settle_seconds=settings.SMS_GATEWAY_SETTLE_SECONDS,
            batch=settings.SENDING_BATCH,
        )

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> list[Outcome]:
        origin = _origin(self.url)
        if origin is None:
            return [Outcome(one, Result.NOT_ACCEPTED, Reason.BUSY, "SMS_GATEWAY_URL") for one in letters]
        fit: list[Letter] = []
        unfit: list[Letter] = []
        for one in letters:  # a key that cannot stand in a header would end it and begin another
            (fit if one.client_id.isascii() and one.client_id.isprintable() else unfit).append(one)
        answers = exchange(origin, [self._call(one) for one in fit], deadline.passed)
        refused = [Outcome(one, Result.REFUSED, Reason.BAD_MESSAGE) for one in unfit]
        return [_outcome(one, answer) for one, answer in zip(fit, answers, strict=True)] + refused

    def _call(self, letter: Letter) -> Call:
        said = {"to": letter.to, "text": letter.text, "client_id": letter.client_id, "sender": self.sender}
        return Call("POST", PATH, json=said, headers={"Idempotency-Key": letter.client_id})

    def look_up(self, client_ids: Mapping[str, str]) -> list[LookUp]:
        origin = _origin(self.url) if self.dedupe in ("key", "lookup") else None
        if origin is None:
            return [LookUp(client_id, Verdict.NO_ANSWER) for client_id in client_ids]
        questions = [Call("GET", f"{PATH}?client_id={quote(one, safe='')}") for one in client_ids]
        answers = exchange(origin, questions, lambda: False)
        return [_found(client_id, answer) for client_id, answer in zip(client_ids, answers, strict=True)]


def _origin(url: str) -> Origin | None:
    """None for a setting that is no address: nothing can leave then."""
    try:
        return Origin.of(url)
    except ValueError:
        return None


def _outcome(letter: Letter, answer: Answer | Failure | None) -> Outcome:
    """Never connected = never accepted. Whatever happened later may have been accepted."""
    if answer is None:
        return Outcome(letter, Result.NOT_TRIED)
    if isinstance(answer, Answer):
        return judged(letter, answer)
    if answer.sent:
        return Outcome(letter, Result.UNKNOWN, Reason.NO_ANSWER, answer.kind)
    return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, answer.kind)


def _found(client_id: str, answer: Answer | Failure | None) -> LookUp:
    if not isinstance(answer, Answer):
        return LookUp(client_id, Verdict.NO_ANSWER)
    body = _parsed(answer.body)
    if answer.status == 200 and body.get("id"):
        return LookUp(client_id, Verdict.FOUND, _short(body["id"]), _short(body.get("status")))
    return LookUp(client_id, Verdict.NOT_FOUND if answer.status == 404 else Verdict.NO_ANSWER)


def _parsed(raw: bytes) -> dict[str, Any]:
    """The JSON object, or an empty one for anything else."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _short(value: Any) -> str:
    return "" if value is None else str(value)[:120]


def judged(letter: Letter, answer: Answer) -> Outcome:
    """What an answer of the gateway proves about the letter."""
    body, status = _parsed(answer.body), answer.status
    detail = _short(body.get("error")) or str(status)
    if status in (200, 201) and body.get("id"):
        return Outcome(letter, Result.ACCEPTED, provider_id=_short(body["id"]))
    if status == 422:
        blocked = str(body.get("error_code")) == str(BLOCKED_BY_SUBSCRIBER)
        return Outcome(letter, Result.REFUSED, Reason.BLOCKED if blocked else Reason.GATEWAY, detail)
    if status == 409:  # the same text to the same number within a minute: perhaps ours, perhaps a brother's
        return Outcome(letter, Result.UNKNOWN, Reason.SAME_TEXT, detail)
    if status in (429, 503) or status in MISCONFIGURED:
        return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, detail, retry_after=_retry_after(answer))
    if status in (400, 413):
        return Outcome(letter, Result.REFUSED, Reason.GATEWAY, detail)
    return Outcome(letter, Result.UNKNOWN, Reason.NO_ANSWER, str(status))


def _retry_after(answer: Answer) -> float | None:
    """Seconds; a date or nonsense counts as not given."""
    try:
        return max(0.0, float(answer.headers.get("retry-after", "")))
    except ValueError:
        return None
