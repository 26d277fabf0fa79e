"""The panels of patients' value: groups, horizons, own doctor, specialities, segments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.queries.lens import Lens
from analytics.queries.worth import HORIZONS, MATURE, Worth
from analytics.rules.sheet import Column, Sheet
from analytics.views.links import rows_url
from analytics.views.panels import Panel, ranking
from analytics.views.tiles import theta_rule
from analytics.views.words import SEGMENTS, SEXES, Text, unknown_or, word
from core import formats
from core.charts import HeatRow, heat_map
from core.money import parse_money

GROUPS: dict[str, Text] = {
    "channel": gettext_lazy("Source"),
    "first_doctor": gettext_lazy("First doctor"),
    "speciality": gettext_lazy("Speciality"),
    "segment": gettext_lazy("Segment"),
    "sex": gettext_lazy("Sex"),
    "age_band": gettext_lazy("Age"),
    "diagnosis_first": gettext_lazy("First diagnosis"),
}
MEDICAL = ("diagnosis_first",)


def _money(*names: str) -> list[Column]:
    return [Column(name, "money") for name in names]


def group_name(by: str, code: str, lens: Lens) -> str:
    """How people call a group of `ltv_by`."""
    if by in ("channel", "first_doctor"):
        what = "channel" if by == "channel" else "doctor"
        return unknown_or(lens.options.name_of(what, code))
    if by == "segment":
        return word(SEGMENTS, code)
    if by == "sex":
        return word(SEXES, code)
    return _("none") if code == "none" else unknown_or(code)


def groups_panel(worth: Worth, lens: Lens, options: list[dict[str, Any]]) -> Panel:
    sheet = Sheet(
        slug=f"ltv-by-{worth.by.replace('_', '-')}",
        title=_("LTV by group"),
        columns=[
            Column(str(GROUPS[worth.by]), "text"),
            Column(_("Patients")),
            *_money(_("LTV by margin"), _("LTV by revenue"), _("Revenue")),
        ],
        rows=[
            [group_name(worth.by, g["code"], lens), g["patients"], g["ltv_margin"], g["ltv_revenue"], g["revenue"]]
            for g in worth.groups
        ],
        urls=[rows_url("ltv_by", lens, by=worth.by)] * len(worth.groups),
        note=_("Margin = money less the direct cost of visits. Groups of a few patients are a story, not a figure."),
    )
    return ranking(
        sheet,
        lens.currency,
        place=2,
        note=1,
        most=15,
        wide=True,
        options=options,
        url=rows_url("ltv_by", lens, by=worth.by),
    )


def horizons_panel(worth: Worth, lens: Lens) -> Panel:
    """R4: one, three and five years; mature or chained, never drawn out beyond what was seen."""
    rows, young = [], set()
    for at, months in enumerate(HORIZONS):
        found = worth.horizons[months]
        mature = found["margin"]["mature_patients"]
        if mature < MATURE:
            young.add(at)
        rows.append(
            [
                ngettext("%(years)s year", "%(years)s years", months // 12) % {"years": months // 12},
                mature,
                *(_minor(found[measure]["ltv_mature"]) for measure in ("margin", "revenue")),
                found["patients"],
                *(_minor(found[measure]["ltv_chained"]) for measure in ("margin", "revenue")),
                _("chained") if mature < MATURE else _("mature"),
            ]
        )
    sheet = Sheet(
        slug="horizons",
        title=_("What a patient leaves in 1, 3 and 5 years"),
        columns=[
            Column(_("Horizon"), "text"),
            Column(_("Patients who lived it")),
            *_money(_("Mature, margin"), _("Mature, revenue")),
            Column(_("All patients")),
            *_money(_("Chained, margin"), _("Chained, revenue")),
            Column(_("Read"), "text"),
        ],
        rows=rows,
        young=frozenset(young),
        note=_(
            "Mature: patients who have lived the whole horizon. Chained: every month from those who have lived it; "
            "read it where fewer than 100 are mature. A dash means that nobody has lived a part of the horizon: it is "
            "never guessed."
        ),
    )
    return Panel(sheet, currency=lens.currency, wide=True, url=rows_url("ltv_horizon", lens, months=12))


def _minor(text: str | None) -> int | None:
    return None if text is None else parse_money(text)


def own_doctor_panel(worth: Worth, lens: Lens) -> Panel:
    own = worth.own
    naive, mark, once = own["naive"], own["landmark"], own["vs_one_time"]
    rows = [
        [
            _("Two early visits to one doctor, the year after"),
            mark["own"],
            mark["other"],
            mark["mean_own"],
            mark["mean_other"],
            mark["ratio"],
        ],
        [
            _("The same, alike by number of early visits"),
            mark["own"],
            mark["other"],
            None,
            None,
            mark["stratified_ratio"],
        ],
        [
            _("By all visits (biased upwards)"),
            naive["own"],
            naive["other"],
            naive["ltv_own"],
            naive["ltv_other"],
            naive["ratio"],
        ],
        [
            _("Own doctor against one visit only"),
            once["own"],
            once["one_time"],
            once["mean_own"],
            once["mean_one_time"],
            once["ratio"],
        ],
    ]
    sheet = Sheet(
        slug="own-doctor",
        title=_("Own doctor"),
        columns=[
            Column(_("Comparison"), "text"),
            Column(_("With own doctor")),
            Column(_("Others")),
            *_money(_("Money, own"), _("Money, others")),
            Column(_("Ratio"), "number"),
        ],
        rows=[[*row[:3], _minor(row[3]), _minor(row[4]), None if row[5] is None else Decimal(row[5])] for row in rows],
        note=_(
            "Not a causal effect: who comes often finds an own doctor more easily. Source claim, not measured here: "
            "patients with an own doctor are said to bring 2 to 3 times as much as one-time ones."
        ),
    )
    return Panel(sheet, currency=lens.currency, wide=True, url=rows_url("own_doctor", lens))


def specialities_panel(worth: Worth, lens: Lens) -> Panel:
    sheet = Sheet(
        slug="specialities",
        title=_("LTV by number of specialities"),
        columns=[
            Column(_("Specialities"), "text"),
            Column(_("Patients")),
            *_money(_("LTV by margin"), _("LTV by revenue")),
        ],
        rows=[[str(row["n"]), row["patients"], row["ltv_margin"], row["ltv_revenue"]] for row in worth.specialities],
        note=_(
            "Who stays longer meets more specialities, so this is no effect of the number itself. Source claim: "
            "clinics with many specialities are said to have 30 to 50 % more."
        ),
    )
    return ranking(sheet, lens.currency, place=2, note=1, wide=True)


def segments_panel(worth: Worth, lens: Lens) -> Panel:
    order = [code for code in SEGMENTS if any(g["code"] == code for g in worth.segments)]
    found = {g["code"]: g for g in worth.segments}
    sheet = Sheet(
        slug="segments",
        title=_("Segments by recency, frequency, money"),
        columns=[Column(_("Segment"), "text"), Column(_("Patients")), *_money(_("LTV by margin"), _("Revenue"))],
        rows=[
            [word(SEGMENTS, code), found[code]["patients"], found[code]["ltv_margin"], found[code]["revenue"]]
            for code in order
        ],
        urls=[rows_url("rfm", lens, segment=code) for code in order],
        note=theta_rule(lens),
    )
    return Panel(sheet, currency=lens.currency, url=rows_url("rfm", lens))


def rfm_panel(worth: Worth, lens: Lens) -> Panel:
    """How many patients have which scores of recency (down) and frequency (across)."""
    cells = worth.rfm["cells"]
    counts = {
        (r, f): sum(n for cell, n in cells.items() if cell.startswith(f"{r}{f}"))
        for r in range(1, 6)
        for f in range(1, 6)
    }
    rows = [[f"R {r}", *[counts[r, f] for f in range(1, 6)]] for r in range(5, 0, -1)]
    sheet = Sheet(
        slug="rfm",
        title=_("Recency and frequency"),
        columns=[Column(_("Recency"), "text"), *[Column(f"F {f}") for f in range(1, 6)]],
        rows=rows,
        note=_("R 5: came most recently; F 5: came most often in the last 365 days. Patients in each cell."),
    )
    chart = heat_map(
        [f"F {f}" for f in range(1, 6)],
        [HeatRow(str(row[0]), "", [int(n) or None for n in row[1:]]) for row in rows],
        text=formats.number,
        corner=_("Recency"),
    )
    return Panel(sheet, "heat", chart, url=rows_url("rfm", lens))
