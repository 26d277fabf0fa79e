"""`/b/visit/`: the patient's own visit by a signed link: calendar file, another time, cancelling.

Opening the link exchanges it for a short-lived cookie and leads on to an address without it, so that it stands in no
history, log or Referer (as Django's own password reset does). GET changes nothing: programs open links before people do.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from funnel import actions
from funnel.queries import booking as asked
from funnel.queries.booking import Choice
from funnel.rules.booking import calendar_file
from funnel.views.booking import page, patient, see_other, taken
from patients.actions.booking import BadTime, MoveNotAllowed, SlotTaken
from patients.models import Visit
from staff.access import public
from staff.models import Clinic

COOKIE, SALT = "own_visit", "funnel.own_visit"
HALF_AN_HOUR = 30 * 60


@public
@never_cache
@require_http_methods(["GET", "HEAD"])
def open_link(request: HttpRequest, code: str) -> HttpResponse:
    """404 for a link that we never made, or whose visit has begun."""
    visit = asked.managed(code, timezone.now())
    if visit is None:
        raise Http404
    answer = see_other("/b/visit/")
    answer.set_signed_cookie(
        COOKIE,
        str(visit.pk),
        salt=SALT,
        max_age=HALF_AN_HOUR,
        path="/b/visit/",
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _visit(request: HttpRequest, now: datetime) -> Visit:
    text = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=HALF_AN_HOUR)
    visit = asked.managed_visit(int(text), now) if text else None
    if visit is None:
        raise Http404
    return visit


def _minutes(visit: Visit) -> int:
    return max(5, int((visit.end_at - visit.start_at).total_seconds() // 60))


def _shown(request: HttpRequest, visit: Visit, now: datetime, *, status: int = 200, fault: str = "") -> HttpResponse:
    days = []
    is_open = visit.status == Visit.Status.SCHEDULED
    if is_open:
        choice = Choice(doctor=visit.doctor, length=_minutes(visit))
        days = asked.free_days(visit.branch, [visit.doctor], choice, now)
    context = {"visit": visit, "days": days, "is_open": is_open, "fault": fault}
    return page(request, "own_visit", visit.branch, context, status)


@public
@never_cache
@require_http_methods(["GET", "HEAD"])
def own_visit(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    return _shown(request, _visit(request, now), now)


@public
@never_cache
@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    visit = _visit(request, now)
    try:
        actions.cancel_own(visit_id=visit.pk, by=patient(request), now=now)
    except MoveNotAllowed:
        return _shown(
            request, visit, now, status=409, fault=_("This visit cannot be changed any more. Please call us.")
        )
    return see_other("/b/visit/")


@public
@never_cache
@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """`slot` as the page offers it, of the same doctor."""
    now = timezone.now()
    visit = _visit(request, now)
    try:
        start = datetime.fromisoformat(request.POST.get("slot", "").split(":", 2)[2]).astimezone(UTC)
    except (ValueError, OverflowError, IndexError):
        return _shown(request, visit, now, status=422, fault=_("Choose a free time."))
    slot = asked.slot_at(visit.branch, visit.doctor_id, start, _minutes(visit), now)
    if slot is None:
        return _shown(request, visit, now, status=409, fault=taken())
    try:
        actions.move_own(visit_id=visit.pk, slot=slot, by=patient(request), now=now)
    except SlotTaken:
        return _shown(request, visit, now, status=409, fault=taken())
    except (MoveNotAllowed, BadTime):
        return _shown(
            request, visit, now, status=409, fault=_("This visit cannot be changed any more. Please call us.")
        )
    return see_other("/b/visit/")


@public
@never_cache
@require_GET
def calendar(request: HttpRequest) -> HttpResponse:
    """The visit as a calendar file: time and branch, and nothing that tells what for."""
    now = timezone.now()
    visit = _visit(request, now)
    clinic = Clinic.objects.values_list("name", flat=True).get(pk=1)
    text = calendar_file(
        uid=f"{visit.external_id}@{settings.PUBLIC_URL.split('://')[-1]}",
        start=visit.start_at,
        end=visit.end_at,
        title=_("Visit: %(place)s") % {"place": clinic or visit.branch.name},
        place=", ".join(part for part in (visit.branch.name, visit.branch.address) if part),
        link=f"{settings.PUBLIC_URL}{asked.manage_path(visit.pk)}",
        now=now,
    )
    answer = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return answer
