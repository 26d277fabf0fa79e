"""SMS through a provider of the SMSC kind (`SMS_GATEWAY_URL=smsc+https://login:password@host`): /sys/send.php,
/sys/status.php, answers in JSON (fmt=3). Without a login the password is an API key.

It knows no idempotency key, but takes our own id and can be asked by phone and id: `dedupe = lookup`. The same text to
the same phone within a minute is answered with error 9, whoever it was for: that is no failure but a question for the
look-up. Two members of a family with one phone and one text look identical to it, so texts name the person or the time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

from core.money import parse_money
from messaging.models.outbox import Reason
from messaging.transports.base import Deadline, Letter, LookUp, Outcome, Result, Verdict
from messaging.transports.pooled_http import ANSWER_SECONDS, CONNECT_SECONDS, Answer, Call, Failure, Origin, exchange

SEND, STATUS = "/sys/send.php", "/sys/status.php"
WINDOW = 60.0  # seconds in which an identical request is error 9
CONNECTIONS = 10  # 15 at once under one login are error 9, too
ASKED_TOGETHER = 100
SLOW_DOWN = 30.0  # seconds after its "too often"
# Error codes of send.php. 1 to 4: our settings, our money, our address: the message may go later, once they are right.
PARAMETERS, LOGIN, MONEY, ADDRESS_BLOCKED = "1", "2", "3", "4"
OURS = {PARAMETERS: "parameters", LOGIN: "login or password", MONEY: "no money", ADDRESS_BLOCKED: "IP blocked"}
DATE, FORBIDDEN, NUMBER, UNDELIVERABLE, SAME = "5", "6", "7", "8", "9"
# Statuses of status.php and of callbacks → the words of `messaging.actions.reports`; "" = on its way.
STATUSES = {
    "-2": "", "-1": "", "0": "sent", "1": "delivered", "2": "delivered", "4": "delivered",
    "3": "expired", "20": "undelivered", "22": "undelivered", "23": "undelivered", "24": "undelivered",
    "25": "undelivered",
}  # fmt: skip
NOT_FOUND = "-3"
BLOCKED_NUMBERS = frozenset({"13", "249"})  # `err` of a status: the subscriber is barred, or has refused mailings


@dataclass
class Smsc:
    url: str
    login: str
    password: str
    sender: str
    settle_seconds: float = WINDOW  # an answer was lost, or it said "the same": not repeated before the window is over
    dedupe: str = "lookup"
    key_seconds: float = 0
    batch: int = 500
    call_seconds: float = CONNECT_SECONDS + ANSWER_SECONDS

    @classmethod
    def from_settings(cls) -> Smsc:
        return cls.from_url(settings.SMS_GATEWAY_URL, settings.SMS_SENDER, settings.SENDING_BATCH)

    @classmethod
    def from_url(cls, url: str, sender: str, batch: int = 500) -> Smsc:
        """`smsc+https://login:password@host[:port]/?window=60`. Raises ValueError for anything else."""
        parts = urlsplit(url)
        scheme = parts.scheme.partition("+")[2]
        if not parts.scheme.startswith("smsc+") or scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("SMS_GATEWAY_URL must look like smsc+https://login:password@host")
        port = f":{parts.port}" if parts.port else ""
        window = float(parse_qs(parts.query).get("window", [WINDOW])[0])
        login, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(f"{scheme}://{parts.hostname}{port}{parts.path}", login, password, sender, window, batch=batch)

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> list[Outcome]:
        origin = Origin.of(self.url)
        calls = [self._call(SEND, self._message(letter)) for letter in letters]
        answers = exchange(origin, calls, deadline.passed, CONNECTIONS)
        return [judged(letter, answer) for letter, answer in zip(letters, answers, strict=True)]

    def look_up(self, asked: Mapping[str, str]) -> list[LookUp]:
        """Many ids a request: it answers a list."""
        ids, origin = list(asked), Origin.of(self.url)
        groups = [ids[at : at + ASKED_TOGETHER] for at in range(0, len(ids), ASKED_TOGETHER)]
        questions = [
            {"id": ",".join(g) + ",", "phone": ",".join(_digits(asked[id_]) for id_ in g) + ","} for g in groups
        ]
        calls = [self._call(STATUS, question) for question in questions]
        answers = exchange(origin, calls, lambda: False, CONNECTIONS)
        return [line for group, answer in zip(groups, answers, strict=True) for line in _looked_up(group, answer)]

    def _message(self, letter: Letter) -> dict[str, str]:
        more = {"sender": self.sender} if self.sender else {}
        return {"phones": letter.to, "mes": letter.text, "id": letter.client_id, "cost": "3", **more}

    def _call(self, path: str, words: Mapping[str, str]) -> Call:
        """A form in the body: what is in an address is written down by every proxy, and here it would be the password."""
        who = {"login": self.login, "psw": self.password} if self.login else {"apikey": self.password}
        return Call("POST", path, form={**who, **words, "fmt": "3", "charset": "utf-8"})


def judged(letter: Letter, answer: Answer | Failure | None) -> Outcome:
    """What an answer proves about the letter. Anything that is not its JSON with 200 proves nothing, save that a
    connection that never came about carried nothing and that 429 and 503 took nothing."""
    if answer is None:
        return Outcome(letter, Result.NOT_TRIED)
    if isinstance(answer, Failure):
        result, reason = (Result.UNKNOWN, Reason.NO_ANSWER) if answer.sent else (Result.NOT_ACCEPTED, Reason.BUSY)
        return Outcome(letter, result, reason, answer.kind)
    if answer.status in (429, 503):
        return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, str(answer.status))
    body = _parsed(answer) if answer.status == 200 else None
    return _said(letter, body if isinstance(body, dict) else {}, str(answer.status))


def _said(letter: Letter, body: Mapping[str, Any], status: str) -> Outcome:
    if "error_code" in body:
        return _refusal(letter, str(body["error_code"]), str(body.get("error", ""))[:120])
    if str(body.get("id", "")) == letter.client_id:
        return Outcome(letter, Result.ACCEPTED, provider_id=letter.client_id, cost=cost_of(body.get("cost")))
    return Outcome(letter, Result.UNKNOWN, Reason.NO_ANSWER, status)


def _refusal(letter: Letter, code: str, words: str) -> Outcome:
    detail = f"{code} {words}"
    if code == SAME and "concurrent" not in words.lower():  # it has this very text already: ours, or a brother's
        return Outcome(letter, Result.UNKNOWN, Reason.SAME_TEXT, detail)
    if code in OURS or code == SAME:
        return Outcome(
            letter, Result.NOT_ACCEPTED, Reason.BUSY, detail, retry_after=SLOW_DOWN if code == SAME else None
        )
    return Outcome(letter, Result.REFUSED, Reason.BLOCKED if code == UNDELIVERABLE else Reason.GATEWAY, detail)


def _looked_up(ids: Sequence[str], answer: Answer | Failure | None) -> list[LookUp]:
    """One answer a message, a single one without the list; an error of the whole question answers nothing."""
    body = _parsed(answer) if isinstance(answer, Answer) and answer.status == 200 else None
    lines = body if isinstance(body, list) else [{"id": ids[0], **body}] if isinstance(body, dict) else []
    found = {str(line.get("id", "")): line for line in lines if isinstance(line, dict) and "status" in line}
    return [_one(id_, found[id_]) if id_ in found else LookUp(id_, Verdict.NO_ANSWER) for id_ in ids]


def _one(client_id: str, line: Mapping[str, Any]) -> LookUp:
    status = str(line["status"])
    if status == NOT_FOUND:
        return LookUp(client_id, Verdict.NOT_FOUND)
    return LookUp(client_id, Verdict.FOUND, client_id, STATUSES.get(status, ""), cost_of(line.get("cost")))


def report_of(form: Mapping[str, str]) -> dict[str, Any] | None:
    """One callback of a status, as its form comes, in the words of `messaging.actions.take_report`.

    None for a status that says nothing new. Raises ValueError for a form that is none. The same status of a message is
    the same event, however often it is called back; the time is the provider's (`ts` or `time`).
    """
    id_, status = form.get("id", ""), form.get("status", "")
    if not id_ or (status not in STATUSES and status != NOT_FOUND):
        raise ValueError("no report")
    if not STATUSES.get(status):
        return None
    at = form.get("ts") or form.get("last_timestamp") or ""
    occurred = datetime.fromtimestamp(int(at), UTC).isoformat() if at.isdecimal() and len(at) < 12 else None
    err = form.get("err", "")
    return {
        "event_id": f"smsc:{id_[:60]}:{form.get('phone', '')[:20]}:{status}",
        "client_id": id_,
        "status": STATUSES[status],
        "occurred_at": occurred,
        "blocked": err in BLOCKED_NUMBERS or status == "23",
        "cost": cost_of(form.get("cost")),
    }


def is_genuine(form: Mapping[str, str], secret: str) -> bool:
    """Its callbacks carry SHA-1 or MD5 of `id:phone:status:secret word`. False without a secret or a signature."""
    words = ":".join((form.get("id", ""), form.get("phone", ""), form.get("status", ""), secret)).encode()
    for name in ("sha1", "md5"):
        if secret and form.get(name):
            return hmac.compare_digest(
                hashlib.new(name, words).hexdigest().encode(), form[name].strip().lower().encode()
            )
    return False


def cost_of(value: Any) -> int | None:
    """'3.5' or 3.5 → 350 minor units; None for what is no price."""
    try:
        return parse_money(f"{float(value):.2f}")
    except (TypeError, ValueError, OverflowError):
        return None


def _digits(phone: str) -> str:
    return "".join(char for char in phone if char.isdigit())


def _parsed(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None
