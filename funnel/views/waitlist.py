"""The waiting list: `/b/<place>/wait/` (a visitor), `/b/offer/<code>/` (one-tap claim), `/waitlist/` (the desk)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.clock import local_date
from funnel import actions
from funnel.actions.waitlist import OfferOver
from funnel.forms.booking import WishForm
from funnel.models import SlotOffer
from funnel.queries import booking as asked
from funnel.queries.waitlist import visible_waitlist
from funnel.views.booking import find_place, keep, page, patient, see_other
from patients.actions.booking import BadTime, SlotTaken
from patients.queries.scope import visible_patients
from staff.access import Actor, needs, public
from staff.middleware import address_of
from staff.models import Branch

SHOWN = 50


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def wait(request: HttpRequest, place: str) -> HttpResponse:
    branch, now = find_place(place), timezone.now()
    form = WishForm(request.POST or None, doctors=asked.doctors_at(branch))
    if request.method == "POST" and form.is_valid():
        made = actions.begin_wish(
            branch=branch,
            doctor=form.cleaned_data["doctor"],
            speciality=form.cleaned_data["speciality"],
            wish=form.wish(local_date(now, branch.tz)),
            minutes=asked.DEFAULT_MINUTES,
            address=address_of(request),
            now=now,
        )
        return keep(see_other(f"/b/{place}/who/"), made)
    return page(request, "booking_wait", branch, {"form": form}, 422 if form.errors else 200)


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, code: str) -> HttpResponse:
    """GET: what is offered. POST: take it. 404 for a link that we never made."""
    now, number = timezone.now(), asked.claimed(code)
    found = SlotOffer.objects.select_related("branch", "doctor", "entry").filter(pk=number).first() if number else None
    if found is None:
        raise Http404
    fault, status = "", 200
    if request.method == "POST":
        try:
            visit = actions.claim_offer(offer_id=found.pk, by=patient(request), now=now)
        except (OfferOver, SlotTaken, BadTime):
            fault, status = _("Somebody was faster, or the offer is over. You stay on the list."), 409
        else:
            return see_other(asked.manage_path(visit.pk))
    is_open = not fault and found.state == SlotOffer.State.OPEN and found.expires_at > now
    return page(request, "booking_offer", found.branch, {"offer": found, "fault": fault, "is_open": is_open}, status)


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined,no-any-return]


@require_GET
@needs("book_visits")
def waitlist(request: HttpRequest) -> HttpResponse:
    """Who waits, the longest first: `?after=` goes on."""
    after = request.GET.get("after", "")
    rows = visible_waitlist(_actor(request)).order_by("pk")
    if after.isdecimal() and len(after) < 18:
        rows = rows.filter(pk__gt=int(after))
    entries = list(rows.select_related("patient", "doctor", "branch")[: SHOWN + 1])
    more = entries[SHOWN - 1].pk if len(entries) > SHOWN else None
    return render(request, "funnel/waitlist.html", {"entries": entries[:SHOWN], "more": more})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("book_visits")
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """A patient who asked at the desk. `pk`: the patient."""
    by, now = _actor(request), timezone.now()
    person = get_object_or_404(visible_patients(by).select_related("branch"), pk=pk)
    branch = person.branch if by.branch_id is None else Branch.objects.get(pk=by.branch_id)
    form = WishForm(request.POST or None, doctors=asked.doctors_at(branch))
    if request.method == "POST" and form.is_valid():
        actions.add_to_waitlist(
            patient=person,
            branch=branch,
            doctor=form.cleaned_data["doctor"],
            speciality=form.cleaned_data["speciality"],
            wish=form.wish(local_date(now, branch.tz)),
            by=by,
            now=now,
        )
        messages.success(request, _("On the waiting list: a time that frees up is offered by itself."))
        return redirect("reception:card", person.pk)
    context = {"patient": person, "branch": branch, "form": form}
    return render(request, "funnel/waitlist_add.html", context, status=422 if form.errors else 200)


@require_POST
@needs("book_visits")
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    entry = get_object_or_404(visible_waitlist(_actor(request)), pk=pk)
    actions.leave_waitlist(entry=entry, by=_actor(request), now=timezone.now())
    return redirect("funnel:waitlist")
