"""Retention: who stays, who leaves and who is due, with the rule of loss beside every figure that uses it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from analytics.queries.lens import Lens
from analytics.queries.staying import Staying, staying
from analytics.views import retention_panels as made
from analytics.views.bridges import bridge_panel
from analytics.views.figures import value_of, written
from analytics.views.filters import changed, looked_through
from analytics.views.kept import figures
from analytics.views.panels import Panel
from analytics.views.tiles import Tile, standing_tile, theta_rule
from analytics.views.words import STATUS, STATUS_TONE, word
from staff.access import needs

SHOWN_YEARS = 4


@needs("see_dashboard")
def retention(request: HttpRequest) -> HttpResponse:
    lens, bar = looked_through(request)
    found = _staying(lens)
    now = found.years.get(lens.scope.as_of.year)
    status = now["status"] if now else "no_data"
    context = {
        "page": "retention",
        "bar": bar,
        "empty": not found.bridges,
        "panels": _panels(request, lens, found) if found.bridges else [],
        "headline": _headline(found, lens),
        "alarm": word(STATUS, status),
        "alarm_kind": STATUS_TONE[status] or "info",
        "theta": theta_rule(lens),
        "may_export": lens.actor.may("export_data"),
    }
    return render(request, "analytics/retention.html", context, status=bar.status)


def _staying(lens: Lens) -> Staying:
    """The figures, worked out once for the data as they are."""
    return Staying.restored(figures("retention", lens, partial(staying, lens)))


def panels_of(request: HttpRequest) -> list[Panel]:
    lens, _bar = looked_through(request)
    return _panels(request, lens, _staying(lens))


def _panels(request: HttpRequest, lens: Lens, found: Staying) -> list[Panel]:
    year = _year(request, lens)
    years = [y for y in found.bridges if y > lens.scope.as_of.year - SHOWN_YEARS]
    ways = [{"label": str(y), "url": changed(request, {"year": str(y)}), "current": y == year} for y in years]
    bridge = bridge_panel(found.bridges, year, lens, slug="bridge", options=ways)
    return [
        bridge,
        made.bridge_months_panel(found, lens),
        made.years_panel(found, lens),
        made.repeat_panel(found, lens),
        made.overdue_panel(found, lens),
        made.cadence_panel(found, lens),
        made.survival_panel(found, lens),
        made.compliance_panel(found, lens),
    ]


def _year(request: HttpRequest, lens: Lens) -> int:
    text = request.GET.get("year", str(lens.scope.as_of.year))
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise Http404
    return int(text)


def _headline(found: Staying, lens: Lens) -> list[Tile]:
    year = lens.scope.as_of.year
    now: dict[str, Any] = found.years.get(year, {})
    bridge = found.bridges.get(year, {"end": 0, "lost": 0})
    share = written("percent")
    km, reach = found.lifespan["km_months_restricted_60_f"], found.lifespan["horizon_months_f"]
    months = written("months")
    late = sum(n for bucket, n in found.overdue["buckets"].items() if bucket.startswith("overdue"))
    chance = found.compliance["returned_within_90_after_30_overdue"]["value"]
    seen = _("months; seen as far as %(months)s") % {"months": months(reach)} if reach is not None else _("months")
    return [
        standing_tile(
            "churn_year",
            _("Active patients"),
            written("count")(bridge["end"]),
            lens,
            theta_rule(lens),
            year=year,
            kind="patient",
            active_at_end=1,
        ),
        standing_tile(
            "churn_year",
            _("Lost since 1 January"),
            written("count")(now.get("lost", 0)),
            lens,
            _("churn %(churn)s, inflow %(inflow)s")
            % {"churn": share(value_of(now.get("churn"))), "inflow": share(value_of(now.get("inflow")))},
            year=year,
            kind="patient",
            lost=1,
        ),
        standing_tile("lifespan", _("Lifespan"), months(km), lens, seen),
        standing_tile(
            "overdue",
            _("Overdue"),
            written("count")(late),
            lens,
            _("empirical chance of return after 30 days: %(share)s") % {"share": share(chance)},
        ),
    ]
