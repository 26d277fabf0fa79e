"""`/b/<place>/`: booking by the patient himself. Plain pages and forms; nothing here needs a script.

GET changes nothing. What a visitor is about to book is found by a random token in a cookie of this path; no address holds
anything personal.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from funnel import actions
from funnel.actions.booking import Unfinished, Visitor
from funnel.actions.codes import TooManyCodes
from funnel.forms.booking import CodeForm, VisitorForm
from funnel.models import OnlineBooking
from funnel.queries import booking as asked
from funnel.queries.booking import Choice
from funnel.rules.booking import MARKETING, PROCESSING, said
from patients.actions.booking import BadTime, SlotTaken
from patients.actions.holds import TooManyHolds
from patients.queries.slots import Slot
from staff.access import PATIENT, Actor, public
from staff.middleware import address_of
from staff.models import Branch

DRAFT = "booking"
DAY = 24 * 3600


def patient(request: HttpRequest) -> Actor:
    return replace(PATIENT, address=address_of(request))


def language() -> str:
    return "en" if (get_language() or "ru").startswith("en") else "ru"


def find_place(code: str) -> Branch:
    branch = asked.place_of(code)
    if branch is None or not asked.rules_of_booking().is_open:
        raise Http404
    return branch


def page(request: HttpRequest, name: str, branch: Branch, context: dict[str, Any], status: int = 200) -> HttpResponse:
    with timezone.override(branch.tz):
        return render(request, f"funnel/{name}.html", {"branch": branch, **context}, status=status)


def see_other(url: str) -> HttpResponse:
    answer = HttpResponseRedirect(url)
    answer.status_code = 303
    return answer


def keep(answer: HttpResponse, booking: OnlineBooking) -> HttpResponse:
    """The visitor's token, in a cookie that no script reads and no other page gets."""
    answer.set_cookie(
        DRAFT, booking.token, max_age=DAY, path="/b/", secure=settings.HTTPS, httponly=True, samesite="Lax"
    )
    return answer


def draft(request: HttpRequest, branch: Branch, now: datetime) -> OnlineBooking | None:
    found = asked.draft_of(request.COOKIES.get(DRAFT, "")[:40], now)
    return found if found is not None and found.branch_id == branch.pk else None


@public
@never_cache
@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """`/b/`: where? With one branch there is nothing to ask."""
    branches = list(Branch.objects.order_by("name", "id")[:200])
    if not branches or not asked.rules_of_booking().is_open:
        raise Http404
    if len(branches) == 1:
        return redirect("funnel:booking", branches[0].external_id)
    return page(request, "booking_places", branches[0], {"branches": branches})


def _choice(given: Any, branch: Branch) -> tuple[Choice, dict[str, Any]]:
    """What was chosen, and what there is to choose from. What does not fit is as if nothing was said."""
    doctors = asked.doctors_at(branch)
    services = asked.services_at(doctors)
    doctor = next((one for one in doctors if str(one.pk) == given.get("doctor")), None)
    service = next((one for one in services if str(one.pk) == given.get("service")), None)
    known = sorted({one.speciality for one in doctors if one.speciality})
    speciality = given.get("speciality", "")
    choice = Choice(speciality if speciality in known else "", doctor, service, _day(given.get("day", "")))
    return choice, {"doctors": doctors, "services": services, "specialities": known, "choice": choice}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def times(request: HttpRequest, branch: Branch, given: Any, *, status: int = 200, fault: str = "") -> HttpResponse:
    now = timezone.now()
    choice, context = _choice(given, branch)
    days = asked.free_days(branch, asked.fitting(context["doctors"], choice), choice, now)
    named = {"speciality": choice.speciality, "doctor": choice.doctor, "service": choice.service}
    said_so = {name: getattr(value, "pk", value) for name, value in named.items() if value}
    more = f"?{urlencode({**said_so, 'day': ''})}"
    context |= {"days": days, "fault": fault, "stale": asked.stale_sources(now), "more_url": more}
    return page(request, "booking", branch, context, status)


@public
@never_cache
@require_http_methods(["GET", "HEAD"])
def booking(request: HttpRequest, place: str) -> HttpResponse:
    """The nearest free times: `?speciality=&doctor=&service=&day=`."""
    return times(request, find_place(place), request.GET)


def _slot(given: Any, branch: Branch, now: datetime) -> tuple[Slot | None, Slot | None]:
    """(the free slot, or None; the time that was asked for, or None for something unreadable)."""
    choice, context = _choice(given, branch)
    try:
        doctor_id, _place, text = given.get("slot", "").split(":", 2)
        start = datetime.fromisoformat(text).astimezone(UTC)
        known = next(one for one in context["doctors"] if one.pk == int(doctor_id))
    except (ValueError, OverflowError, StopIteration):
        return None, None
    wanted = asked.slot_known(branch, known.pk, start, choice.minutes)
    return asked.slot_at(branch, known.pk, start, choice.minutes, now), wanted


