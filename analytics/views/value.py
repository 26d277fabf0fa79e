"""Patients' value: who is worth what to the clinic, and how the figure is made up."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from analytics.forms import WhatIfForm
from analytics.queries.lens import Lens
from analytics.queries.top import Key, top_patients
from analytics.queries.worth import Worth, worth_of
from analytics.rules.whatif import WhatIf, what_if
from analytics.views import cohort_panels, value_panels
from analytics.views.figures import written
from analytics.views.filters import changed, looked_through
from analytics.views.kept import figures
from analytics.views.panels import Panel
from analytics.views.rows import card_url
from analytics.views.tiles import Tile, standing_tile
from analytics.views.words import SEGMENTS, STATES, Text, word
from core.money import parse_money
from loyalty.models import PatientValue
from staff.access import needs

FEW = 10
KEY = re.compile(r"(-?\d{1,18})-(\d{1,18})")
TONES = {"active": "good", "cooling": "warn", "at_risk": "warn", "lost": "bad"}


@needs("see_dashboard")
def value(request: HttpRequest) -> HttpResponse:
    lens, bar = looked_through(request)
    found = _worth(request, lens)
    form, result = _what_if(request, found)
    context = {
        "page": "value",
        "bar": bar,
        "empty": not found.ltv["patients"],
        "panels": _panels(request, lens, found),
        "parts": _parts(found, lens),
        "headline": _headline(found, lens),
        "form": form,
        "result": result and {"full": int(result.full * 100), "simple": int(result.simple * 100)},
        "kept": [(name, text) for name, text in request.GET.items() if name not in WhatIfForm.base_fields],
        "currency": lens.currency,
        "top": _people(top_patients(lens.actor, size=FEW).rows, lens),
        "may_export": lens.actor.may("export_data"),
    }
    return render(request, "analytics/value.html", context, status=422 if form.errors else bar.status)


def panels_of(request: HttpRequest) -> list[Panel]:
    lens, _bar = looked_through(request)
    return _panels(request, lens, _worth(request, lens))


def _worth(request: HttpRequest, lens: Lens) -> Worth:
    """The figures, worked out once for the data as they are."""
    by = _by(request, lens)
    return Worth.restored(figures("value", lens, partial(worth_of, lens, by), by=by))


def _by(request: HttpRequest, lens: Lens) -> str:
    """What the groups are; 403 for a diagnosis without the medical deed."""
    by = request.GET.get("by", "channel")
    if by not in value_panels.GROUPS:
        raise Http404
    if by in value_panels.MEDICAL and not lens.actor.may("see_medical"):
        raise PermissionDenied
    return by


def _panels(request: HttpRequest, lens: Lens, found: Worth) -> list[Panel]:
    allowed = [by for by in value_panels.GROUPS if by not in value_panels.MEDICAL or lens.actor.may("see_medical")]
    ways = [
        _way(request, str(value_panels.GROUPS[by]), "by", code=by, now=found.by, default="channel") for by in allowed
    ]
    show = request.GET.get("show", "came")
    if show not in cohort_panels.SHOWS:
        raise Http404
    said = {"came": _("share who came"), "margin": _("margin per patient"), "revenue": _("revenue per patient")}
    shows = [_way(request, name, "show", code=code, now=show, default="came") for code, name in said.items()]
    return [
        value_panels.groups_panel(found, lens, ways),
        value_panels.horizons_panel(found, lens),
        value_panels.specialities_panel(found, lens),
        cohort_panels.cohorts_panel(found.cohorts, lens, show, shows),
        value_panels.segments_panel(found, lens),
        value_panels.rfm_panel(found, lens),
        value_panels.own_doctor_panel(found, lens),
    ]


def _way(request: HttpRequest, label: str, name: str, *, code: str, now: str, default: str) -> dict[str, Any]:
    return {"label": label, "url": changed(request, {name: None if code == default else code}), "current": code == now}


def _headline(found: Worth, lens: Lens) -> list[Tile]:
    money, months = written("money", lens.currency), written("months")
    ltv, life = found.ltv, found.lifespan
    km, reach = life["km_months_restricted_60_f"], life["horizon_months_f"]
    seen = _("months; seen as far as %(months)s") % {"months": months(reach)} if reach is not None else _("months")
    share = found.formula["profit_share"]["value"]
    return [
        standing_tile("ltv_historical", _("LTV by margin"), money(_minor(ltv["ltv_margin"])), lens),
        standing_tile("ltv_historical", _("LTV by revenue"), money(_minor(ltv["ltv_revenue"])), lens),
        standing_tile("lifespan", _("Lifespan"), months(km), lens, seen),
        standing_tile("ltv_formula", _("Share of profit"), written("percent")(share), lens, _("before overheads")),
    ]


def _minor(text: str | None) -> int | None:
    return None if text is None else parse_money(text)


def _parts(found: Worth, lens: Lens) -> list[dict[str, str]]:
    """M05, factor by factor."""
    money, number = written("money", lens.currency), written("number")
    formula = found.formula
    return [
        {"label": _("Average check"), "value": money(_minor(formula["average_check"]))},
        {"label": _("Sales per year"), "value": number(_decimal(formula["sales_per_year"]["value"]))},
        {
            "label": _("Length of the relationship, months"),
            "value": number(_decimal(formula["lifespan_months"]["value"])),
        },
        {"label": _("Share of profit"), "value": written("percent")(formula["profit_share"]["value"])},
        {"label": _("Revenue per patient (simple formula)"), "value": money(_minor(formula["simple"]))},
        {"label": _("Margin per patient (full formula)"), "value": money(_minor(formula["full"]))},
    ]


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _what_if(request: HttpRequest, found: Worth) -> tuple[WhatIfForm, WhatIf | None]:
    """The calculator: the clinic's own figures to begin with, the visitor's as soon as they are sent."""
    formula = found.formula
    share = formula["profit_share"]["value"]
    own = {
        "check": formula["average_check"],
        "sales": _short(formula["sales_per_year"]["value"], 3),
        "months": _short(formula["lifespan_months"]["value"], 2),
        "share": _short(str(Decimal(share) * 100) if share else None, 2),
    }
    asked = any(name in request.GET for name in WhatIfForm.base_fields)
    form = WhatIfForm(request.GET if asked else None, initial=own)
    if not asked or not form.is_valid():
        return form, None
    data = form.cleaned_data
    return form, what_if(check=data["check"], sales=data["sales"], months=data["months"], share=data["share"])


def _short(text: str | None, digits: int) -> str:
    return "" if text is None else str(round(Decimal(text), digits))


def _people(rows: list[PatientValue], lens: Lens) -> list[dict[str, Any]]:
    """Rows of the list of patients; names and cards for those who may open cards."""
    named = lens.actor.may("see_card")
    return [
        {
            "name": row.patient.full_name if named else row.patient.code,
            "url": card_url(row.patient_id) if named else "",
            "value": row,
            "state": word(STATES, row.state),
            "tone": TONES.get(row.state, ""),
            "booked": row.booked_at,
            "segment": word(SEGMENTS, row.segment) if row.segment else "",
            "doctor": row.own_doctor.name if row.own_doctor else "",
        }
        for row in rows
    ]


@needs("see_dashboard")
def top(request: HttpRequest) -> HttpResponse:
    """All patients by what they have brought, page by page; narrowed down by state or segment."""
    lens, bar = looked_through(request)
    state, segment = request.GET.get("state", ""), request.GET.get("segment", "")
    if (state and state not in STATES) or (segment and segment not in SEGMENTS):
        raise Http404
    found = top_patients(lens.actor, state=state, segment=segment, after=_key(request.GET.get("after")))
    context = {
        "bar": bar,
        "people": _people(found.rows, lens),
        "states": _ways(request, "state", STATES, state),
        "segments": _ways(request, "segment", SEGMENTS, segment),
        "next_url": changed(request, {"after": "-".join(map(str, found.after))}) if found.after else "",
        "first_url": changed(request, {}) if request.GET.get("after") else "",
        "currency": lens.currency,
    }
    return render(request, "analytics/top.html", context)


def _ways(request: HttpRequest, name: str, words: dict[str, Text], now: str) -> list[dict[str, Any]]:
    codes = ["", *(code for code in words if code != "none")]
    return [
        _way(request, word(words, code) if code else _("all"), name, code=code, now=now, default="") for code in codes
    ]


def _key(text: str | None) -> Key | None:
    """'120000-15' -> (120000, 15); anything else than two numbers is no page of ours."""
    if not text:
        return None
    match = KEY.fullmatch(text)
    if not match:
        raise Http404
    return int(match[1]), int(match[2])
