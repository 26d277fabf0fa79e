"""How one patient may be contacted, and what stands in the way: frozen advertising, addresses out of use; and budgets."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.clock import day_end
from messaging import actions
from messaging.actions.policy import same_address
from messaging.forms import BudgetForm, HoldForm, SuppressForm
from messaging.models import Budget, PromotionHold, Suppression
from messaging.queries.outbox import visible_messages, words_for
from messaging.queries.policy import addresses_of, answers_of, budgets, open_holds, suppressions_of
from messaging.queries.why import answer_said, why, with_reasons
from messaging.views.outbox import actor, local_times
from patients.models import Patient
from patients.queries.card import record_ids
from patients.queries.scope import visible_patients
from staff.access import needs
from staff.views.login import see_other


def _patient(request: HttpRequest, pk: int) -> Patient:
    found = get_object_or_404(visible_patients(actor(request)).select_related("canonical__branch", "branch"), pk=pk)
    patient: Patient = found.canonical or found
    return patient


def _back(patient: Patient) -> HttpResponse:
    return see_other(reverse("messaging:contact", args=[patient.pk]))


@needs("see_card")
@require_safe
def contact(request: HttpRequest, pk: int) -> HttpResponse:
    patient = _patient(request, pk)
    return _page(request, patient, HoldForm(), SuppressForm(addresses_of(patient)))


def _page(request: HttpRequest, patient: Patient, hold: HoldForm, out: SuppressForm) -> HttpResponse:
    by, now = actor(request), timezone.now()
    answers = answers_of(patient=patient, now=now)
    context: dict[str, Any] = {
        "patient": patient,
        "rows": [(way.label, [(one, partial(answer_said, one, way)) for one in row]) for way, row in answers],
        "holds": open_holds(record_ids(patient.pk), now),
        "suppressions": suppressions_of([same_address(address) for _transport, address in addresses_of(patient)]),
        "hold_form": hold,
        "suppress_form": out,
        **{deed: by.may(deed) for deed in ("hold_promotions", "lift_holds", "suppress_addresses", "see_contacts")},
    }
    with timezone.override(patient.branch.tz):
        return render(request, "messaging/contact.html", context, status=422 if hold.errors or out.errors else 200)


@needs("hold_promotions")
@require_POST
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    patient, now = _patient(request, pk), timezone.now()
    form = HoldForm(request.POST)
    if not form.is_valid():
        return _page(request, patient, form, SuppressForm(addresses_of(patient)))
    data = form.cleaned_data
    actions.hold_promotions(
        patient=patient,
        reason=data["reason"],
        key=f"desk:{patient.pk}:{now:%Y%m%d%H%M%S%f}",
        until=_end_of(data["until"], patient.branch.tz),
        note=data["note"],
        by=actor(request),
        now=now,
    )
    messages.success(request, _("No more advertising for this patient."))
    return _back(patient)


def _end_of(day: Any, tz: str) -> datetime | None:
    return day_end(day, tz) if day else None


@needs("lift_holds")
@require_POST
def lift_hold(request: HttpRequest, pk: int, hold_id: int) -> HttpResponse:
    patient = _patient(request, pk)
    found = get_object_or_404(PromotionHold, pk=hold_id, patient__in=record_ids(patient.pk))
    note = request.POST.get("note", "")[:200]
    return _lifted(request, patient, partial(actions.lift_hold, hold=found, note=note))


@needs("suppress_addresses")
@require_POST
def suppress(request: HttpRequest, pk: int) -> HttpResponse:
    patient = _patient(request, pk)
    form = SuppressForm(addresses_of(patient), request.POST)
    if not form.is_valid():
        return _page(request, patient, HoldForm(), form)
    transport, address = addresses_of(patient)[int(form.cleaned_data["address"])]
    actions.suppress(
        transport=transport,
        address=address,
        kind=form.cleaned_data["kind"],
        detail=form.cleaned_data["note"],
        by=actor(request),
        now=timezone.now(),
    )
    messages.success(request, _("The address is out of use."))
    return _back(patient)


@needs("suppress_addresses")
@require_POST
def lift_suppression(request: HttpRequest, pk: int, suppression_id: int) -> HttpResponse:
    patient = _patient(request, pk)
    theirs = suppressions_of([same_address(address) for _transport, address in addresses_of(patient)])
    found: Suppression = get_object_or_404(theirs, pk=suppression_id)
    note = request.POST.get("note", "")[:200]
    return _lifted(request, patient, partial(actions.lift_suppression, suppression=found, note=note))


def _lifted(request: HttpRequest, patient: Patient, lift: Any) -> HttpResponse:
    try:
        lift(by=actor(request), now=timezone.now())
        messages.success(request, _("Lifted."))
    except actions.NotOpen:
        messages.warning(request, _("Somebody has lifted it meanwhile."))
    return _back(patient)


@needs("see_outbox")
@require_safe
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """One message: what it said, what became of it and why."""
    by = actor(request)
    seen = visible_messages(by)
    rows = with_reasons(seen).select_related("patient__branch", "user", "fallback_of")
    row = get_object_or_404(rows, pk=message_id)
    context = {
        "message": row,
        "words": words_for(row, by),
        "why": partial(why, row),
        "events": row.events.order_by("occurred_at", "id")[:50],
        "grouped": seen.filter(grouped_into=row).select_related("patient").order_by("id")[:20],
        **{deed: by.may(deed) for deed in ("see_contacts", "see_card", "see_proof", "see_provider")},
    }
    with local_times(by):
        return render(request, "messaging/message.html", context)


@needs("edit_budgets")
@require_http_methods(["GET", "HEAD", "POST"])
def budget(request: HttpRequest) -> HttpResponse:
    """How many contacts a patient may get: the one that holds for all, and those of strategies."""
    row = get_object_or_404(Budget, code=request.POST.get("code", "default"))
    form = BudgetForm(request.POST or None, initial={name: getattr(row, name) for name in BudgetForm.base_fields})
    if request.method == "POST" and form.is_valid():
        actions.save_budget(code=row.code, **form.cleaned_data, by=actor(request), now=timezone.now())
        messages.success(request, _("Saved. It holds from the next message on."))
        return see_other(reverse("messaging:budgets"))
    context = {"form": form, "chosen": row, "budgets": budgets()}
    return render(request, "messaging/budgets.html", context, status=422 if form.errors else 200)
