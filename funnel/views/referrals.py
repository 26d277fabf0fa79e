"""Referrals inside the clinic: made from the patient's card, and what became of them by pair of doctors."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.clock import from_day_number, zone
from core.pages import MOST
from funnel.actions import referrals as actions
from funnel.forms.referrals import CloseReferralForm, ReferForm
from funnel.models import InternalReferral
from funnel.queries import referrals as asked
from funnel.queries.handoff import clinic_day
from funnel.queries.ladder_page import named
from funnel.views.ladder import actor, live_scope
from funnel.views.patient_ladder import find_patient
from patients.metrics import Scope
from patients.queries.card import record_ids
from staff.access import Actor, needs
from staff.actions import record
from staff.views.login import see_other

SIZE = 50
DAYS = (30, 90, 365)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("refer_patients")
def refer(request: HttpRequest, pk: int) -> HttpResponse:
    """A new referral of this patient, and the open ones."""
    patient, by, now = find_patient(request, pk), actor(request), timezone.now()
    see_medical = by.may("see_medical")
    form = ReferForm(request.POST or None, user=request.user, see_medical=see_medical)  # type: ignore[arg-type]
    if request.method == "POST" and form.is_valid():
        sender = form.sender()
        assert sender is not None
        visit = asked.visit_of(record_ids(patient.pk), sender, clinic_day(now))
        actions.refer_patient(
            patient=patient, visit=visit, from_doctor=sender, to=form.target(), reason=form.cleaned_data.get("reason", ""),
            by=by, now=now,
        )  # fmt: skip
        messages.success(request, _("The patient is referred. Book him right away if he agrees."))
        return see_other(reverse("funnel:refer", args=[patient.pk]))
    ids = record_ids(patient.pk)
    known = asked.visible_referrals(by).filter(patient__in=ids).order_by("-made_at", "-id")[:20]
    fields = ("referrals", *(("reason",) if see_medical else ()))
    record(
        by=by, deed="see_card", now=now, object_kind="patient", object_id=patient.pk, patient_id=patient.pk,
        fields=fields,
    )  # fmt: skip
    context = {"patient": patient, "form": form, "known": known, "see_medical": see_medical}
    context["reasons"] = CloseReferralForm.base_fields["why"].choices  # type: ignore[attr-defined]
    context["book_visits"] = by.may("book_visits")
    with timezone.override(zone(patient.branch.tz)):
        return render(request, "funnel/refer.html", context, status=422 if form.errors else 200)


@require_POST
@needs("refer_patients")
def refer_close(request: HttpRequest, pk: int) -> HttpResponse:
    """A referral of this patient is said off."""
    patient, by, form = find_patient(request, pk), actor(request), CloseReferralForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose the reason."))
        return see_other(reverse("funnel:refer", args=[patient.pk]))
    mine: Any = asked.visible_referrals(by).filter(patient__in=record_ids(patient.pk))
    referral: InternalReferral = get_object_or_404(mine, pk=form.cleaned_data["referral"])
    try:
        actions.close_referral(referral=referral, why=form.cleaned_data["why"], by=by, now=timezone.now())
    except actions.NotOpen:
        messages.info(request, _("This referral is closed already."))
    return see_other(reverse("funnel:refer", args=[patient.pk]))


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and int(text) <= MOST else 0


def _span(request: HttpRequest, by: Actor) -> tuple[Scope, int, date]:
    """As of today: the scope (outcomes of every branch), the number of days looked at, the first of them."""
    scope = live_scope(Actor(kind=by.kind, id=by.id, name=by.name, role=by.role))
    wanted = _number(request.GET.get("days"))
    days = wanted if wanted in DAYS else DAYS[1]
    return scope, days, scope.as_of - timedelta(days=days - 1)


@require_GET
@needs("see_referrals")
def referrals(request: HttpRequest) -> HttpResponse:
    """By pair: made, booked, came, money. Every number opens its people."""
    by = actor(request)
    scope, days, first = _span(request, by)
    lines, more = asked.pairs(scope, by, first, _after(request), SIZE)
    context = {
        "days": days,
        "first": first,
        "last": scope.as_of,
        "options": [
            {"label": ngettext("%(n)s day", "%(n)s days", n) % {"n": n}, "url": f"?days={n}", "current": n == days}
            for n in DAYS
        ],
        "total": asked.totals(scope, by, first),
        "total_urls": {which: _people_url(days, which) for which in asked.WHICH},
        "lines": [(line, {which: _people_url(days, which, line) for which in asked.WHICH}) for line in lines],
        "next_url": _next(days, lines[-1]) if more else "",
        "see_money": by.may("see_money"),
        "window": asked.WINDOW.days,
    }
    return render(request, "funnel/referrals.html", context)


def _next(days: int, line: asked.Line) -> str:
    asks: dict[str, Any] = {"days": days} | _key(line)
    return f"?{urlencode(asks)}"


def _key(line: asked.Line) -> dict[str, Any]:
    return dict(zip(asked.PAIR, line.key, strict=True))


def _people_url(days: int, which: str, line: asked.Line | None = None) -> str:
    asks: dict[str, Any] = {"days": days, "which": which} | (_key(line) if line else {})
    return f"{reverse('funnel:referral_people')}?{urlencode(asks)}"


def _after(request: HttpRequest) -> tuple[int, int, str] | None:
    given = request.GET
    if "sender" not in given:
        return None
    return _number(given["sender"]), _number(given.get("receiver")), given.get("speciality", "")[:120]


@require_GET
@needs("see_referrals")
def referral_people(request: HttpRequest) -> HttpResponse:
    """Who stands behind a number: `?which=` made, booked, came or waiting, narrowed to a pair."""
    by, now, which = actor(request), timezone.now(), request.GET.get("which", "")
    scope, days, first = _span(request, by)
    where: dict[str, int | str] = {which: 1} if which in asked.WHICH[1:] else {}
    pair = _after(request)
    if pair:
        where |= dict(zip(asked.PAIR, pair, strict=True))
    rows, after = asked.people(scope, by, first, where, _number(request.GET.get("after")), SIZE)
    known = asked.visible_referrals(by).in_bulk([row["id"] for row in rows])
    shown = [
        row | {"referral": known[row["id"]], "came_on": from_day_number(row["came_on"]) if row["came"] else None}
        for row in named(rows, by)
    ]
    fields = ("referrals", *(deed for deed in ("see_medical", "see_money") if by.may(deed)))
    record(
        by=by, deed="see_referrals", now=now, object_kind="internal_referral", fields=fields, note=f"rows: {len(rows)}"
    )
    context = {
        "rows": shown,
        "after": after,
        "back_url": f"{reverse('funnel:referrals')}?days={days}",
        **{deed: by.may(deed) for deed in ("see_medical", "see_money")},
    }
    with timezone.override(zone(scope.tz)):
        return render(request, "funnel/referral_people.html", context)
