"""Bookings to the MIS by a signed webhook: one POST a booking, no redirects, no repeats of its own."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from messaging.rules.signature import sign

SECONDS, LARGEST = 10.0, 64 * 1024


@dataclass(frozen=True)
class MisAnswer:
    """`state`: sent (taken, the decision comes later), accepted, refused, or "" (no answer: to be tried again)."""

    state: str
    reason: str = ""
    mis_id: str = ""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def post_booking(*, url: str, secret: str, body: Mapping[str, Any], now: datetime) -> MisAnswer:
    """200 or 201 with `{"state": "accepted" | "refused", "reason", "id"}` decides; 202 (or no such body) is "sent"; 409 and
    422 refuse; anything else is no answer. The signature is that of our other hooks: HMAC over `timestamp.body`."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("the address of the MIS must be http or https")
    raw, stamp = json.dumps(body, ensure_ascii=False).encode(), now.isoformat()
    headers = {
        "Content-Type": "application/json",
        "X-Timestamp": stamp,
        "X-Signature": sign(secret, stamp, raw),
        "Idempotency-Key": f"{body['external_id']}-{body['version']}",
    }
    request = urllib.request.Request(url, data=raw, headers=headers, method="POST")  # noqa: S310 - scheme checked above
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=SECONDS) as answer:
            return _said(answer.status, answer.read(LARGEST))
    except urllib.error.HTTPError as error:
        return _said(error.code, error.read(LARGEST))
    except (OSError, HTTPException) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        return MisAnswer("", cause if isinstance(cause, str) else type(cause).__name__)


def _said(status: int, raw: bytes) -> MisAnswer:
    try:
        read = json.loads(raw or b"{}")
    except ValueError:
        read = {}
    body: dict[str, Any] = read if isinstance(read, dict) else {}
    reason, mis_id = str(body.get("reason", ""))[:300], str(body.get("id", ""))[:120]
    if status in (200, 201, 202):
        state = body.get("state")
        return MisAnswer(state if state in ("accepted", "refused") else "sent", reason, mis_id)
    if status in (409, 422):
        return MisAnswer("refused", reason or str(status), mis_id)
    return MisAnswer("", f"HTTP {status}")
