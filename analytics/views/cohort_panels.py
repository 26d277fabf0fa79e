"""Cohorts as a heat map: the month of the first visit down, months after it across."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from analytics.queries.cohorts import COLUMNS, Cohort
from analytics.queries.flows import mean
from analytics.queries.lens import Lens
from analytics.rules.sheet import Column, Sheet
from analytics.views.figures import month_name
from analytics.views.panels import Panel
from core import formats
from core.charts import HeatRow, heat_map

SHOWS = ("came", "margin", "revenue")


def cohorts_panel(cohorts: list[Cohort], lens: Lens, show: str, options: list[dict[str, Any]]) -> Panel:
    """`show`: came (share of the cohort), margin or revenue (money per patient)."""
    kind = "percent" if show == "came" else "money"
    heads = [str(month) for month in range(COLUMNS)]
    values = [_values(cohort, show) for cohort in cohorts]
    sheet = Sheet(
        slug=f"cohorts-{show}",
        title=_("Cohorts by month of the first visit"),
        columns=[Column(_("Cohort"), "text"), Column(_("Patients")), *[Column(head, kind) for head in heads]],
        rows=[
            [month_name(cohort.key), cohort.size, *row, *[None] * (COLUMNS - len(row))]
            for cohort, row in zip(cohorts, values, strict=True)
        ],
        note=_(
            "Column 0 is the month that begins with the first visit, 1 the month after, and so on, each patient "
            "counted from his own day. Framed: not all patients of the cohort have lived this month to its end."
        ),
    )
    text = (
        partial(formats.percent, digits=0) if show == "came" else partial(formats.compact_money, currency=lens.currency)
    )
    rows = [
        HeatRow(month_name(cohort.key), formats.number(cohort.size), row, frozenset(range(cohort.young, len(row))))
        for cohort, row in zip(cohorts, values, strict=True)
    ]
    # Month 0 is 100 % by definition and most of the money: shading starts from month 1, or all else would be pale.
    later = [float(value) for row in values for value in row[1:] if value is not None]
    chart = heat_map(
        heads,
        rows,
        text=text,
        corner=_("Cohort"),
        size_head=_("Patients"),
        immature=_("not complete yet"),
        top=max(later, default=1.0),
    )
    return Panel(sheet, "heat", chart, currency=lens.currency, wide=True, options=options)


def _values(cohort: Cohort, show: str) -> list[Any]:
    if show == "came":
        return [Decimal(n) / size if size else None for n, size in cohort.cells(show)]
    return [mean(total, size) for total, size in cohort.cells(show)]
