"""The bridge of the base: start + new + returned - lost = end, to the last patient."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from analytics.queries.lens import Lens
from analytics.rules.sheet import Column, Sheet
from analytics.views.links import rows_url
from analytics.views.panels import Panel
from analytics.views.tiles import theta_rule
from core import formats
from core.charts import Step, bridge_chart

Parts = dict[str, int]
PARTS = {
    "new": pgettext_lazy("bridge", "new"),
    "known": pgettext_lazy("bridge", "known before"),
    "returned": pgettext_lazy("bridge", "returned"),
    "lost": pgettext_lazy("bridge", "lost"),
}


def parts_of(bridge: Parts) -> list[tuple[str, int]]:
    """(name, change) of a bridge between its ends. Those known before the complete history began stand apart."""
    named = [(name, bridge[name] * (-1 if name == "lost" else 1)) for name in PARTS]
    return [(str(PARTS[name]), value) for name, value in named if value or name != "known"]


def bridge_panel(
    bridges: dict[int, Parts], year: int, lens: Lens, *, slug: str, options: Sequence[dict[str, Any]] = ()
) -> Panel:
    """The bridge of one year, drawn; the current year ends on the day of the figure."""
    bridge = bridges.get(year, dict.fromkeys(("start", "new", "known", "returned", "lost", "end"), 0))
    start, end = _("1 January"), _end_name(year, lens)
    signed = partial(formats.number, plus=True)
    chart = bridge_chart(
        Step(start, bridge["start"]),
        [Step(name, value) for name, value in parts_of(bridge)],
        end,
        text=formats.number,
        signed=signed,
        corner=_("What"),
        figure=_("Patients"),
    )
    sheet = Sheet(
        slug=slug,
        title=_("How the base changed in %(year)s") % {"year": year},
        columns=[Column(_("What"), "text"), Column(_("Patients"))],
        rows=[[start, bridge["start"]], *[list(part) for part in parts_of(bridge)], [end, bridge["end"]]],
        note=theta_rule(lens),
    )
    return Panel(sheet, "bridge", chart, url=rows_url("churn_year", lens, year=year), options=options)


def _end_name(year: int, lens: Lens) -> str:
    return formats.day(lens.scope.as_of)[:5] if year == lens.scope.as_of.year else _("31 December")
