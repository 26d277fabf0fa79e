"""The motivational consultation: filled in at the visit, and what consultations led to by doctor."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from core.clock import from_day_number, zone
from core.pages import MOST
from funnel.actions import consultations as actions
from funnel.forms.consultations import ChecklistForm, ConsultationForm
from funnel.models import Checklist, Consultation
from funnel.queries import consultations as asked
from funnel.queries.ladder_page import named
from funnel.views.ladder import actor, live_scope
from funnel.views.patient_ladder import find_patient
from patients.metrics import Scope
from patients.models import Visit
from patients.queries import visible_visits
from patients.queries.card import record_ids
from staff.access import Actor, needs
from staff.actions import record
from staff.views.login import see_other

SIZE = 50
DAYS = (90, 365)


@require_GET
@needs("run_consultations")
def of_patient(request: HttpRequest, pk: int) -> HttpResponse:
    """The visits to which the patient came, each with its consultation or a way to fill it in."""
    patient, by, now = find_patient(request, pk), actor(request), timezone.now()
    visits = asked.of_visits(by, record_ids(patient.pk))
    record(
        by=by, deed="see_card", now=now, object_kind="patient", object_id=patient.pk, patient_id=patient.pk,
        fields=("consultations",),
    )  # fmt: skip
    context = {"patient": patient, "visits": visits, "see_medical": by.may("see_medical")}
    with timezone.override(zone(patient.branch.tz)):
        return render(request, "funnel/consultations_of.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("run_consultations")
def consultation(request: HttpRequest, pk: int) -> HttpResponse:
    """The checklist of one visit. What was filled in by an older version is shown by that version."""
    by = actor(request)
    visit: Visit = get_object_or_404(visible_visits(by).select_related("patient", "doctor", "branch"), pk=pk)
    patient = visit.patient.canonical or visit.patient
    found = Consultation.objects.select_related("checklist").filter(visit=visit).first()
    version = found.checklist if found else _version(request)
    form = ConsultationForm(request.POST or None, version=version, initial=_filled(found))
    if request.method == "POST" and form.is_valid():
        try:
            actions.fill_consultation(visit=visit, held=form.held(), by=by, now=timezone.now())
            messages.success(request, _("The consultation is kept."))
            return see_other(reverse("funnel:consultations_of", args=[patient.pk]))
        except actions.NotHeld:
            form.add_error(None, _("The patient has not come to this visit."))
    record(
        by=by, deed="see_card", now=timezone.now(), object_kind="visit", object_id=visit.pk,
        patient_id=visit.patient_id, fields=("consultations",),
    )  # fmt: skip
    context = {"visit": visit, "patient": patient, "form": form}
    with timezone.override(zone(visit.branch.tz)):
        return render(request, "funnel/consultation.html", context, status=422 if form.errors else 200)


def _version(request: HttpRequest) -> Checklist:
    """That with which the page was opened; a newer one may have been published since."""
    pk = _number(request.POST.get("checklist"))
    return Checklist.objects.filter(pk=pk).first() or asked.current_checklist()


def _filled(found: Consultation | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {"ticked": [str(one) for one in found.ticked], "outcome": found.outcome, "reason": found.reason}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and int(text) <= MOST else 0


def _span(request: HttpRequest, by: Actor) -> tuple[Scope, int, asked.Window]:
    """As of today: what was bought in every branch counts."""
    scope = live_scope(Actor(kind=by.kind, id=by.id, name=by.name, role=by.role))
    wanted = _number(request.GET.get("days"))
    days = wanted if wanted in DAYS else DAYS[1]
    return scope, days, asked.ripe_window(scope.as_of, days)


@require_GET
@needs("see_consultations")
def report(request: HttpRequest) -> HttpResponse:
    """By doctor: how consultations ended in words, and what was bought in fact."""
    by = actor(request)
    scope, days, window = _span(request, by)
    lines, more = asked.by_doctor(scope, by, window, _number(request.GET.get("after")), SIZE)
    last = lines[-1].doctor if more else None
    context = {
        "options": [
            {"label": ngettext("%(n)s day", "%(n)s days", n) % {"n": n}, "url": f"?days={n}", "current": n == days}
            for n in DAYS
        ],
        "window": window,
        "within": asked.WITHIN,
        "little": asked.LITTLE,
        "whole": asked.whole(scope, by, window),
        "young": asked.young(scope, by, window),
        "rows": [(line, _urls(days, line)) for line in lines],
        "next_url": f"?{urlencode({'days': days, 'after': last.pk})}" if last else "",
        "edit_consultations": by.may("edit_consultations"),
    }
    return render(request, "funnel/consultations.html", context)


def _urls(days: int, line: asked.Line) -> dict[str, str]:
    page = reverse("funnel:consultation_people")
    asks: dict[str, int | str] = {"days": days, "doctor": line.doctor.pk if line.doctor else 0}
    narrow: dict[str, dict[str, int | str]] = {"held": {}, "said": {"said": 1}, "bought": {"bought": 1}}
    narrow |= {one: {"outcome": one} for one in ("thinks", "declined")}
    return {name: f"{page}?{urlencode(asks | part)}" for name, part in narrow.items()}


@require_GET
@needs("see_consultations")
def people(request: HttpRequest) -> HttpResponse:
    """Who stands behind a number of the report."""
    by, now, given = actor(request), timezone.now(), request.GET
    scope, days, window = _span(request, by)
    where: dict[str, int | str] = {name: 1 for name in ("said", "bought") if given.get(name) == "1"}
    if given.get("outcome") in Consultation.Outcome.values:
        where["outcome"] = given["outcome"]
    if "doctor" in given:
        where["doctor"] = _number(given["doctor"])
    rows, after = asked.people(scope, by, window, where, _number(given.get("after")), SIZE)
    record(
        by=by, deed="see_consultations", now=now, object_kind="consultation", fields=("consultations",),
        note=f"rows: {len(rows)}",
    )  # fmt: skip
    context = {
        "rows": [
            row | {
                "day": from_day_number(row["day"]),
                "outcome": Consultation.Outcome(row["outcome"]).label,
                "bought_on": from_day_number(row["bought_on"]) if row["bought"] else None,
            }
            for row in named(rows, by)
        ],
        "after": after,
        "back_url": f"{reverse('funnel:consultations')}?days={days}",
    }  # fmt: skip
    return render(request, "funnel/consultation_people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("edit_consultations")
def checklist(request: HttpRequest) -> HttpResponse:
    """The algorithm in force; saving publishes the next version."""
    current = asked.current_checklist()
    form = ChecklistForm(request.POST or None, initial={"items": "\n".join(current.labels())})
    if request.method == "POST" and form.is_valid():
        try:
            actions.publish_checklist(items=form.lines(), by=actor(request), now=timezone.now())
            messages.success(request, _("The new version is in force; what was filled in keeps its own."))
            return see_other(reverse("funnel:consultations"))
        except actions.NoItems:
            form.add_error("items", _("Write at least one item."))
    return render(
        request, "funnel/checklist.html", {"form": form, "current": current}, status=422 if form.errors else 200
    )
