"""Bounces: delivery status notifications (RFC 3464) read from raw mails that anybody may have sent.

A report says something only about a mail of ours: it must quote a Message-ID that we made. That is a secret of the
recipient and the servers on the way, so a stranger cannot have addresses closed by writing to our mailbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message

LARGEST = 1024 * 1024
MOST_REPORTS = 50  # recipients of one notification
STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
ADDRESS = re.compile(r"[^\s<>;,\"]{1,64}@[^\s<>;,\"]{1,255}")
# RFC 3463: no such mailbox, no such host, mailbox disabled or moved. What says something about the address for good;
# a full mailbox (5.2.2), a letter too large (5.3.4) or taken for spam (5.7) says nothing about it.
DEAD = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
VAGUE = frozenset({"", "5.0.0", "5.5.0", "5.2.0"})  # some servers say no more: then the words of the other side decide
NOBODY = re.compile(r"\b55[013]\b|unrouteable|unknown user|user unknown|no such (user|mailbox|recipient)", re.I)


@dataclass(frozen=True)
class Bounce:
    """`client_id`: the message that it is about; `status` as 5.1.1; `recipients`: whom it names, in small letters.

    `failed` = it will not be tried again; `dead` = the address itself is no good.
    """

    client_id: str
    status: str
    recipients: frozenset[str]
    failed: bool
    dead: bool


def is_dead(status: str, words: str = "") -> bool:
    """Whether a refusal for good says that there is no such address. `words`: the other side's, for vague codes."""
    return status in DEAD or (status in VAGUE and bool(NOBODY.search(words)))


def status_in(text: str) -> str:
    """The first enhanced status code (RFC 3463) of a server's words, or ''."""
    found = STATUS.search(text)
    return found[0] if found else ""


def bounces_of(raw: bytes, domain: str) -> list[Bounce]:
    """What a mail says about ours, whose Message-ID is <32 hex digits @ domain>. Empty for anything else, however broken."""
    if len(raw) > LARGEST:
        return []
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        if mail.get_content_type() != "multipart/report":
            return []
        parts = list(mail.walk())
        client_id = _ours(parts, domain)
        return [] if not client_id else [_bounce(client_id, fields) for fields in _failures(parts)][:MOST_REPORTS]
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return []  # a mail that the parser of the standard library chokes on is no notification of anybody


def _ours(parts: list[Message], domain: str) -> str:
    """The client_id of the mail that is quoted as a whole or by its headers; not one that stands in somebody's text."""
    wanted = re.compile(rf"<([0-9a-f]{{32}})@{re.escape(domain)}>", re.I)
    for part in parts:
        quoted: list[str] = []
        if part.get_content_type() == "message/rfc822" and isinstance(part.get_payload(), list):
            quoted = [str(one.get("Message-ID", "")) for one in part.get_payload() if isinstance(one, Message)]
        elif part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
            text = part.get_payload(decode=True)
            headers = message_from_bytes(text if isinstance(text, bytes) else b"", policy=policy.compat32)
            quoted = [str(headers.get("Message-ID", ""))]
        for value in quoted:
            if found := wanted.fullmatch(value.strip()):
                return found[1].lower()
    return ""


def _failures(parts: list[Message]) -> Iterator[Message]:
    """The fields of each recipient: the blocks of message/delivery-status after the first one."""
    for part in parts:
        if part.get_content_type() == "message/delivery-status" and isinstance(part.get_payload(), list):
            yield from (one for one in part.get_payload() if isinstance(one, Message) and one.get("Action"))


def _bounce(client_id: str, fields: Message) -> Bounce:
    words = str(fields.get("Diagnostic-Code", ""))
    status, said = status_in(str(fields.get("Status", ""))), status_in(words)
    if status in VAGUE and said[:1] == "5":
        status = said
    names = [str(fields.get(name, "")) for name in ("Final-Recipient", "Original-Recipient")]
    people = frozenset(found[0].lower() for text in names if (found := ADDRESS.search(text.partition(";")[2])))
    failed = str(fields.get("Action", "")).split("(")[0].strip().lower() == "failed"
    return Bounce(client_id, status, people, failed, failed and is_dead(status, words))
