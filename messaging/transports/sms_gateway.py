"""The generic SMS gateway contract (`SMS_GATEWAY_URL`): POST /v1/messages, GET /v1/messages?client_id=…

An answer is classified by what it proves. 429, 503 and a connection that never came about: surely not accepted.
A timeout, a reset, 500, or something with 200 that is not the promised JSON: unknown.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from django.conf import settings

from messaging.models.outbox import Reason
from messaging.transports.base import Deadline, Letter, LookUp, Outcome, Result, Verdict

TIMEOUT = (3.0, 10.0)
THREADS = 16
LARGEST_ANSWER = 64 * 1024
BLOCKED_BY_SUBSCRIBER, SAME_TEXT = 8, 9
MISCONFIGURED = frozenset({401, 402, 403, 404, 405})  # our key, our money, our address: not the message's fault


@dataclass
class Answer:
    status: int
    body: dict[str, Any] | None  # None = not a JSON object
    headers: Any


@dataclass
class SmsGateway:
    url: str
    sender: str
    dedupe: str = "key"
    key_seconds: float = 3600
    settle_seconds: float = 30
    batch: int = 500
    call_seconds: float = sum(TIMEOUT)
    local: threading.local = field(default_factory=threading.local)

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
        with ThreadPoolExecutor(min(THREADS, len(letters))) as pool:
            return list(pool.map(lambda letter: self._send_one(letter, deadline), letters))

    def look_up(self, client_ids: Sequence[str]) -> list[LookUp]:
        if self.dedupe not in ("key", "lookup"):
            return [LookUp(client_id, Verdict.NO_ANSWER) for client_id in client_ids]
        with ThreadPoolExecutor(min(THREADS, len(client_ids))) as pool:
            return list(pool.map(self._look_up_one, client_ids))

    def _session(self) -> requests.Session:
        """One a thread: sessions are not made to be shared. No proxies or passwords from the environment."""
        session: requests.Session | None = getattr(self.local, "session", None)
        if session is None:
            session = self.local.session = requests.Session()
            session.trust_env = False
        return session

    def _send_one(self, letter: Letter, deadline: Deadline) -> Outcome:
        if deadline.passed():
            return Outcome(letter, Result.NOT_TRIED)
        body = {"to": letter.to, "text": letter.text, "client_id": letter.client_id, "sender": self.sender}
        try:
            answer = self._call("POST", json=body, headers={"Idempotency-Key": letter.client_id})
        except requests.RequestException as error:
            return _failed(letter, error)
        return judged(letter, answer)

    def _look_up_one(self, client_id: str) -> LookUp:
        try:
            answer = self._call("GET", params={"client_id": client_id})
        except requests.RequestException:
            return LookUp(client_id, Verdict.NO_ANSWER)
        if answer.status == 200 and answer.body and answer.body.get("id"):
            return LookUp(client_id, Verdict.FOUND, _short(answer.body["id"]), _short(answer.body.get("status")))
        return LookUp(client_id, Verdict.NOT_FOUND if answer.status == 404 else Verdict.NO_ANSWER)

    def _call(self, method: str, **given: Any) -> Answer:
        session = self._session()
        url = f"{self.url}/v1/messages"
        with session.request(method, url, timeout=TIMEOUT, allow_redirects=False, stream=True, **given) as response:
            raw = response.raw.read(LARGEST_ANSWER + 1, decode_content=True)
            return Answer(response.status_code, _parsed(raw), response.headers)


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(raw) if len(raw) <= LARGEST_ANSWER else None
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _short(value: Any) -> str:
    return "" if value is None else str(value)[:120]


def _failed(letter: Letter, error: requests.RequestException) -> Outcome:
    """Never connected = never accepted. Whatever happened later may have been accepted."""
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return Outcome(letter, Result.REFUSED, Reason.BAD_MESSAGE, type(error).__name__)
    cause = getattr(error.args[0], "reason", None) if error.args else None
    never = (
        isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError)
        or "NewConnection" in type(cause).__name__
    )
    if never or "NameResolution" in type(cause).__name__:
        return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, type(error).__name__)
    return Outcome(letter, Result.UNKNOWN, Reason.NO_ANSWER, type(error).__name__)


def judged(letter: Letter, answer: Answer) -> Outcome:
    """What an answer of the gateway proves about the letter."""
    body, status = answer.body or {}, answer.status
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
        return max(0.0, float(answer.headers.get("Retry-After", "")))
    except ValueError:
        return None
