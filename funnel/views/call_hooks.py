"""What telephony tells us. Public, but each address is verified; the database takes an event before it is answered.

`POST /api/v1/hooks/calls/<source>/` (any system: signed JSON), `.../events/<kind>` (Mango Office), `.../uis/<secret>/`.
The same event again changes nothing, so a provider that got no answer sends it again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.sealed import Damaged
from funnel.actions.calls import take_call_events
from funnel.http import calls as generic
from funnel.http import mango, uis
from funnel.models import TelephonyLine
from funnel.queries.calls import secrets_of
from funnel.rules.calls import Said
from messaging.rules.signature import is_signed
from messaging.views.hooks import problem, too_long
from staff.access import Actor, public
from staff.middleware import address_of

Kind = TelephonyLine.Kind
Genuine = Callable[[dict[str, str], datetime], bool]
Read = Callable[[str], Said | None]


@public
@csrf_exempt
@require_POST
def generic_hook(request: HttpRequest, source: str) -> JsonResponse:
    """200 {new}, 400 no event of a call, 403 unsigned, wrong, stale or of a strange address, 413 too long."""

    def genuine(secrets: dict[str, str], now: datetime) -> bool:
        return is_signed(
            secret=secrets["secret"],
            timestamp=request.headers.get("X-Timestamp", ""),
            signature=request.headers.get("X-Signature", ""),
            body=request.body,
            now=now,
        )

    return _answered(request, source, Kind.GENERIC, genuine, lambda region: generic.said_in(request.body, region))


@public
@csrf_exempt
@require_POST
def mango_hook(request: HttpRequest, source: str, kind: str) -> JsonResponse:
    """As the generic one. Events that tell nothing of a call are answered 200 and dropped."""

    def genuine(secrets: dict[str, str], now: datetime) -> bool:
        return mango.is_genuine(request.POST.dict(), secrets["key"], secrets["salt"])

    return _answered(
        request, source, Kind.MANGO, genuine, lambda region: mango.said_in(kind, request.POST.get("json", ""), region)
    )


@public
@csrf_exempt
@require_POST
def uis_hook(request: HttpRequest, source: str, secret: str) -> JsonResponse:
    """As the generic one; the secret stands in the address, for that provider signs nothing."""

    def genuine(secrets: dict[str, str], now: datetime) -> bool:
        return uis.is_genuine(secret, secrets["secret"])

    return _answered(request, source, Kind.UIS, genuine, lambda region: uis.said_in(request.body, region))


def _answered(request: HttpRequest, source: str, kind: Kind, genuine: Genuine, read: Read) -> JsonResponse:
    if too_long(request):
        return problem(413, "too long")
    now = timezone.now()
    lines = TelephonyLine.objects.select_related("source", "branch")
    line = lines.filter(source__code=source, kind=kind, is_active=True).first()
    try:
        if line is None or not generic.comes_from(address_of(request), line.addresses):
            return problem(403, "bad signature")
        if not genuine(secrets_of(line), now):
            return problem(403, "bad signature")
        said = read(line.branch.phone_region if line.branch else "RU")
        by = Actor(kind="key", id=None, name=f"telephony {source}", address=address_of(request))
        fresh = take_call_events(line=line, events=[said], by=by, now=now) if said else 0
    except Damaged:
        return problem(503, "the secret of this line cannot be read")
    except (ValueError, TypeError, OverflowError, RecursionError):
        return problem(400, "no event of a call")
    return JsonResponse({"new": fresh})