def taken() -> str:
    return _("This time has just been taken. The nearest free ones are below.")


@public
@never_cache
@require_POST
def hold(request: HttpRequest, place: str) -> HttpResponse:
    """A time is chosen: it is kept for ten minutes. Taken meanwhile: 409 with the nearest free times."""
    branch, now = find_place(place), timezone.now()
    slot, wanted = _slot(request.POST, branch, now)
    if slot is None:
        return times(request, branch, request.POST, status=409 if wanted else 422, fault=taken())
    service = _choice(request.POST, branch)[0].service
    before = draft(request, branch, now)
    try:
        made = actions.begin_booking(
            branch=branch, slot=slot, service=service, address=address_of(request), before=before, now=now
        )
    except SlotTaken:
        return times(request, branch, request.POST, status=409, fault=taken())
    except TooManyHolds:
        fault = _("Too many times are being booked from your network. Try again in ten minutes, or call us.")
        return times(request, branch, request.POST, status=429, fault=fault)
    return keep(see_other(f"/b/{place}/who/"), made)


def visitor_form(data: Any, branch: Branch) -> VisitorForm:
    words = (said(PROCESSING, language()), said(MARKETING, language()))
    return VisitorForm(data, region=branch.phone_region, words=words)


def visitor_of(form: VisitorForm, request: HttpRequest) -> Visitor:
    return Visitor(
        name=form.name,
        phone=form.cleaned_data["phone"],
        language=language(),
        marketing=form.cleaned_data["marketing"],
        address=address_of(request),
    )


def too_many(error: TooManyCodes) -> str:
    if error.seconds < 120:
        return _("A code has just been sent. Ask for another in %(seconds)d seconds.") % {"seconds": error.seconds}
    return _("No more codes can be sent to this phone today. Please call us.")


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def who(request: HttpRequest, place: str) -> HttpResponse:
    """Name, phone, agreements; then a code goes to the phone."""
    branch, now = find_place(place), timezone.now()
    found = draft(request, branch, now)
    if found is None or found.done_at is not None or (found.start_at is None and not found.wish):
        return redirect("funnel:booking", place)
    form = visitor_form(request.POST or None, branch)
    if request.method == "POST" and form.is_valid():
        try:
            actions.name_visitor(booking=found, visitor=visitor_of(form, request), now=now)
        except TooManyCodes as error:
            form.add_error("phone", too_many(error))
        else:
            return see_other(f"/b/{place}/code/")
    return page(request, "booking_who", branch, {"form": form, "draft": found}, 422 if form.errors else 200)


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest, place: str) -> HttpResponse:
    """The code from the SMS; right, and it is a visit (or a place on the waiting list)."""
    branch, now = find_place(place), timezone.now()
    found = draft(request, branch, now)
    if found is None or found.code is None:
        return redirect("funnel:booking", place)
    if found.done_at is not None:
        return redirect("funnel:booking_done", place)
    if request.method == "POST" and "again" in request.POST:
        return _again(request, branch, found, now)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        used = found.code.used_at is not None
        if used or actions.try_code(code=found.code, typed=form.cleaned_data["code"], now=now):
            return _finish(request, place, branch, found, now)
        form.add_error("code", _("This is not the code, or it is too old. After five wrong ones ask for a new one."))
    return page(request, "booking_code", branch, {"form": form, "draft": found}, 422 if form.errors else 200)


def _again(request: HttpRequest, branch: Branch, found: OnlineBooking, now: datetime) -> HttpResponse:
    note, status = _("A new code is on its way."), 200
    try:
        actions.resend_code(booking=found, now=now)
    except TooManyCodes as error:
        note, status = too_many(error), 429
    return page(request, "booking_code", branch, {"form": CodeForm(), "draft": found, "note": note}, status)


def _finish(request: HttpRequest, place: str, branch: Branch, found: OnlineBooking, now: datetime) -> HttpResponse:
    """The phone is confirmed. The time may be gone all the same, when it was held no longer."""
    by = patient(request)
    try:
        if found.wish:
            actions.finish_wish(booking=found, by=by, now=now)
        else:
            actions.finish_booking(booking=found, by=by, now=now)
    except Unfinished:
        return redirect("funnel:booking", place)
    except (SlotTaken, BadTime):
        given = {"doctor": str(found.doctor_id or ""), "service": str(found.service_id or "")}
        return times(request, branch, given, status=409, fault=taken())
    return see_other(f"/b/{place}/done/")


@public
@never_cache
@require_GET
def done(request: HttpRequest, place: str) -> HttpResponse:
    """What was booked, the calendar file, and the link to move or cancel."""
    branch, now = find_place(place), timezone.now()
    found = draft(request, branch, now)
    if found is None or found.done_at is None:
        return redirect("funnel:booking", place)
    link = asked.manage_path(found.visit_id) if found.visit_id else ""
    return page(request, "booking_done", branch, {"draft": found, "visit": found.visit, "link": link})
