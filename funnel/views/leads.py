"""`/leads/`: who waits for an answer; `/leads/<id>/`: one lead; `/leads/new/`: one that is entered by hand."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from core.clock import zone
from funnel.actions.incoming import Enquiry, open_lead_of, take_lead
from funnel.forms.leads import CloseForm, NewLeadForm, OfferForm
from funnel.models import Lead, LossReason
from funnel.queries import leads as queries
from funnel.queries.scope import visible_leads
from funnel.rules.leads import read_key, write_key
from patients.queries.desk import desk_tz
from staff.access import Actor, needs
from staff.actions import record
from staff.models import Branch
from staff.views.login import see_other

MAY = ("see_contacts", "see_medical", "see_card", "work_leads", "book_visits", "edit_patients", "set_stage_rules")
SEEN = ("channel", "stages", "touches", "alternatives")
BEHIND = {"see_contacts": ("name", "phone", "email"), "see_medical": ("text", "loss_note")}


def actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined,no-any-return]


def find_lead(request: HttpRequest, pk: int) -> Lead:
    """404 when it is another branch's or unknown."""
    return get_object_or_404(visible_leads(actor(request)).select_related(*queries.SHOWN, "closed_by"), pk=pk)


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Times of the person's zone; what he may do stands in `may`."""
    by = actor(request)
    with timezone.override(zone(desk_tz(by))):
        answer = render(request, template, {"may": {deed: by.may(deed) for deed in MAY}, **context}, status=status)
    answer.headers["Vary"] = "HX-Request, Cookie, Accept-Language"
    return answer


@require_safe
@needs("see_leads")
def leads(request: HttpRequest) -> HttpResponse:
    """The longest waiting first; `?after=` the key of the page. The first page asks for itself every ten seconds."""
    by = actor(request)
    found = queries.waiting_page(by=by, now=timezone.now(), after=read_key(request.GET.get("after", "")))
    context = {
        "rows": found.rows,
        "after": write_key(found.after),
        "count": queries.how_many_wait(by),
        "many": queries.MOST_COUNTED,
        "polls": "after" not in request.GET,
        "tab": "queue",
    }
    return page(request, "funnel/lead_rows.html" if "X-Poll" in request.headers else "funnel/leads.html", context)


@require_safe
@needs("see_leads")
def lead(request: HttpRequest, pk: int) -> HttpResponse:
    """The card. A further enquiry leads to the lead that counts."""
    found = find_lead(request, pk)
    if found.duplicate_of_id:
        return redirect("funnel:lead", pk=found.duplicate_of_id)
    return lead_page(request, found)


def lead_page(
    request: HttpRequest,
    found: Lead,
    close: CloseForm | None = None,
    offer: OfferForm | None = None,
) -> HttpResponse:
    """With the form that was refused, if one was (422). Every opening is logged."""
    by, now = actor(request), timezone.now()
    fields = [*SEEN, *(name for deed, names in BEHIND.items() if by.may(deed) for name in names)]
    record(
        by=by, deed="see_lead", now=now, object_kind="lead", object_id=found.pk, patient_id=found.patient_id,
        fields=fields,
    )  # fmt: skip
    context = {
        "lead": found,
        "card": queries.lead_card(found),
        "close_form": close or CloseForm(prefix="close"),
        "offer_form": offer or OfferForm(prefix="offer"),
        "reason_said": dict(LossReason.choices).get(found.loss_reason, found.loss_reason),
        "now": now,
    }
    return page(request, "funnel/lead.html", context, 422 if close or offer else 200)


@needs("work_leads")
@require_http_methods(["GET", "HEAD", "POST"])
def new_lead(request: HttpRequest) -> HttpResponse:
    """Entered by hand; a person with an open lead gets one more touch of it."""
    by, now = actor(request), timezone.now()
    form = NewLeadForm(request.POST or None, by=by)
    if request.method == "POST" and form.is_valid():
        branch = Branch.objects.get(pk=by.branch_id) if by.branch_id else form.cleaned_data.pop("branch")
        told = {**form.cleaned_data, "branch": branch}
        made = take_lead(enquiry=Enquiry(created_at=now, door="desk", **told), by=by, now=now)
        return see_other(reverse("funnel:lead", args=[open_lead_of(made).pk]))
    return page(request, "funnel/lead_new.html", {"form": form}, 422 if form.errors else 200)
