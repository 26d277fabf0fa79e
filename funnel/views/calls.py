"""`/calls/`: the list, those that nobody called back, one call with its recording and an explanation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from funnel.actions.calls import AlreadyExplained, explain_call
from funnel.forms.calls import ExplainForm
from funnel.models import Call
from funnel.queries import calls as asked
from staff.access import Actor, needs
from staff.actions import record


def actor(request: HttpRequest) -> Actor:
    by: Actor = request.actor  # type: ignore[attr-defined]
    return by


@require_GET
@needs("see_calls")
def calls(request: HttpRequest) -> HttpResponse:
    """`?show=` missed, waiting, answered (else all), `?operator=`, `?after=`."""
    by, show = actor(request), request.GET.get("show", "")
    rows = asked.shown(asked.visible_calls(by), show)
    operator = request.GET.get("operator", "")
    if operator.isdecimal() and len(operator) < 18:
        rows = rows.filter(operator=int(operator))
    options = [("", _("all")), ("missed", _("missed")), ("waiting", _("not called back")), ("answered", _("answered"))]
    context = {
        "heading": _("Calls"),
        "options": [
            {"label": label, "url": f"?show={code}&operator={operator}", "current": code == show}
            for code, label in options
        ],
        "operators": asked.operators(),
        "operator": operator,
        "show": show,
        "other": {"url": reverse("funnel:missed_calls"), "label": _("Never called back")},
    }
    return _listed(request, rows, context)


@require_GET
@needs("see_calls")
def missed(request: HttpRequest) -> HttpResponse:
    """R96: the list of those that were never called back is empty or explained. `?explained=1`: the explained ones."""
    by, explained = actor(request), request.GET.get("explained") == "1"
    rows = asked.explained(asked.visible_calls(by)) if explained else asked.not_settled(asked.visible_calls(by))
    context = {
        "heading": _("Never called back"),
        "options": [
            {"label": _("without an explanation"), "url": "?", "current": not explained},
            {"label": _("explained"), "url": "?explained=1", "current": explained},
        ],
        "other": {"url": reverse("funnel:calls"), "label": _("All calls")},
    }
    return _listed(request, rows, context)


def _listed(request: HttpRequest, rows: QuerySet[Call], context: dict[str, Any]) -> HttpResponse:
    page = asked.call_page(rows, request.GET.get("after", ""))
    context |= {"calls": page.rows, "after": page.after, "may_see_number": actor(request).may("see_contacts")}
    return render(request, "funnel/calls.html", context)


def _found(request: HttpRequest, pk: int) -> Call:
    rows = asked.visible_calls(actor(request)).select_related(
        "operator", "patient", "branch", "lead", "missed_item", "explained_by"
    )
    return get_object_or_404(rows, pk=pk)


@require_GET
@needs("see_calls")
def call(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    record(
        by=actor(request), deed="see_call", now=timezone.now(), object_kind="call", object_id=found.pk,
        patient_id=found.patient_id,
    )  # fmt: skip
    return _card(request, found, ExplainForm(), 200)


def _card(request: HttpRequest, found: Call, form: ExplainForm, status: int) -> HttpResponse:
    by = actor(request)
    waits = asked.not_settled(Call.objects.filter(pk=found.pk)).exists()
    context = {
        "call": found,
        "form": form if waits else None,
        "may_see_number": by.may("see_contacts"),
        "may_hear": by.may("hear_calls"),
        "is_link": found.recording.startswith("https://"),
    }
    return render(request, "funnel/call.html", context, status=status)


@require_POST
@needs("see_calls")
def explain(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = _found(request, pk), ExplainForm(request.POST)
    if not form.is_valid():
        return _card(request, found, form, 422)
    try:
        explain_call(call=found, reason=form.cleaned_data["reason"], by=actor(request), now=timezone.now())
        messages.success(request, _("The explanation is kept."))
    except AlreadyExplained:
        messages.info(request, _("This call has been called back or explained meanwhile."))
    return HttpResponseRedirect(reverse("funnel:call", args=[pk]), status=303)


@require_POST
@needs("hear_calls")
def hear(request: HttpRequest, pk: int) -> HttpResponse:
    """To the recording at the provider's; who listened is written down first (R112)."""
    found = _found(request, pk)
    if not found.recording.startswith("https://"):
        raise Http404
    record(
        by=actor(request), deed="hear_call", now=timezone.now(), object_kind="call", object_id=found.pk,
        patient_id=found.patient_id,
    )  # fmt: skip
    return HttpResponseRedirect(found.recording, status=303)
