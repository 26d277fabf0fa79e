"""Delivery reports of providers: `POST /api/v1/hooks/messages/<transport>/`. Public, but every report is signed."""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from messaging import actions
from messaging.rules.signature import is_signed
from staff.access import public

LARGEST = 64 * 1024


@public
@csrf_exempt
@require_POST
def delivery_report(request: HttpRequest, transport: str) -> JsonResponse:
    """200 known, 202 unknown message, 400 no report, 401 unsigned, 403 wrong or stale signature, 413 too long."""
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        return _problem(413, "too long")
    body, now = request.body, timezone.now()
    signature = request.headers.get("X-Signature", "")
    if not signature or not request.headers.get("X-Timestamp"):
        return _problem(401, "unsigned")
    if transport != "sms" or not is_signed(
        secret=settings.SMS_GATEWAY_SECRET,
        timestamp=request.headers.get("X-Timestamp", ""),
        signature=signature,
        body=body,
        now=now,
    ):
        return _problem(403, "bad signature")
    try:
        report = json.loads(body)
        known = isinstance(report, dict) and actions.take_report(transport=transport, report=report, now=now)
    except (ValueError, RecursionError) as error:
        return _problem(400, str(error)[:80] if isinstance(error, actions.BadReport) else "not a report")
    return JsonResponse({"known": known}, status=200 if known else 202)


def _problem(status: int, title: str) -> JsonResponse:
    return JsonResponse({"title": title, "status": status}, status=status, content_type="application/problem+json")
