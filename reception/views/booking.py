"""Book, move, cancel; the free times are offered, nearest first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.clock import day_start
from messaging.tasks import wake
from patients.actions.booking import BadTime, MoveNotAllowed, SlotTaken
from patients.queries.desk import desk_tz
from patients.queries.slots import Slot, free_slots
from reception import actions
from reception.forms.when import CancelForm, WhenForm
from reception.views.pages import actor, chosen_day, chosen_doctor, chosen_lead, find_patient, find_visit, page
from reception.views.today import back_to, see_other, why_not
from staff.access import needs
from staff.models import Branch, Doctor

SHOWN, AHEAD = 18, timedelta(days=14)


def offered(doctor: Doctor | None, start: datetime, minutes: int, now: datetime) -> list[Slot]:
    """The nearest free times of that doctor in the two weeks from `start` on."""
    if doctor is None:
        return []
    start = max(start, now)
    return free_slots(doctor_ids=[doctor.pk], start=start, end=start + AHEAD, minutes=minutes, now=now, limit=SHOWN)


def _whole(text: str, low: int, high: int, default: int) -> int:
    return min(max(int(text), low), high) if text.isdecimal() and len(text) < 6 else default


@require_GET
@needs("book_visits")
def slots(request: HttpRequest) -> HttpResponse:
    """The free times again, for another doctor, day or length: `?doctor=&day=&minutes=` (or with `next-` before)."""
    given = request.GET.copy()
    prefix = "next-" if "next-doctor" in given else ""
    for name in ("doctor", "day", "minutes"):
        given[name] = str(given.get(f"{prefix}{name}", ""))
    request.GET = given  # type: ignore[assignment]
    now, tz = timezone.now(), desk_tz(actor(request))
    doctor = chosen_doctor(request)
    start = day_start(chosen_day(request, tz), tz)
    found = offered(doctor, start, _whole(str(given["minutes"]), 5, 480, 30), now)
    return page(request, "reception/slots.html", {"slots": found, "prefix": prefix, "doctor": doctor}, tz=tz)


def _span(form: WhenForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("doctor", "branch", "start_at", "end_at", "overlap", "room")}


def taken(form: WhenForm) -> None:
    form.add_error("slot", _("This time is taken meanwhile. Choose another."))


@needs("book_visits")
def book(request: HttpRequest, pk: int) -> HttpResponse:
    """`?lead=`: the enquiry because of which it is booked."""
    patient, by, now, lead = find_patient(request, pk), actor(request), timezone.now(), chosen_lead(request)
    start = {"doctor": request.GET.get("doctor"), "goal": request.GET.get("goal", "")[:300]}
    form = WhenForm(request.POST or None, branch=branch_of(request, patient.branch), initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            visit = actions.book_visit(
                patient=patient, goal=form.cleaned_data["goal"], lead=lead, by=by, now=now, **_span(form)
            )
        except SlotTaken as error:
            taken(form)
            return _when_page(request, form, error.free, patient=patient)
        except BadTime:
            form.add_error("time", _("The end must be after the start."))
        else:
            wake()  # the confirmation leaves now, not at the next tick
            messages.success(request, _("Booked."))
            return see_other(reverse("reception:card", args=[visit.patient_id]))
    return _when_page(request, form, _offers(form, now), patient=patient)


def _offers(form: WhenForm, now: datetime) -> list[Slot]:
    """For the doctor of the form, from the day that it names."""
    value = form["doctor"].value()
    doctor = Doctor.objects.filter(pk=value).first() if str(value or "").isdecimal() else None
    return offered(doctor, now, _whole(str(form["minutes"].value() or ""), 5, 480, 30), now)


def branch_of(request: HttpRequest, home: Branch) -> Branch:
    """Where the person at the desk sits, else the patient's own branch."""
    by = actor(request)
    return home if by.branch_id is None else Branch.objects.get(pk=by.branch_id)


def _when_page(request: HttpRequest, form: WhenForm, slots: list[Slot], **context: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    return page(
        request, "reception/book.html", {"form": form, "slots": slots, **context}, tz=form.branch.tz, status=status
    )


@needs("book_visits")
def move(request: HttpRequest, pk: int) -> HttpResponse:
    visit, by, now = find_visit(request, pk), actor(request), timezone.now()
    minutes = int((visit.end_at - visit.start_at).total_seconds() // 60)
    start = {"doctor": visit.doctor_id, "minutes": minutes, "goal": visit.goal}
    form = WhenForm(request.POST or None, branch=visit.branch, initial=start)
    context = {"patient": visit.patient, "visit": visit, "next": request.GET.get("next", "")}
    if request.method == "POST" and form.is_valid():
        try:
            actions.move_visit(visit=visit, by=by, now=now, **_span(form))
        except SlotTaken as error:
            taken(form)
            return _when_page(request, form, error.free, **context)
        except (MoveNotAllowed, BadTime) as error:
            form.add_error(None, why_not(error))
        else:
            wake()
            messages.success(request, _("Moved."))
            return see_other(back_to(request, reverse("reception:today")))
    return _when_page(request, form, _offers(form, now), **context)


@needs("book_visits")
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    visit = find_visit(request, pk)
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.cancel_visit(visit=visit, by=actor(request), now=timezone.now(), **form.cleaned_data)
        except MoveNotAllowed as error:
            form.add_error(None, why_not(error))
        else:
            messages.success(request, _("Cancelled."))
            return see_other(back_to(request, reverse("reception:today")))
    context = {"form": form, "visit": visit, "next": request.GET.get("next", "")}
    return page(request, "reception/cancel.html", context, tz=visit.branch.tz, status=422 if form.errors else 200)
