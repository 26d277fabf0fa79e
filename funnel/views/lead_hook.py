"""`POST /api/v1/hooks/leads/<source>/`: enquiries of the clinic's own site, signed with the secret of its source.

`X-Timestamp`, `X-Signature`: hex HMAC-SHA256 over `timestamp.raw body`, good for five minutes. The database takes an
enquiry before it is answered; the same `event_id` again changes nothing, so a site that got no answer sends it again.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from funnel.actions.doors import Words, keep_words
from funnel.actions.incoming import Enquiry
from funnel.actions.public import take_hook
from funnel.forms.public import BadPost, post_fields, text_of, time_of
from funnel.models import Lead, LeadHook
from funnel.queries.public import secret_of
from messaging.rules.signature import is_signed
from messaging.views.hooks import problem, too_long
from patients.models import ConsentText
from patients.models.contact import Purpose
from staff.access import Actor, public
from staff.middleware import address_of


@public
@csrf_exempt
@require_POST
def lead_hook(request: HttpRequest, source: str) -> JsonResponse:
    """201 {id} or 200 when it was known; 401 unsigned, 403 wrong, stale or unknown source, 413 too long, 422 what is wrong."""
    if too_long(request):
        return problem(413, "too long")
    now, stamp = timezone.now(), request.headers.get("X-Timestamp", "")
    signature = request.headers.get("X-Signature", "")
    if not stamp or not signature:
        return problem(401, "unsigned")
    hook = LeadHook.objects.select_related("source", "branch", "channel").filter(source__code=source).first()
    secret = secret_of(hook) if hook is not None and hook.revoked_at is None else ""
    signed = is_signed(secret=secret, timestamp=stamp, signature=signature, body=request.body, now=now)
    if hook is None or not signed:
        return problem(403, "bad signature")
    try:
        return _taken(request, hook, _body(request), now)
    except BadPost as error:
        return JsonResponse(
            {"title": "wrong", "status": 422, "errors": {error.field: [error.reason]}},
            status=422,
            content_type="application/problem+json",
        )


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadPost("body", "must be JSON") from error
    if not isinstance(body, dict):
        raise BadPost("body", "must be an object")
    return body


def _taken(request: HttpRequest, hook: LeadHook, body: dict[str, Any], now: datetime) -> JsonResponse:
    fields = post_fields(body)
    by = Actor(kind="key", id=None, name=f"site {hook.source.code}", address=address_of(request))
    agreed = [_agreed(body, "consent", Purpose.PROCESSING, by, now)]
    if body.get("marketing_consent") is not None:
        agreed.append(_agreed(body, "marketing_consent", Purpose.MARKETING, by, now))
    given = body["consent"]
    event_id, promo = fields.pop("event_id"), fields.pop("promo_code")
    created_at = min(fields.pop("created_at") or now, now)
    known = Lead.objects.filter(source=hook.source, external_id=event_id).exists()
    enquiry = Enquiry(
        **fields | {"page": fields["page"].partition("?")[0]},
        kind=Lead.Kind.FORM,
        created_at=created_at,
        source=hook.source,
        external_id=event_id,
        promo_code=promo,
        branch=hook.branch,
        consent_at=min(time_of(given, "at") or created_at, now),
        consent_address=text_of(given, "address", 64) or by.address,
        door="form",
    )
    lead = take_hook(enquiry=enquiry, agreed=agreed, channel=hook.channel, by=by, now=now)
    return JsonResponse({"id": lead.pk, "event_id": event_id}, status=200 if known else 201)


def _agreed(body: dict[str, Any], name: str, purpose: Purpose, by: Actor, now: datetime) -> ConsentText:
    """The words by their hash; new words may come along as `text` and are kept. Raises BadPost.

    Words that nobody can show prove nothing (R29): a hash alone is good only where we have its words.
    """
    given = body.get(name)
    if not isinstance(given, dict):
        raise BadPost(name, "is required: {text_hash, text?, at?, address?}")
    digest = text_of(given, "text_hash", 64).lower()
    if not digest:
        raise BadPost(f"{name}.text_hash", "is required")
    words = given.get("text")
    if isinstance(words, str) and 0 < len(words) <= 20_000:
        language = text_of(body, "language", 2) or "ru"
        found = keep_words(words=[Words(purpose, language, words)], by=by, now=now)
        if found[0].hash != digest:
            raise BadPost(f"{name}.text_hash", "is not that of the text")
        return found[0]
    known = ConsentText.objects.filter(hash=digest, purpose=purpose).order_by("id").first()
    if known is None:
        raise BadPost(f"{name}.text_hash", "is not known: send the text along")
    return known
