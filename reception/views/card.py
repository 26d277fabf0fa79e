"""The card of a patient. Every opening is logged; medical fields and money go by the deed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.clock import local_date
from core.money import round_half_away
from funnel.queries.mis_booking import show_mis
from loyalty.models import PatientValue
from loyalty.rules import RULES
from patients.models import Patient, Visit
from patients.queries.card import KINDS, Key, patient_card, record_ids, timeline
from reception import actions
from reception.queries.card import offer_call, streams, value_of
from reception.queries.people import read_key, write_key
from reception.views.pages import actor, find_patient, page
from reception.views.words import say
from staff.access import Actor, needs

SHOWN = ("names", "birth_date", "family", "consents", "recommendations", "timeline")
MAY = (
    "see_provider",
    "edit_patients",
    "book_visits",
    "log_visits",
    "work_items",
    "refer_patients",
    "run_consultations",
)
BEHIND = {"see_contacts": ("phones", "email"), "see_money": ("money", "payments"), "see_medical": ("diagnosis",)}


def fields_shown(by: Actor) -> list[str]:
    """Names of what this role sees on a card, for the audit log."""
    return [*SHOWN, *(name for deed, names in BEHIND.items() if by.may(deed) for name in names)]


@require_GET
@needs("see_card")
def card(request: HttpRequest, pk: int) -> HttpResponse:
    patient, by, now = find_patient(request, pk), actor(request), timezone.now()
    if patient.pk != pk:
        return redirect("reception:card", pk=patient.pk)
    seen = patient_card(patient=patient, by=by, now=now)
    moments, after = timeline(ids=seen.record_ids, by=by, extra=streams(seen.record_ids))
    say(moments)
    show_mis([seen.next_visit] if seen.next_visit else [])
    value = value_of(patient.pk, seen.record_ids, now)
    actions.card_opened(patient=patient, fields=fields_shown(by), by=by, now=now)
    context: dict[str, Any] = {
        "patient": patient,
        "card": seen,
        "value": value,
        "moments": moments,
        "after": _key_text(after),
        "now": now,
        "average_check": average_check(value),
        "rule_said": RULES.get(value.rule, "") if value else "",
        "consent_link": reverse("reception:consent", args=[patient.pk]) if by.may("edit_patients") else "",
        "log_url": log_url(patient, seen.next_visit, now),
        **{deed: by.may(deed) for deed in (*BEHIND, *MAY)},
    }
    return page(request, "reception/card.html", context, tz=patient.branch.tz)


def average_check(value: PatientValue | None) -> int | None:
    """M01 of one person, minor units; None without a paid visit."""
    return round_half_away(value.paid_sum, value.paid_visits) if value and value.paid_visits else None


def log_url(patient: Patient, coming: Visit | None, now: datetime) -> str:
    """Today's appointment is logged as such; without one it is a walk-in."""
    tz = patient.branch.tz
    if coming and local_date(coming.start_at, tz) == local_date(now, tz):
        return reverse("reception:log_visit", args=[coming.pk])
    return reverse("reception:walk_in", args=[patient.pk])


@require_GET
@needs("see_card")
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    """May he be called about an offer? Asked by the card once it stands: the policy looks at much."""
    patient, now = find_patient(request, pk), timezone.now()
    answer, said = offer_call(patient, now)
    return page(request, "reception/offer.html", {"offer": answer, "offer_said": said}, tz=patient.branch.tz)


@require_GET
@needs("see_card")
def more(request: HttpRequest, pk: int) -> HttpResponse:
    """The next page of the timeline."""
    patient, by, now = find_patient(request, pk), actor(request), timezone.now()
    ids = record_ids(patient.pk)
    moments, after = timeline(ids=ids, by=by, before=_read(request.GET.get("after", "")), extra=streams(ids))
    say(moments)
    actions.card_opened(patient=patient, fields=["timeline"], by=by, now=now)
    context = {"patient": patient, "moments": moments, "after": _key_text(after)}
    context |= {deed: by.may(deed) for deed in ("see_medical", "see_provider")}
    template = "reception/timeline.html" if getattr(request, "htmx", False) else "reception/timeline_page.html"
    return page(request, template, context, tz=patient.branch.tz)


def _key_text(key: Key | None) -> str:
    return write_key([key[0].isoformat(), key[1], key[2]]) if key else ""


def _read(text: str) -> Key | None:
    values = read_key(text[:300], (str, str, int))
    if not values or values[1] not in (*KINDS, "message", "reply"):
        return None
    try:
        return datetime.fromisoformat(values[0]).astimezone(UTC), values[1], values[2]
    except (ValueError, OverflowError):
        return None
