"""The token of a public form: which form, since when, and a number that works once. No cookie, no script.

`<form code>.<seconds>.<nonce>.<mac>`. It is no proof of good will (anybody may open the page); it tells how long the
page stood open and that it is ours, and its nonce makes a second press of the button harmless.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

GOOD_FOR = timedelta(hours=12)
FASTEST = timedelta(seconds=2)  # name, phone and a tick cannot be given faster, not even by an address book
MOST_LINKS = 2
NETWORK_LIMIT, PHONE_LIMIT = 10, 5  # enquiries within `WINDOW`; a family and a school behind one address have less
WINDOW = timedelta(minutes=10)
FLOOD_LIMIT, FLOOD_WINDOW = 300, timedelta(hours=1)  # what a disk has to be kept from, not a person
LINK = re.compile(r"https?://|www\.|\[url|<a\s", re.IGNORECASE)
TOKEN = re.compile(r"(?P<code>[\w-]{1,40})\.(?P<at>\d{1,12})\.(?P<nonce>[0-9a-f]{32})\.(?P<mac>[0-9a-f]{64})", re.ASCII)
HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True)
class Token:
    """`since`: when the page was shown."""

    since: datetime
    nonce: str


def make_token(code: str, since: datetime, nonce: str, *, secret: str) -> str:
    body = f"{code}.{int(since.timestamp())}.{nonce}"
    return f"{body}.{_mac(body, secret)}"


def read_token(text: str, code: str, *, now: datetime, secrets: Sequence[str]) -> Token | None:
    """None for what we did not make, made for another form, or made more than `GOOD_FOR` ago (or in the future)."""
    match = TOKEN.fullmatch(text)
    if match is None or match["code"] != code:
        return None
    body = text.rpartition(".")[0]
    if not any(hmac.compare_digest(_mac(body, secret), match["mac"]) for secret in secrets):
        return None
    since = datetime.fromtimestamp(int(match["at"]), UTC)  # ours: it bears our MAC
    return Token(since, match["nonce"]) if timedelta(seconds=-1) <= now - since <= GOOD_FOR else None


def _mac(body: str, secret: str) -> str:
    return hmac.new(secret.encode(), f"funnel.form:{body}".encode(), hashlib.sha256).hexdigest()


def suspicion_of(*, trap: str, spent: timedelta | None, text: str, of_network: int, of_phone: int) -> str:
    """Why an enquiry looks like spam (`LeadPost.Suspicion`), "" when it does not.

    `spent`: how long the page stood open (None: a signed post, that has no page); `of_network`, `of_phone`: enquiries
    of the same address and phone within `WINDOW`, before this one. A suspicion refuses nobody: it is a mark.
    """
    reasons = (
        ("trap", bool(trap)),
        ("fast", spent is not None and spent < FASTEST),
        ("network", of_network >= NETWORK_LIMIT),
        ("phone", of_phone >= PHONE_LIMIT),
        ("links", len(LINK.findall(text)) > MOST_LINKS),
    )
    return next((reason for reason, so in reasons if so), "")


def origin_of(text: str) -> str:
    """'https://Clinic.example/price' -> 'https://clinic.example', as `frame-ancestors` wants it; a bare host gets https.

    Raises ValueError. Nothing but scheme, host and port comes through: the text stands in a header.
    """
    given = text.strip()
    parts = urlsplit(given if "://" in given else f"https://{given}")
    host, port = parts.hostname or "", parts.port
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(host) or "@" in parts.netloc:
        raise ValueError(given[:80])
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
