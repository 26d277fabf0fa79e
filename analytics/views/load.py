"""Load of doctors: how full the diary was (M27), and the idle hours of the weeks ahead (R76)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.queries.conversion import idle_ahead
from analytics.queries.lens import Lens
from analytics.rules.sheet import Column, Sheet
from analytics.views.filters import looked_through
from analytics.views.links import rows_url
from analytics.views.panels import Panel
from core import formats
from core.clock import local_date
from funnel.metrics import utilisation
from staff.access import needs

HOUR = Decimal(3600)


@needs("see_dashboard")
def load(request: HttpRequest) -> HttpResponse:
    lens, bar = looked_through(request)
    panels = _panels(lens)
    context = {
        "page": "load",
        "bar": bar,
        "empty": not any(panel.sheet.rows for panel in panels),
        "panels": panels,
        "may_export": lens.actor.may("export_data"),
    }
    return render(request, "analytics/load.html", context, status=bar.status)


def panels_of(request: HttpRequest) -> list[Panel]:
    lens, _bar = looked_through(request)
    return _panels(lens)


def _panels(lens: Lens) -> list[Panel]:
    return [_ahead(lens), _past(lens)]


def _past(lens: Lens) -> Panel:
    found: dict[str, Any] = utilisation(lens.scope, lens.period)
    codes = [code for code, row in found.items() if row["worked"]["den"]]
    codes.sort(key=lambda code: (Decimal(found[code]["worked"]["value"]), code))
    sheet = Sheet(
        slug="utilisation",
        title=_("Load of doctors"),
        columns=[
            Column(_("Doctor"), "text"),
            Column(_("Hours of shifts"), "number"),
            Column(_("Worked"), "percent"),
            Column(_("Sold: with no-shows"), "percent"),
        ],
        rows=[
            [
                lens.options.name_of("doctor", code),
                Decimal(found[code]["worked"]["den"]) / HOUR,
                found[code]["worked"],
                found[code]["sold"],
            ]
            for code in codes
        ],
        urls=[rows_url("utilisation", lens, lens.period, doctor=code) for code in codes],
        note=_("The least loaded first. Time of visits within shifts, overlaps counted once."),
    )
    return Panel(sheet, wide=True, url=rows_url("utilisation", lens, lens.period))


def _ahead(lens: Lens) -> Panel:
    now = timezone.now()
    found = idle_ahead(lens.scope, now)
    today = local_date(now, lens.scope.tz)
    heads = [_("from %(day)s") % {"day": formats.day(today + timedelta(days=7 * week))} for week in range(4)]
    names = {one.pk: one.name for one in lens.options.doctor}
    rows = [
        [
            names.get(idle.doctor_id, str(idle.doctor_id)),
            Decimal(idle.shift) / HOUR,
            Decimal(idle.free) / HOUR,
            Decimal(idle.free) / idle.shift if idle.shift else None,
            *[Decimal(seconds) / HOUR for seconds in idle.weeks],
        ]
        for idle in found
    ]
    sheet = Sheet(
        slug="idle",
        title=_("Idle hours of the next four weeks"),
        columns=[
            Column(_("Doctor"), "text"),
            Column(_("Hours of shifts"), "number"),
            Column(_("Free hours"), "number"),
            Column(_("Free"), "percent"),
            *[Column(head, "number") for head in heads],
        ],
        rows=rows,
        note=_("Shifts from now on less what is booked; the freest first."),
    )
    return Panel(sheet, wide=True)
