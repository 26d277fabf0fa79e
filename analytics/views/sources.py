"""Sources: what each costs and returns (R11, R82, R104)."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from analytics.queries.conversion import Sources, sources
from analytics.queries.lens import Lens
from analytics.rules.sheet import Column, Sheet
from analytics.views.filters import looked_through
from analytics.views.kept import figures
from analytics.views.links import rows_url
from analytics.views.panels import Panel
from core.money import parse_money, round_half_away
from staff.access import needs


@needs("see_dashboard")
def channels(request: HttpRequest) -> HttpResponse:
    lens, bar = looked_through(request)
    panels = _panels(lens, _found(lens))
    context = {
        "page": "channels",
        "bar": bar,
        "empty": not panels[0].sheet.rows,
        "panels": panels,
        "may_export": lens.actor.may("export_data"),
    }
    return render(request, "analytics/channels.html", context, status=bar.status)


def panels_of(request: HttpRequest) -> list[Panel]:
    lens, _bar = looked_through(request)
    return _panels(lens, _found(lens))


def _found(lens: Lens) -> Sources:
    return Sources(**figures("channels", lens, partial(sources, lens)))


def _panels(lens: Lens, found: Sources) -> list[Panel]:
    return [_cost(lens, found), _return(lens, found)]


def _named(lens: Lens, code: str) -> str:
    return _("unknown") if code == "unknown" else lens.options.name_of("channel", code)


def _minor(text: str | None) -> int | None:
    return None if text is None else parse_money(text)


def _codes(*tables: dict[str, Any]) -> list[str]:
    """Codes of the rows, `unknown` last: a table has that row only where something has no source."""
    codes = dict.fromkeys(code for table in tables for code in table if code != "all")
    return sorted(codes, key=lambda code: (code == "unknown", list(codes).index(code)))


def _cost(lens: Lens, found: Sources) -> Panel:
    def row(code: str, cost: dict[str, Any], cac: dict[str, Any]) -> list[Any]:
        return [
            _minor(cost["spend"]),
            cost["leads"],
            _minor(cost["cost_per_lead"]),
            cost["bookings"],
            _minor(cost["cost_per_booking"]),
            cac["new_patients"],
            _minor(cac["cac"]),
        ]

    nobody = {"new_patients": 0, "cac": None}
    nothing = {"spend": "0.00", "leads": 0, "cost_per_lead": None, "bookings": 0, "cost_per_booking": None}
    codes = _codes(found.cost, found.cac["channels"])
    sheet = Sheet(
        slug="cost",
        title=_("What a lead, a booking and a patient cost"),
        columns=[
            Column(_("Source"), "text"),
            Column(_("Spend"), "money"),
            Column(_("Leads")),
            Column(_("Cost of a lead"), "money"),
            Column(_("Bookings")),
            Column(_("Cost of a booking"), "money"),
            Column(_("New patients")),
            Column(_("Cost of a new patient"), "money"),
        ],
        rows=[
            [_named(lens, code), *row(code, found.cost.get(code, nothing), found.cac["channels"].get(code, nobody))]
            for code in codes
        ],
        urls=[
            rows_url("cost_per", lens, lens.period, **({"channel": code} if code != "unknown" else {}))
            for code in codes
        ],
        foot=[_("Total"), *row("all", found.cost["all"], found.cac["blended"])],
    )
    return Panel(sheet, currency=lens.currency, wide=True, url=rows_url("cost_per", lens, lens.period))


def _return(lens: Lens, found: Sources) -> Panel:
    new = {code: row["new_patients"] for code, row in found.cac["channels"].items()}
    new["all"] = found.cac["blended"]["new_patients"]

    def row(code: str) -> list[Any]:
        ltv, romi = found.ltv_cac[code], found.romi[code]
        margin, people = parse_money(ltv["margin"]), new.get(code, 0)
        ceiling = round_half_away(margin, people) if people and ltv["mature"] else None
        return [
            _minor(romi["revenue"]),
            _minor(romi["margin"]),
            romi["romi"],
            ceiling,
            ltv["ltv_cac"],
            found.payback[code]["payback_months"],
        ]

    rows = []
    for code in _codes(found.romi):
        rows.append([_named(lens, code), *_typed(row(code))])
    sheet = Sheet(
        slug="return",
        title=_("What the patients of a source returned"),
        columns=[
            Column(_("Source"), "text"),
            Column(_("Revenue to date"), "money"),
            Column(_("Margin to date"), "money"),
            Column(_("ROMI to date"), "percent"),
            Column(_("Ceiling of CAC"), "money"),
            Column(_("LTV:CAC, 12 months"), "number"),
            Column(_("Payback, months")),
        ],
        rows=rows,
        foot=[_("Total"), *_typed(row("all"))],
        note=_(
            "Patients whose first visit lies in the period. Ceiling of CAC: the margin of a patient in 12 months. Empty: "
            "too young for 12 months, nothing spent, or not paid back in the months seen so far (%(months)s)."
        )
        % {"months": found.payback["all"]["observed_months"]},
    )
    return Panel(sheet, currency=lens.currency, wide=True, url=rows_url("romi", lens, lens.period))


def _typed(row: list[Any]) -> list[Any]:
    """Decimal texts of ratios as decimals."""
    return [Decimal(value) if isinstance(value, str) else value for value in row]
