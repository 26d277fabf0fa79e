"""The panels of the dashboard: each is a sheet of figures and the drawing made of it."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.queries.board import Board
from analytics.queries.lens import Lens
from analytics.queries.services import by_tier
from analytics.rules.periods import is_cut
from analytics.rules.sheet import Column, Sheet
from analytics.views.bridges import PARTS, bridge_panel
from analytics.views.figures import month_name
from analytics.views.links import rows_url
from analytics.views.panels import Panel, bars, lines, ranking
from analytics.views.tiles import theta_rule
from analytics.views.words import STATUS, STATUS_SHORT, STATUS_TONE, TIERS, word


def panels(board: Board, lens: Lens) -> list[Panel]:
    year = lens.scope.as_of.year
    ends = [("rebooking", _("booked at the visit"), "percent"), ("covered", _("with earlier bookings"), "percent")]
    return [
        _by_month(board, lens, "average_check", bars, [("revenue", _("Revenue"), "money")], _("Revenue by month")),
        _by_month(board, lens, "average_check", bars, [("visits", _("Visits"), "count")], _("Visits by month")),
        bridge_panel(board.bridges, year, lens, slug="bridge"),
        _churn(board, lens),
        _moves(board, lens),
        _repeat(board, lens),
        _by_month(board, lens, "rebooking", lines, ends, _("Visits that ended with the next booking")),
        _by_month(board, lens, "no_show", lines, [("no_show", _("No-show"), "percent")], _("No-show by month")),
        _services(board, lens),
        _tiers(board, lens),
    ]


def _young_months(board: Board) -> frozenset[int]:
    return frozenset({len(board.spans) - 1} if is_cut(board.spans[-1]) else ())


Shown = list[tuple[str, str, str]]  # figure of the board, heading, kind


def _by_month(board: Board, lens: Lens, metric: str, draw: Callable[..., Panel], shown: Shown, title: str) -> Panel:
    sheet = Sheet(
        slug=shown[0][0].replace("_", "-"),
        title=title,
        columns=[Column(_("Month"), "text"), *[Column(name, kind) for _figure, name, kind in shown]],
        rows=[[month_name(month["key"]), *[month[figure] for figure, _n, _k in shown]] for month in board.months],
        young=_young_months(board),
    )
    return draw(sheet, lens.currency, url=rows_url(metric, lens, lens.period))


def _churn(board: Board, lens: Lens) -> Panel:
    years = {year: found for year, found in board.years.items() if found["base"]}
    now = lens.scope.as_of.year
    sheet = Sheet(
        slug="churn",
        title=_("Churn against inflow by year"),
        columns=[Column(_("Year"), "text"), Column(_("Churn"), "percent"), Column(_("Inflow"), "percent")],
        rows=[[str(year), found["churn"], found["inflow"]] for year, found in years.items()],
        note=theta_rule(lens),
        young=frozenset({list(years).index(now)} if now in years else ()),
    )
    status = board.now["churn_status"]
    return bars(
        sheet,
        lens.currency,
        url=rows_url("churn_year", lens, year=now),
        badge=(word(STATUS_SHORT, status), STATUS_TONE[status]),
        text=word(STATUS, status),
    )


def _moves(board: Board, lens: Lens) -> Panel:
    sheet = Sheet(
        slug="moves",
        title=_("Who came and who was lost, by month"),
        columns=[Column(_("Month"), "text"), *[Column(str(PARTS[name])) for name in ("new", "returned", "lost")]],
        rows=[
            [
                month_name(m["key"]),
                m["bridge"]["new"] + m["bridge"]["known"],
                m["bridge"]["returned"],
                -m["bridge"]["lost"],
            ]
            for m in board.months
        ],
        note=theta_rule(lens),
        young=_young_months(board),
    )
    return bars(sheet, stacked=True, url=rows_url("lost_patients", lens, year=lens.scope.as_of.year))


def _repeat(board: Board, lens: Lens) -> Panel:
    young = [index for index, m in enumerate(board.months) if m["repeat_primary"]["immature"]]
    sheet = Sheet(
        slug="repeat",
        title=_("Came again within 90 days, by month of the visit"),
        columns=[Column(_("Month"), "text"), Column(_("primary"), "percent"), Column(_("existing"), "percent")],
        rows=[[month_name(m["key"]), m["repeat_primary"], m["repeat_existing"]] for m in board.months],
        young=frozenset(young),
    )
    return lines(sheet, url=rows_url("repeat_rate", lens, lens.period, days=90))


SOLD = ("quantity", "amount", "cost", "margin")


def _sold_columns(first: str) -> list[Column]:
    return [
        Column(first, "text"),
        Column(_("Lines")),
        Column(_("Amount"), "money"),
        Column(_("Cost"), "money"),
        Column(_("Margin"), "money"),
    ]


def _services(board: Board, lens: Lens) -> Panel:
    sheet = Sheet(
        slug="services",
        title=_("Services that bring the most"),
        columns=_sold_columns(_("Service")),
        rows=[[row["name"], *[row[name] for name in SOLD]] for row in board.services],
        note=_("List amounts of the period, before discounts: not cash."),
    )
    return ranking(
        sheet, lens.currency, place=2, note=4, most=10, url=rows_url("revenue_by_service", lens, lens.period)
    )


def _tiers(board: Board, lens: Lens) -> Panel:
    tiers = by_tier(board.services)
    sheet = Sheet(
        slug="tiers",
        title=_("Steps of the product ladder"),
        columns=_sold_columns(pgettext("ladder", "Step")),
        rows=[[word(TIERS, row["tier"]), *[row[name] for name in SOLD]] for row in tiers],
        foot=[_("Total"), *[sum(row[name] for row in tiers) for name in SOLD]],
        urls=[rows_url("revenue_by_service", lens, lens.period, tier=row["tier"]) for row in tiers],
        note=_("List amounts of the period, before discounts: not cash."),
    )
    return Panel(sheet, currency=lens.currency)
