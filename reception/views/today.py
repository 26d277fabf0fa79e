"""Today: the day's appointments and what waits beside it; one key a move."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.clock import local_date
from funnel.queries.leads import waiting_page
from funnel.queries.mis_booking import show_mis
from patients.actions.booking import MoveNotAllowed, SlotTaken
from patients.queries.desk import desk_tz, show_phones, the_day, the_queue
from patients.rules.moves import moves_from
from reception import actions
from reception.forms.when import DayForm, today_in
from reception.queries.card import show_offers
from reception.queries.leads import show_leads
from reception.views.pages import actor, chosen_branch, chosen_day, chosen_doctor, find_visit, page
from staff.access import needs
from staff.models import Branch, Doctor

WAITING = 5  # enquiries beside the day; the queue has the rest


@require_GET
@needs("use_product")
def home(request: HttpRequest) -> HttpResponse:
    """Where this role begins its day."""
    by = actor(request)
    names = ["analytics:dashboard"] if by.may("see_dashboard") else []
    for name in [*names, "reception:today"]:
        try:
            return redirect(reverse(name))
        except NoReverseMatch:
            continue
    raise Http404


@require_GET
@needs("see_today")
def today(request: HttpRequest) -> HttpResponse:
    by, now = actor(request), timezone.now()
    branch, doctor = chosen_branch(request), chosen_doctor(request)
    tz = desk_tz(by, branch)
    day = chosen_day(request, tz)
    seen = the_day(day=day, by=by, now=now, branch=branch, doctor=doctor)
    queue = the_queue(day=day, by=by, now=now, branch=branch)
    lists: list[Any] = [one.visits for one in seen.doctors]
    lists += [queue.due, queue.no_next, queue.unconfirmed, queue.birthdays]
    for visits in (*(one.visits for one in seen.doctors), seen.unconfirmed):
        for visit in visits:
            visit.moves = moves_from(visit.status)  # type: ignore[attr-defined]
    show_phones(lists, by)
    show_mis([visit for visits in (*(one.visits for one in seen.doctors), seen.unconfirmed) for visit in visits])
    show_offers([item.patient for item in queue.due], now)
    show_leads(queue.due)
    context = {
        "seen": seen,
        "queue": queue,
        "day": day,
        "day_form": day_form(request, day, tz),
        "is_today": day == local_date(now, tz),
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "branch": branch,
        "doctor": doctor,
        "branches": [] if by.branch_id else list(Branch.objects.order_by("name")[:100]),
        "doctors": list(Doctor.objects.filter(is_active=True).order_by("name")[:500]),
        "may_book": by.may("book_visits"),
        "may_log": by.may("log_visits"),
        "may_work": by.may("work_items"),
        "waiting": waiting_page(by=by, now=now, size=WAITING).rows if by.may("see_leads") else [],
        "may": {deed: by.may(deed) for deed in ("see_contacts", "see_medical", "work_leads", "book_visits")},
        "now": now,
    }
    return page(request, "reception/today.html", context, tz=tz)


def day_form(request: HttpRequest, day: date, tz: str) -> DayForm:
    """The field of the day as it was asked for: what names no day says so."""
    form = DayForm({"day": request.GET.get("day") or day})
    today_in(form, tz)
    return form


def back_to(request: HttpRequest, fallback: str) -> str:
    """Where the form came from, when that is a page of ours."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe and wanted else fallback


def see_other(url: str) -> HttpResponse:
    response = redirect(url)
    response.status_code = 303
    return response


def why_not(error: Exception) -> str:
    if isinstance(error, SlotTaken):
        return _("This time is taken meanwhile. Choose another.")
    if str(error) == "early":
        return _("The day of this visit has not come yet.")
    return _("The visit has changed meanwhile; look at it again.")


SAID = {
    "confirm": lambda: _("Confirmed."),
    "arrive": lambda: _("Marked as arrived."),
    "no_show": lambda: _("Marked as a no-show; a call is due in two weeks."),
    "reopen": lambda: _("Back to scheduled."),
}


@require_POST
@needs("book_visits")
def change(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """One-key moves: confirm, arrive, no_show, reopen."""
    visit = find_visit(request, pk)
    if verb not in actions.VERBS:
        raise Http404
    try:
        actions.change_visit(verb=verb, visit=visit, by=actor(request), now=timezone.now())
        messages.success(request, f"{visit.patient.short_name}: {SAID[verb]()}")
    except (MoveNotAllowed, SlotTaken) as error:
        messages.error(request, f"{visit.patient.short_name}: {why_not(error)}")
    return see_other(back_to(request, reverse("reception:today")))
