"""What is done with a lead: answered, tried in vain, spam, closed, reopened, offered something else, attached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from funnel.actions import desk
from funnel.actions.desk import LeadClosed
from funnel.actions.incoming import answer_lead
from funnel.actions.public import clear_suspicion
from funnel.forms.leads import CloseForm, OfferForm
from funnel.models import Alternative, Lead
from funnel.queries.scope import visible_leads
from funnel.views.leads import actor, find_lead, lead_page, page
from patients.models import Patient
from patients.queries.card import root_of
from patients.queries.find import find_patients
from staff.access import needs
from staff.models import Branch
from staff.views.login import see_other

CALL_AGAIN = timedelta(minutes=15)
Move = Callable[[HttpRequest, Lead], str]


def _answered(request: HttpRequest, lead: Lead) -> str:
    answer_lead(lead=lead, by=actor(request), now=timezone.now())
    return _("Answered.")


def _no_answer(request: HttpRequest, lead: Lead) -> str:
    now = timezone.now()
    desk.try_lead(lead=lead, call_back_at=now + CALL_AGAIN, by=actor(request), now=now)
    return _("Noted; a call is due in a quarter of an hour.")


def _spam(request: HttpRequest, lead: Lead) -> str:
    desk.mark_spam(lead=lead, is_spam=True, by=actor(request), now=timezone.now())
    return _("Marked as spam; it counts nowhere.")


def _not_spam(request: HttpRequest, lead: Lead) -> str:
    clear_suspicion(lead=lead, by=actor(request), now=timezone.now())
    return _("No spam; it waits for an answer again.")


def _reopen(request: HttpRequest, lead: Lead) -> str:
    desk.reopen_lead(lead=lead, by=actor(request), now=timezone.now())
    return _("Open again.")


MOVES: dict[str, Move] = {
    "answered": _answered,
    "no-answer": _no_answer,
    "spam": _spam,
    "not-spam": _not_spam,
    "reopen": _reopen,
}


def _back(request: HttpRequest, fallback: str) -> HttpResponse:
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return see_other(wanted if safe and wanted else fallback)


def _card(lead: Lead) -> str:
    return reverse("funnel:lead", args=[lead.duplicate_of_id or lead.pk])


def _closed(request: HttpRequest) -> None:
    messages.error(request, _("Somebody has closed this lead meanwhile."))


@require_POST
@needs("work_leads")
def move(request: HttpRequest, pk: int, move: str) -> HttpResponse:
    """One tap: answered, no-answer, spam, not-spam, reopen."""
    lead = find_lead(request, pk)
    if move not in MOVES:
        raise Http404
    try:
        messages.success(request, MOVES[move](request, lead))
    except LeadClosed:
        _closed(request)
    return _back(request, _card(lead))


@require_POST
@needs("work_leads")
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Lost, with a reason; 422 without one."""
    lead, form = find_lead(request, pk), CloseForm(request.POST, prefix="close")
    if not form.is_valid():
        return lead_page(request, lead.duplicate_of or lead, close=form)
    try:
        desk.close_lead(lead=lead, **form.cleaned_data, by=actor(request), now=timezone.now())
        messages.success(request, _("Closed."))
    except LeadClosed:
        _closed(request)
    return see_other(_card(lead))


@require_POST
@needs("work_leads")
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Something else instead of a loss."""
    lead, form = find_lead(request, pk), OfferForm(request.POST, prefix="offer")
    if not form.is_valid():
        return lead_page(request, lead.duplicate_of or lead, offer=form)
    try:
        desk.offer_alternative(lead=lead, **form.cleaned_data, by=actor(request), now=timezone.now())
        messages.success(request, _("Offered; if they book now, it is a lead saved."))
    except LeadClosed:
        _closed(request)
    return see_other(_card(lead))


@require_POST
@needs("work_leads")
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    """`pk` of the offer."""
    offers = Alternative.objects.filter(lead__in=visible_leads(actor(request))).select_related("lead")
    offered = get_object_or_404(offers, pk=pk)
    desk.decline_alternative(offered=offered, by=actor(request), now=timezone.now())
    return see_other(_card(offered.lead))


@needs("work_leads")
@require_http_methods(["GET", "HEAD", "POST"])
def who(request: HttpRequest, pk: int) -> HttpResponse:
    """Which patient it is. GET: those with that phone or name; POST `q`: look for another; `patient`: it is this one."""
    lead, by = find_lead(request, pk), actor(request)
    chosen = request.POST.get("patient", "")
    if chosen.isdecimal() and len(chosen) < 19:
        patient = get_object_or_404(Patient, pk__in=root_of(int(chosen), by))
        desk.attach_patient(lead=lead, patient=patient, by=by, now=timezone.now())
        return _attached(request, lead, patient)
    text = request.POST.get("q", "")[:100] or lead.phone or lead.name
    found = find_patients(text=text, by=by) if text else None
    shown = text if "q" in request.POST or by.may("see_contacts") else ""
    return page(request, "funnel/lead_who.html", {"lead": lead, "found": found, "text": shown})


@require_POST
@needs("work_leads")
def enter(request: HttpRequest, pk: int) -> HttpResponse:
    """A new patient with what the lead says of himself."""
    lead, by = find_lead(request, pk), actor(request)
    home = Branch.objects.filter(pk=by.branch_id or lead.branch_id or 0).first()
    branch = home or Branch.objects.order_by("-is_default", "id")[0]
    return _attached(request, lead, desk.enter_patient_of(lead=lead, branch=branch, by=by, now=timezone.now()))


def _attached(request: HttpRequest, lead: Lead, patient: Patient) -> HttpResponse:
    messages.success(request, _("The lead belongs to %(name)s.") % {"name": patient.short_name})
    return see_other(_card(lead))
