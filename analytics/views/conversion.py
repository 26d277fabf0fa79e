"""The funnel: from who saw an advertisement to who came again, what is lost on the way and why (R89, R90, R121)."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.queries.conversion import Conversion, conversion
from analytics.queries.lens import Lens
from analytics.rules.sheet import Column, Sheet
from analytics.views.figures import value_of, written
from analytics.views.filters import changed, looked_through
from analytics.views.kept import figures
from analytics.views.links import rows_url
from analytics.views.panels import Panel
from analytics.views.tiles import Tile, standing_tile
from analytics.views.words import AUDIENCES, BANDS, LOSS_REASONS, STAGES, word
from core import charts
from core.money import ratio
from funnel.metrics import STAGES as WINDOWS
from staff.access import needs


@needs("see_dashboard")
def funnel(request: HttpRequest) -> HttpResponse:
    lens, bar = looked_through(request)
    found = _found(request, lens)
    context = {
        "page": "funnel",
        "bar": bar,
        "empty": not found.cohort["leads"] and not found.flow["leads"],
        "panels": _panels(request, lens, found),
        "headline": _headline(found, lens),
        "may_export": lens.actor.may("export_data"),
    }
    return render(request, "analytics/funnel.html", context, status=bar.status)


def panels_of(request: HttpRequest) -> list[Panel]:
    lens, _bar = looked_through(request)
    return _panels(request, lens, _found(request, lens))


def _audience(request: HttpRequest) -> str:
    asked = request.GET.get("audience", "new")
    return asked if asked in AUDIENCES else "new"


def _found(request: HttpRequest, lens: Lens) -> Conversion:
    audience = _audience(request)
    return Conversion(**figures("funnel", lens, partial(conversion, lens, audience), audience=audience))


def _panels(request: HttpRequest, lens: Lens, found: Conversion) -> list[Panel]:
    audience = _audience(request)
    ways = [
        {"label": str(name), "url": changed(request, {"audience": code}), "current": code == audience}
        for code, name in AUDIENCES.items()
    ]
    return [
        _drawn(found, lens, audience, ways),
        _cohort(found, lens, audience),
        _flow(found, lens, audience),
        _losses(found, lens),
        _bands(found, lens),
        _by_channel(found, lens, audience),
    ]


def _headline(found: Conversion, lens: Lens) -> list[Tile]:
    percent, count, sla = written("percent"), written("count"), found.sla
    of = _("%(num)s of %(den)s leads")

    def tile(key: str, label: str) -> Tile:
        figure = sla[key]
        note = of % {"num": count(figure["num"]), "den": count(figure["den"])}
        return standing_tile("response_sla", label, percent(_value(figure)), lens, note, **_span(lens))

    traffic = found.traffic
    return [
        tile("within_60s", _("Answered within a minute")),
        tile("within_120s", _("Answered within two minutes")),
        standing_tile(
            "response_sla",
            _("Median to the first answer"),
            _("%(seconds)s s") % {"seconds": count(sla["median_s"])} if sla["median_s"] is not None else "—",
            lens,
            _("9 of 10 within %(seconds)s s") % {"seconds": count(sla["p90_s"])} if sla["p90_s"] is not None else "",
            **_span(lens),
        ),
        standing_tile(
            "funnel_cohort",
            pgettext("leads", "Leads"),
            count(found.cohort["leads"]),
            lens,
            _("reach %(reach)s, clicks %(clicks)s")
            % {"reach": count(traffic["reach"]), "clicks": count(traffic["clicks"])},
            **_span(lens),
        ),
    ]


def _span(lens: Lens) -> dict[str, str]:
    return {"from": lens.period.first.isoformat(), "to": lens.period.last.isoformat()}


def _value(figure: dict[str, Any]) -> Any:
    return value_of(figure)


def _drawn(found: Conversion, lens: Lens, audience: str, ways: list[dict[str, Any]]) -> Panel:
    """Leads whose 45 days have passed: each step is a part of the one before, and every number opens its people."""
    nested = found.nested
    where: dict[str, str] = {"audience": audience, "passed_45": "1"}
    steps = [("leads", {}), ("booked", {"did_book": "1"}), ("arrived", {"did_come": "1"}), ("paid", {"did_pay": "1"})]
    stages, rows, urls = [], [], []
    for index, (code, reached) in enumerate(steps):
        before = steps[index - 1][1] if index else {}
        missing = dict.fromkeys(reached, "0") | before
        url = rows_url("funnel_cohort", lens, lens.period, **where, **reached)
        lost_url = rows_url("funnel_cohort", lens, lens.period, **where, **missing) if index else ""
        stages.append(charts.StageInput(word(STAGES, code), nested[code], url=url, lost_url=lost_url))
        rows.append([word(STAGES, code), nested[code], _of(nested[code], nested["leads"])])
        urls.append(url)
    sheet = Sheet(
        slug="leads",
        title=_("From lead to payment"),
        columns=[Column(_("Stage"), "text"), Column(_("Leads")), Column(_("Of all"), "percent")],
        rows=rows,
        urls=urls,
        note=_(
            "Leads of the period whose 45 days have passed; younger ones wait, so that no step is judged too early."
        ),
    )
    head = [_("Stage"), _("Count"), _("Of the step"), _("Of all"), pgettext("leads", "Lost"), _("Chief reason")]
    chart = charts.funnel_chart(stages, text=written("count"), share=written("percent"), head=head)
    return Panel(sheet, "funnel", chart, wide=True, options=ways, url=rows_url("funnel_cohort", lens, lens.period))


def _of(part: int, whole: int) -> Any:
    return ratio(part, whole)


def _cohort(found: Conversion, lens: Lens, audience: str) -> Panel:
    """M21 as it stands: each stage on the leads whose own window has passed."""
    rows, urls = [], []
    for code, (column, window, _before) in WINDOWS.items():
        stage = found.cohort[code]
        of = stage["of_leads"]
        rows.append([word(STAGES, code), of["num"], stage["mature"], of, stage["of_previous"], stage["immature"]])
        where = {"audience": audience, f"passed_{window}": "1", column: "1"}
        urls.append(rows_url("funnel_cohort", lens, lens.period, **where))
    sheet = Sheet(
        slug="cohort",
        title=_("Conversion of the cohort"),
        columns=[
            Column(_("Stage"), "text"),
            Column(pgettext("leads", "Reached it")),
            Column(_("Leads old enough")),
            Column(_("Of leads"), "percent"),
            Column(_("Of the step"), "percent"),
            Column(_("too young")),
        ],
        rows=rows,
        urls=urls,
        note=_(
            "Windows from the day of the lead: booked 14 days, came and paid 45, came again 135, recommended 365. Too "
            "young leads stand in neither part of the share."
        ),
    )
    return Panel(sheet, wide=True, url=rows_url("funnel_cohort", lens, lens.period, audience=audience))


def _flow(found: Conversion, lens: Lens, audience: str) -> Panel:
    flow = found.flow
    kinds = [
        ("leads", "lead", None),
        ("bookings", "booking", "bookings_per_lead"),
        ("arrivals", "visit", "arrivals_per_booking"),
        ("paid", "", "paid_per_arrival"),
        ("second_visits", "second", None),
        ("referred_new_patients", "referred", None),
    ]
    sheet = Sheet(
        slug="flow",
        title=_("Flow of the period"),
        columns=[Column(_("Event"), "text"), Column(_("Count")), Column(_("Per event of the step before"), "percent")],
        rows=[[word(STAGES, code), flow[code], flow[rate] if rate else None] for code, _kind, rate in kinds],
        urls=[
            rows_url("funnel_snapshot", lens, lens.period, audience=audience, kind=kind) if kind else ""
            for _code, kind, _rate in kinds
        ],
        note=_("Events dated in the period, whenever the lead came: a flow, not a conversion. It may exceed 100 %."),
    )
    return Panel(sheet)


def _losses(found: Conversion, lens: Lens) -> Panel:
    rows, urls = [], []
    for key, count in sorted(found.losses["by"].items(), key=lambda pair: -pair[1]):
        stage, _bar, reason = key.partition("|")
        rows.append([word(LOSS_REASONS, reason), word(STAGES, stage), count, _of(count, found.losses["total"])])
        urls.append(rows_url("losses", lens, lens.period, loss_stage=stage, loss_reason=reason))
    sheet = Sheet(
        slug="losses",
        title=_("Why leads were lost"),
        columns=[
            Column(_("Reason"), "text"),
            Column(_("Stage"), "text"),
            Column(_("Leads")),
            Column(_("Share"), "percent"),
        ],
        rows=rows,
        urls=urls,
        foot=[_("Total"), "", found.losses["total"], None],
    )
    return Panel(sheet, url=rows_url("losses", lens, lens.period))


def _bands(found: Conversion, lens: Lens) -> Panel:
    sheet = Sheet(
        slug="bands",
        title=_("Bookings by time to the first answer"),
        columns=[
            Column(_("First answer"), "text"),
            Column(_("Booked"), "percent"),
            Column(pgettext("leads", "Booked")),
            Column(_("Leads")),
        ],
        rows=[[word(BANDS, code), band, band["num"], band["den"]] for code, band in found.bands.items()],
        urls=[rows_url("response_bands", lens, lens.period, band=code) for code in found.bands],
        note=_(
            "New leads whose 14 days have passed. Who answers fast differs in more than speed: not a causal effect."
        ),
    )
    return Panel(sheet, url=rows_url("response_bands", lens, lens.period))


def _by_channel(found: Conversion, lens: Lens, audience: str) -> Panel:
    stages = ("booked", "arrived", "paid", "repeat")
    sheet = Sheet(
        slug="by-channel",
        title=_("Conversion by source"),
        columns=[
            Column(_("Source"), "text"),
            Column(_("Leads")),
            *[Column(word(STAGES, stage), "percent") for stage in stages],
        ],
        rows=[
            [
                _("unknown") if code == "unknown" else lens.options.name_of("channel", code),
                row["leads"],
                *[row[stage]["of_leads"] for stage in stages],
            ]
            for code, row in found.by_channel.items()
        ],
        note=_("Of the leads of the source that are old enough for the stage."),
    )
    return Panel(sheet, wide=True)
