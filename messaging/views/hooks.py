"""What providers tell us: delivery reports, answers of patients, updates of Telegram. Public, but each one is verified.

`POST /api/v1/hooks/messages/<transport>/`, `/api/v1/hooks/replies/<transport>/` (sms = the generic contract, smsc = a form
of that provider), `/api/v1/hooks/telegram/`. The database takes them before they are answered, so that a provider that
got no answer may send them again: doubled ones change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from messaging import actions
from messaging.rules.signature import instant_of, is_signed
from messaging.transports import smsc, smsc_replies
from staff.access import public

LARGEST = 64 * 1024
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no phone wrote to us before: a broken clock, and no date to count from
Take = Callable[[dict[str, Any], datetime], bool]


class NotSigned(Exception):
    """401 without a signature, 403 with a wrong or stale one."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


@public
@csrf_exempt
@require_POST
def delivery_report(request: HttpRequest, transport: str) -> JsonResponse:
    """200 known, 202 unknown message, 400 no report, 401 unsigned, 403 wrong or stale signature, 413 too long."""
    return _answered(request, transport, _report)


@public
@csrf_exempt
@require_POST
def reply(request: HttpRequest, transport: str) -> JsonResponse:
    """{event_id, from, to, text, received_at, in_reply_to?}, signed as reports are. 200, or as for reports."""
    return _answered(request, transport, _reply)


def _answered(request: HttpRequest, transport: str, take: Take) -> JsonResponse:
    if too_long(request):
        return problem(413, "too long")
    now = timezone.now()
    try:
        known = _form(request, now) if transport == "smsc" else take(_signed(request, transport, now), now)
    except NotSigned as error:
        return problem(error.status, "unsigned" if error.status == 401 else "bad signature")
    except (ValueError, RecursionError) as error:
        return problem(400, str(error)[:80] if isinstance(error, actions.BadReport) else "not a report")
    return JsonResponse({"known": known}, status=200 if known else 202)


def _signed(request: HttpRequest, transport: str, now: datetime) -> dict[str, Any]:
    """The JSON object of the generic contract. Raises NotSigned, ValueError."""
    stamp, signature = request.headers.get("X-Timestamp", ""), request.headers.get("X-Signature", "")
    if not signature or not stamp:
        raise NotSigned(401)
    secret = settings.SMS_GATEWAY_SECRET
    if transport != "sms" or not is_signed(
        secret=secret, timestamp=stamp, signature=signature, body=request.body, now=now
    ):
        raise NotSigned(403)
    body = json.loads(request.body)
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body


def _report(body: dict[str, Any], now: datetime) -> bool:
    return actions.take_report(transport="sms", report=body, now=now)


def _reply(body: dict[str, Any], now: datetime) -> bool:
    words = {name: body.get(name) for name in ("event_id", "from", "text")}
    at = instant_of(body.get("received_at"))
    for name, value in words.items():
        if not isinstance(value, str) or not value.strip("\x00 ") or (name != "text" and len(value) > 120):
            raise actions.BadReport(name)
    if at is None or at < EARLIEST:
        raise actions.BadReport("received_at")
    hint = body.get("in_reply_to")
    _take_reply("sms", str(words["event_id"]), str(words["from"]), str(words["text"]), at, now, hint)
    return True


def _take_reply(
    transport: str, event_id: str, address: str, text: str, at: datetime, now: datetime, hint: Any = None
) -> None:
    known = hint if isinstance(hint, str) and "\x00" not in hint else None
    actions.take_reply(
        transport=transport,
        event_id=event_id.replace("\x00", ""),
        address=address,
        text=text,
        received_at=at,
        now=now,
        answers_hint=known,
    )


def _form(request: HttpRequest, now: datetime) -> bool:
    """One address takes both of what SMSC calls back: a status of a message, or an answer. Raises NotSigned, ValueError."""
    charset = smsc_replies.charset_of(request.GET.get("charset", ""))
    form, secret = smsc_replies.form_of(request.body, charset), settings.SMS_GATEWAY_SECRET
    if not (form.get("sha1") or form.get("md5")):
        raise NotSigned(401)
    if smsc_replies.is_answer(form):
        if not smsc_replies.is_genuine_answer(form, secret, charset):
            raise NotSigned(403)
        said = smsc_replies.answer_in(form)
        if smsc_replies.is_stale(said, now):
            raise NotSigned(403)
        _take_reply("sms", said.event_id, said.phone, said.text, said.received_at or now, now)
        return True
    if not smsc.is_genuine(form, secret):
        raise NotSigned(403)
    report = smsc.report_of(form)
    return report is None or _report(report | {"occurred_at": report["occurred_at"] or now.isoformat()}, now)


def too_long(request: HttpRequest) -> bool:
    return int(request.headers.get("Content-Length") or 0) > LARGEST


def problem(status: int, title: str) -> JsonResponse:
    return JsonResponse({"title": title, "status": status}, status=status, content_type="application/problem+json")
