"""Answers that a provider of the SMSC kind calls back: a form with `phone`, `mes`, `to`, signed with our secret word."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

CHARSETS = {"utf-8": "utf-8", "koi8-r": "koi8-r", "windows-1251": "cp1251"}  # named in the address that it calls
DEFAULT = "cp1251"
MOST_FIELDS = 60
# Its signature covers neither id nor time, so a call that comes again is known by its id, and an old one by its time.
OLDEST, SKEW = timedelta(days=1), timedelta(minutes=5)


@dataclass(frozen=True)
class Inbound:
    """One answer. `received_at` None = the provider did not say."""

    event_id: str
    phone: str
    text: str
    received_at: datetime | None


def charset_of(named: str) -> str:
    return CHARSETS.get(named.lower(), DEFAULT)


def form_of(body: bytes, charset: str) -> dict[str, str]:
    """The fields of a form; Django reads none that is not UTF-8. Raises ValueError for one with too many."""
    text = body.decode("ascii", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, encoding=charset, errors="replace", max_num_fields=MOST_FIELDS))


def is_answer(form: Mapping[str, str]) -> bool:
    return bool(form.get("phone")) and "mes" in form and "status" not in form


def is_genuine_answer(form: Mapping[str, str], secret: str, charset: str) -> bool:
    """SHA-1 or MD5 of `phone:mes:to:secret word`, over the bytes as they were sent. False without a secret or a signature."""
    words = ":".join((form.get("phone", ""), form.get("mes", ""), form.get("to", ""), secret))
    raw = words.encode(charset, "replace")
    for name in ("sha1", "md5"):
        if secret and form.get(name):
            made = hashlib.new(name, raw).hexdigest().encode()
            return hmac.compare_digest(made, form[name].strip().lower().encode())
    return False


def answer_in(form: Mapping[str, str]) -> Inbound:
    """Without an id of its own, what was written by whom and when names it: the call that comes twice says the same.

    Raises ValueError where neither is said: nothing would tell a doubled one from a second answer.
    """
    phone, text, at = form.get("phone", ""), form.get("mes", ""), form.get("ts") or form.get("sent") or ""
    when = at or form.get("time", "")
    if not form.get("id") and not when:
        raise ValueError("neither id nor time")
    named = form.get("id") or hashlib.sha256("\n".join((phone, text, when)).encode()).hexdigest()
    received = datetime.fromtimestamp(int(at), UTC) if at.isdecimal() and len(at) < 12 else None
    return Inbound(f"smsc:{named[:100]}", phone, text, received)


def is_stale(said: Inbound, now: datetime) -> bool:
    """Written so long ago (or so far ahead) that it is no call of today. SMSC repeats what we did not take for a day."""
    return said.received_at is not None and not now - OLDEST < said.received_at <= now + SKEW
