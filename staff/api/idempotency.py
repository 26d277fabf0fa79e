"""The header `Idempotency-Key` at the doors that create."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from staff.access import Actor
from staff.actions.idempotency import (
    Claim,
    KeyReused,
    StillRunning,
    claim_key,
    keep_answer,
    release_key,
)
from staff.api.problems import Problem, problem

LONGEST_KEY = 120


def once(request: Request, by: Actor, work: Callable[[], Response]) -> HttpResponse:
    """Run `work`; under an `Idempotency-Key`, once: the same request again gets the same answer (header
    `Idempotency-Replayed: true`), another request under the key 422, one that comes while the first runs 409.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return work()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Problem(
            400, errors={"Idempotency-Key": [_("must be 1 to %(limit)d characters") % {"limit": LONGEST_KEY}]}
        )
    claim = _claim(request, by, key)
    if claim.answer is not None:
        return _replay(request, *claim.answer)
    try:
        return _first(claim, work)
    except BaseException:
        release_key(record_id=claim.record_id)
        raise


def _claim(request: Request, by: Actor, key: str) -> Claim:
    raw = request._request
    text = f"{raw.method} {raw.get_full_path()}\n".encode() + raw.body
    try:
        return claim_key(by=by, key=key, fingerprint=hashlib.sha256(text).hexdigest(), now=timezone.now())
    except KeyReused:
        raise Problem(422, _("This Idempotency-Key was used for another request.")) from None
    except StillRunning:
        raise Problem(409, _("The first request with this Idempotency-Key is still running.")) from None


def _first(claim: Claim, work: Callable[[], Response]) -> HttpResponse:
    """The answer is kept in the transaction of the work. A refusal did nothing and is kept after it."""
    try:
        with transaction.atomic():
            response = work()
            body = _rendered(response)
            keep_answer(record_id=claim.record_id, status=response.status_code, body=body)
            return response
    except Problem as refusal:
        answer = problem(refusal, {})
        keep_answer(record_id=claim.record_id, status=answer.status_code, body=answer.content)
        return answer


def _rendered(response: Response) -> bytes:
    from rest_framework.renderers import JSONRenderer

    return JSONRenderer().render(response.data)


def _replay(request: Request, status: int, body: bytes) -> HttpResponse:
    kind = "application/json" if status < 400 else "application/problem+json"
    response = HttpResponse(body, status=status, content_type=kind)
    response.headers["Idempotency-Replayed"] = "true"
    if status == 201:
        import json

        response.headers["Location"] = f"{request.path}{json.loads(body)['id']}/"
    return response
