"""What the pages of the desk have in common: whose patient it is, in which zone times are shown."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from core.clock import local_date, zone
from core.days import NotADay, read_day
from funnel.models import Lead
from funnel.queries.scope import visible_leads
from patients.models import Patient, Visit
from patients.queries import visible_visits
from patients.queries.card import root_of
from patients.queries.desk import desk_tz
from staff.access import Actor
from staff.models import Branch, Doctor


def actor(request: HttpRequest) -> Actor:
    by: Actor = request.actor  # type: ignore[attr-defined]
    return by


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, tz: str | None = None, status: int = 200
) -> HttpResponse:
    """Rendered with times of the branch's zone; htmx and whole pages are told apart by caches."""
    with timezone.override(zone(tz or desk_tz(actor(request)))):
        response = render(request, template, context, status=status)
    response.headers["Vary"] = "HX-Request, Cookie, Accept-Language"
    return response


def find_patient(request: HttpRequest, pk: int) -> Patient:
    """The canonical patient of that record; 404 when it is another branch's or unknown."""
    related = ("branch", "channel", "curator", "responsible_adult", "referrer", "household", "source")
    return get_object_or_404(Patient.objects.select_related(*related), pk__in=root_of(pk, actor(request)))


def find_visit(request: HttpRequest, pk: int) -> Visit:
    visits = visible_visits(actor(request)).select_related("patient", "doctor__branch", "branch", "source")
    return get_object_or_404(visits, pk=pk)


def chosen_branch(request: HttpRequest) -> Branch | None:
    """`?branch=`: of those whom the person may see; his own when he is bound to one."""
    by, wanted = actor(request), request.GET.get("branch", "")
    if by.branch_id is not None:
        return Branch.objects.get(pk=by.branch_id)
    return Branch.objects.filter(pk=wanted).first() if wanted.isdecimal() and len(wanted) < 19 else None


def chosen_doctor(request: HttpRequest) -> Doctor | None:
    wanted = request.GET.get("doctor", "")
    return Doctor.objects.filter(pk=wanted).first() if wanted.isdecimal() and len(wanted) < 19 else None


def chosen_lead(request: HttpRequest) -> Lead | None:
    """`?lead=`; 404 when it is another branch's or unknown."""
    wanted = request.GET.get("lead", "")
    if not wanted.isdecimal() or len(wanted) > 18:
        return None
    return get_object_or_404(visible_leads(actor(request)), pk=wanted)


def chosen_day(request: HttpRequest, tz: str) -> date:
    """`?day=`: 2026-03-02, or as people type it; else today in that zone."""
    today = local_date(timezone.now(), tz)
    try:
        return read_day(request.GET.get("day", ""), today=today)
    except NotADay:
        return today
