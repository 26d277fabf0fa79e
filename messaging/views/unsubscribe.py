"""`/u/<code>/`: the end of advertising, by the link of a message. No login; GET changes nothing (link scanners follow it).

A mail program's one-click POST (RFC 8058) comes without cookie or CSRF token; the signed code is the right to do it.
"""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from messaging import actions
from messaging.models import Message
from messaging.queries.links import unsubscribing
from messaging.rules.masks import masked
from patients.models.person import Transport
from staff.access import PATIENT, Actor, public
from staff.middleware import address_of

ONE_CLICK = "One-Click"


@public
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, code: str) -> HttpResponse:
    """GET: what would be stopped. POST: stop it (`everywhere` = by every transport). 404 for a code we never made."""
    number = unsubscribing(code)
    message = None if number is None else Message.objects.select_related("patient__canonical").filter(pk=number).first()
    if message is None:
        return render(request, "messaging/unsubscribe.html", {"known": False}, status=404)
    done = request.method == "POST"
    if done:
        everywhere = request.POST.get("everywhere") == "1"
        actions.unsubscribe(message=message, everywhere=everywhere, by=_patient(request), now=timezone.now())
        if request.POST.get("List-Unsubscribe") == ONE_CLICK:
            return HttpResponse(status=200)
    context = {
        "known": True,
        "done": done,
        "transport": Transport(message.transport).label,
        "address": masked(message.address),
    }
    return render(request, "messaging/unsubscribe.html", context)


def _patient(request: HttpRequest) -> Actor:
    return replace(PATIENT, address=address_of(request))
