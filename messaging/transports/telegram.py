"""Telegram by the Bot API (`TELEGRAM_BOT_TOKEN`): sendMessage, plain text, to chats that patients linked themselves.

There is no key and nothing to ask: a lost answer leaves an unknown outcome. 429 says how long to wait and is surely not
accepted; 403 and "chat not found" are about the chat and never get better. The token is part of the address: no error of
a library that quotes addresses may reach a row or a log.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from messaging.models.outbox import Reason
from messaging.transports.base import CLOCK, Deadline, Letter, LookUp, Outcome, Result, Verdict
from messaging.transports.pooled_http import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    Answer,
    Call,
    Failure,
    Origin,
    exchange,
)

A_SECOND = 30  # messages a second that a bot may send to different chats
CONNECTIONS = 8
LONGEST = 4096  # characters of one message
GONE = ("chat not found", "user not found", "peer_id_invalid", "group chat was deactivated", "chat_id is empty")
OURS = frozenset({401, 404, 405})  # a wrong token or address: not the message's fault
_quiet_until: dict[str, float] = {}  # of each bot, on CLOCK: Telegram named a pause, so that long nobody asks


@dataclass
class Telegram:
    url: str
    token: str
    dedupe: str = "none"
    batch: int = A_SECOND
    call_seconds: float = CONNECT_SECONDS + ANSWER_SECONDS
    key_seconds: float = 0
    settle_seconds: float = 30

    @classmethod
    def from_settings(cls) -> Telegram:
        return cls(settings.TELEGRAM_API_URL, settings.TELEGRAM_BOT_TOKEN)

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> list[Outcome]:
        """At most `A_SECOND` calls a second. After a 429 nothing is tried until the pause that it named is over."""
        pause = self._pause()
        if pause > 0:
            return [Outcome(one, Result.NOT_ACCEPTED, Reason.BUSY, "429", retry_after=pause) for one in letters]
        fit = [one for one in letters if _chat(one) is not None and 0 < len(one.text) <= LONGEST]
        outcomes = {one.id: Outcome(one, Result.REFUSED, Reason.BAD_MESSAGE) for one in letters}
        for at in range(0, len(fit), A_SECOND):
            began = time.monotonic()
            some = fit[at : at + A_SECOND]
            calls = [("sendMessage", _said(one)) for one in some]
            answers = self._calls(calls, deadline)
            outcomes |= {one.id: _outcome(one, answer) for one, answer in zip(some, answers, strict=True)}
            self._remember(outcomes.values())
            time.sleep(max(0.0, len(some) / A_SECOND - (time.monotonic() - began)))
        return [outcomes[one.id] for one in letters]

    def look_up(self, client_ids: Mapping[str, str]) -> list[LookUp]:
        return [LookUp(client_id, Verdict.NO_ANSWER) for client_id in client_ids]

    def call(self, method: str, **said: Any) -> dict[str, Any]:
        """One call outside of the outbox (setWebhook …). Raises RuntimeError with Telegram's own words."""
        [answer] = self._calls([(method, said)], Deadline(60))
        body = _parsed(answer)
        if not isinstance(answer, Answer) or body.get("ok") is not True:
            raise RuntimeError(str(body.get("description") or getattr(answer, "kind", "no answer")))
        return body

    def _calls(self, calls: Sequence[tuple[str, dict[str, Any]]], deadline: Deadline) -> list[Answer | Failure | None]:
        try:
            origin = Origin.of(f"{self.url}/bot{self.token}")
        except ValueError:
            return [Failure(sent=False, kind="TELEGRAM_API_URL") for _call in calls]
        made = [Call("POST", f"/{method}", json=said) for method, said in calls]
        return exchange(origin, made, deadline.passed, CONNECTIONS)

    def _pause(self) -> float:
        return _quiet_until.get(self.token, 0.0) - time.clock_gettime(CLOCK)

    def _remember(self, outcomes: Any) -> None:
        if asked := [one.retry_after for one in outcomes if one.retry_after]:
            _quiet_until[self.token] = time.clock_gettime(CLOCK) + max(asked)


def _chat(letter: Letter) -> int | None:
    digits = letter.to.removeprefix("-")
    return int(letter.to) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def _said(letter: Letter) -> dict[str, Any]:
    """No parse_mode: a name with a `*` or `<` is text. Links are not unfolded: a preview would be fetched by others."""
    return {"chat_id": _chat(letter), "text": letter.text, "link_preview_options": {"is_disabled": True}}


def provider_id(chat_id: int | str, message_id: int | str) -> str:
    """Message numbers are unique within a chat only."""
    return f"{chat_id}:{message_id}"


def _parsed(answer: Answer | Failure | None) -> dict[str, Any]:
    """The JSON object, or an empty one for anything else."""
    try:
        body = json.loads(answer.body) if isinstance(answer, Answer) else {}
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _outcome(letter: Letter, answer: Answer | Failure | None) -> Outcome:
    if answer is None:
        return Outcome(letter, Result.NOT_TRIED)
    if isinstance(answer, Answer):
        return judged(letter, answer)
    if answer.sent:
        return Outcome(letter, Result.UNKNOWN, Reason.NO_ANSWER, answer.kind)
    return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, answer.kind)


def judged(letter: Letter, answer: Answer) -> Outcome:
    """What an answer of the Bot API proves about the letter."""
    body, status = _parsed(answer), answer.status
    words = str(body.get("description") or status)[:120]
    result = body.get("result")
    if status == 200 and body.get("ok") is True and isinstance(result, dict) and result.get("message_id"):
        return Outcome(letter, Result.ACCEPTED, provider_id=provider_id(letter.to, result["message_id"]))
    if body.get("ok") is not False:  # not the Bot API's own words: nobody knows what became of it
        return Outcome(letter, Result.UNKNOWN, Reason.NO_ANSWER, str(status))
    return _refusal(letter, status, words, body)


def _refusal(letter: Letter, status: int, words: str, body: dict[str, Any]) -> Outcome:
    if status == 403:  # blocked by the user, deactivated, never started
        return Outcome(letter, Result.REFUSED, Reason.BLOCKED, words)
    if status == 400:
        gone = any(sign in words.lower() for sign in GONE)
        return Outcome(letter, Result.REFUSED, Reason.BOUNCED if gone else Reason.GATEWAY, words)
    if status == 429 or status in OURS:
        pause = _retry_after(body) if status == 429 else None
        return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, words, retry_after=pause)
    return Outcome(letter, Result.UNKNOWN, Reason.NO_ANSWER, words)


def _retry_after(body: dict[str, Any]) -> float:
    """Seconds; nonsense counts as one."""
    given = body.get("parameters")
    seconds = given.get("retry_after") if isinstance(given, dict) else None
    return max(float(seconds), 1.0) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else 1.0
