"""The work list: open items by due time; taken, done or put off with one key."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.clock import zone
from patients.actions import claim_work_item, close_work_item, open_work_item
from patients.actions.work import AlreadyClosed
from patients.models import WorkItem
from patients.queries.desk import desk_tz, open_items, show_phones
from reception.forms.when import today_in
from reception.forms.work import OUTCOMES, NewItemForm, OutcomeForm, WorkFilter
from reception.queries.card import show_offers
from reception.queries.leads import show_leads
from reception.queries.people import read_key, write_key
from reception.views.pages import actor, find_patient, page
from reception.views.today import back_to, see_other
from staff.access import needs

PAGE = 50
NOON = time(10, 0)  # "call back on Friday" without an hour


@require_GET
@needs("work_items")
def work(request: HttpRequest) -> HttpResponse:
    by = actor(request)
    form = WorkFilter(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    items = open_items(by)
    for name in ("kind", "branch"):
        if chosen.get(name):
            items = items.filter(**{name: chosen[name]})
    key = read_key(request.GET.get("after", "")[:200], (str, int))
    if key:
        items = after_key(items, key)
    rows = list(items[: PAGE + 1])
    shown = rows[:PAGE]
    show_phones([shown], by)
    show_offers([item.patient for item in shown], timezone.now())
    show_leads(shown)
    context = {
        "items": shown,
        "after": write_key([shown[-1].due_at.isoformat(), shown[-1].pk]) if rows[PAGE:] else "",
        "form": form,
        "outcomes": OUTCOMES,
        "now": timezone.now(),
    }
    return page(request, "reception/work.html", context)


def after_key(items: Any, key: list[Any]) -> Any:
    try:
        due = datetime.fromisoformat(key[0])
    except ValueError:
        return items
    later = items.filter(due_at__gt=due) | items.filter(due_at=due, pk__gt=key[1])
    return later if due.tzinfo else items


def find_item(request: HttpRequest, pk: int) -> WorkItem:
    by = actor(request)
    items = WorkItem.objects.select_related("patient", "visit", "branch")
    return get_object_or_404(items if by.branch_id is None else items.filter(branch=by.branch_id), pk=pk)


@require_POST
@needs("work_items")
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        claim_work_item(item=find_item(request, pk), by=actor(request), now=timezone.now())
    except AlreadyClosed:
        messages.error(request, _("Somebody has dealt with it meanwhile."))
    return see_other(back_to(request, reverse("reception:work")))


@needs("work_items")
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """An outcome, a note, and when to call again."""
    item, by = find_item(request, pk), actor(request)
    form = OutcomeForm(request.POST or None, initial={"outcome": request.GET.get("outcome", "reached")})
    today_in(form, desk_tz(by, item.branch))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        again = moment(data["call_day"], data["call_time"], desk_tz(by, item.branch))
        try:
            close_work_item(
                item=item, outcome=data["outcome"], note=data["note"], call_back_at=again, by=by, now=timezone.now()
            )
            messages.success(request, _("Done."))
        except AlreadyClosed:
            messages.error(request, _("Somebody has dealt with it meanwhile."))
        return see_other(back_to(request, reverse("reception:work")))
    context = {"form": form, "item": item, "next": request.GET.get("next", "")}
    return page(request, "reception/work_close.html", context, status=422 if form.errors else 200)


def moment(day: Any, at: time | None, tz: str) -> datetime | None:
    return datetime.combine(day, at or NOON, tzinfo=zone(tz)).astimezone(UTC) if day else None


@needs("work_items")
def new_item(request: HttpRequest, pk: int) -> HttpResponse:
    """A call or another thing to do for this patient."""
    patient, by = find_patient(request, pk), actor(request)
    form = NewItemForm(request.POST or None)
    today_in(form, patient.branch.tz)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        due = moment(data["day"], data["time"], patient.branch.tz)
        assert due is not None
        open_work_item(
            kind=WorkItem.Kind.CALL_BACK, due_at=due, note=data["note"], patient=patient, by=by, now=timezone.now()
        )
        messages.success(request, _("It stands in the work list."))
        return see_other(reverse("reception:card", args=[patient.pk]))
    context = {"form": form, "patient": patient}
    return page(request, "reception/work_new.html", context, status=422 if form.errors else 200)
