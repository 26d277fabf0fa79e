"""Made-up figures for the charts and tiles of the style guide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import partial

from django.utils import formats as dates
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core import charts, formats
from core.charts import Series

REVENUE = [312, 298, 341, 356, 349, 371, 362, 340, 389, 402, 415, 268]
BEFORE = [270, 265, 288, 301, 312, 318, 309, 296, 330, 342, 351, 348]
TEN_THOUSAND = 10**4 * 100  # roubles, in kopecks
PLUS = partial(formats.number, plus=True)


def samples() -> dict[str, object]:
    """Names that templates/staff/style_guide/ draws."""
    return {
        "tiles": tiles(),
        "line": line(),
        "line_gaps": line_gaps(),
        "line_empty": charts.line_chart([], []),
        "bars": bars(),
        "bars_signed": bars_signed(),
        "stacked": stacked(),
        "bridge": bridge(),
        "heat": heat(),
        "funnel": funnel(),
        "leaks": leaks(),
        "doctors": doctors(),
    }


def months() -> list[str]:
    """The twelve months up to November 2026, short."""
    return [dates.date_format(date(2025 + (11 + i) // 12, (11 + i) % 12 + 1, 1), "M y") for i in range(12)]


def money_of(values: Sequence[int]) -> list[int]:
    """Figures written in ten thousand roubles, as kopecks."""
    return [value * TEN_THOUSAND for value in values]


def line() -> charts.LineChart:
    low = [value - 25 for value in REVENUE]
    high = [value + 25 for value in REVENUE]
    series = [
        Series(_("Revenue"), money_of(REVENUE), frozenset({11})),
        Series(_("A year before"), money_of(BEFORE)),
    ]
    return charts.line_chart(
        months(),
        series,
        band=charts.Band(_("Expected"), money_of(low), money_of(high)),
        text=formats.money_whole,
        tick=formats.compact_money,
        corner=_("Month"),
        immature=_("not complete yet"),
    )


def line_gaps() -> charts.LineChart:
    shares = [
        Decimal(value) / 1000 if value else None
        for value in [412, 425, None, None, 431, 448, 455, None, 462, 470, 468, 481]
    ]
    return charts.line_chart(
        months(),
        [Series(_("Repeat rate"), shares, frozenset({10, 11}))],
        text=formats.percent,
        tick=partial(formats.percent, digits=0),
        height=200,
        corner=_("Month"),
        immature=_("not complete yet"),
    )


def bars() -> charts.BarChart:
    series = [
        Series(_("Churn"), [41, 38, 44, 52, 47, 39], frozenset({5})),
        Series(_("Inflow"), [58, 61, 49, 47, 55, 63]),
    ]
    return charts.bar_chart(
        months()[-6:], series, text=formats.number, corner=_("Month"), immature=_("not complete yet")
    )


def bars_signed() -> charts.BarChart:
    net = [17, 23, 5, -5, 8, 24, 12, -9, -14, 3, 11, 19]
    return charts.bar_chart(
        months(),
        [Series(_("Net growth"), net)],
        text=PLUS,
        tick=formats.number,
        corner=_("Month"),
        immature=_("not complete yet"),
    )


def stacked() -> charts.BarChart:
    series = [
        Series(_("From the base"), [180, 176, 198, 205, 202, 214, 209, 200, 224, 231, 240, 160], frozenset({11})),
        Series(_("Advertising"), [82, 78, 91, 96, 92, 101, 97, 88, 104, 108, 109, 70], frozenset({11})),
        Series(_("Recommendations"), [50, 44, 52, 55, 55, 56, 56, 52, 61, 63, 66, 38], frozenset({11})),
    ]
    return charts.stacked_chart(
        months(), series, text=formats.number, corner=_("Month"), immature=_("not complete yet")
    )


def bridge() -> charts.Bridge:
    changes = [
        charts.Step(pgettext("patients", "New"), 312),
        charts.Step(pgettext("patients", "Returned"), 84),
        charts.Step(pgettext("patients", "Lost"), -251),
        charts.Step(pgettext("patients", "Lost, natural"), -38),
    ]
    return charts.bridge_chart(
        charts.Step(_("At the start"), 1840),
        changes,
        _("At the end"),
        text=formats.number,
        signed=PLUS,
        corner=_("Step"),
        figure=_("Patients"),
    )


def heat() -> charts.Heat:
    """Share of a cohort that came again by month, younger cohorts shorter."""
    names = months()[-8:]
    rows = [
        charts.HeatRow(name, formats.number(96 + 7 * index), _fading(index, 8 - index), frozenset({7 - index}))
        for index, name in enumerate(names)
    ]
    return charts.heat_map(
        [str(month) for month in range(8)],
        rows,
        text=partial(formats.percent, digits=0),
        corner=_("First visit"),
        size_head=_("Patients"),
        immature=_("not complete yet"),
    )


def _fading(shift: int, count: int) -> list[Decimal]:
    return [Decimal(62 - 7 * month + (shift * 5 + month * 3) % 9) / 100 for month in range(count)]


def funnel() -> charts.Funnel:
    stages = [
        charts.StageInput(_("Leads"), 1240, url="#charts"),
        charts.StageInput(
            pgettext("leads", "Answered"), 1085, reason=_("could not get through"), url="#charts", lost_url="#charts"
        ),
        charts.StageInput(
            pgettext("leads", "Booked"), 702, reason=_("the time did not suit"), url="#charts", lost_url="#charts"
        ),
        charts.StageInput(pgettext("leads", "Came"), 561, reason=_("no-show"), lost_url="#charts"),
        charts.StageInput(pgettext("leads", "Paid"), 538, reason=_("price"), lost_url="#charts"),
        charts.StageInput(pgettext("leads", "Came again"), 214, immature=True, lost_url="#charts"),
    ]
    head = [_("Stage"), _("Count"), _("Of the step"), _("Of all"), pgettext("leads", "Lost"), _("Chief reason")]
    return charts.funnel_chart(
        stages,
        text=formats.number,
        share=formats.percent,
        head=head,
        immature=_("not complete yet"),
    )


def leaks() -> charts.Ranking:
    rows = [
        (_("Visits without a next booking"), 842, 610, 1090, _("214 patients")),
        (_("Leads answered too late"), 512, 380, 700, _("167 leads")),
        (_("No-shows not called back"), 318, 240, 410, _("58 patients")),
        (_("Lost patients nobody wrote to"), 274, 120, 460, _("391 patients")),
    ]
    inputs = [
        charts.RowInput(name, value * 10**5, low * 10**5, high * 10**5, note, "#charts")
        for name, value, low, high, note in rows
    ]
    return charts.ranking_chart(inputs, text=formats.money_whole, head=[_("Leak"), _("Money"), _("Interval")])


def doctors() -> charts.Ranking:
    rows = [("Громова Е. В.", 412), ("Ким А. С.", 188), ("Орлов П. Н.", -96), ("Белова И. И.", 41)]
    inputs = [charts.RowInput(name, value * 10**5, immature=value == 41) for name, value in rows]
    return charts.ranking_chart(
        inputs,
        text=partial(formats.money_whole, plus=True),
        head=[_("Doctor"), _("Margin against plan"), _("Interval")],
        immature=_("not complete yet"),
    )


def tiles() -> list[dict[str, object]]:
    """Eight tiles: better up, better down, worse, flat, unknown, alarm."""
    share, money = formats.percent, formats.money_whole
    return [
        tile("revenue", _("Revenue"), money(415 * TEN_THOUSAND), "0.032", "up", spark=REVENUE[:11]),
        tile("check", _("Average check"), money(486000), "-0.011", "up", spark=[51, 50, 50, 49, 49, 48.6]),
        tile("no-show", _("No-show"), share(Decimal("0.084")), "-0.021", "down", spark=[12, 11, 11, 10, 9, 8.4]),
        {
            **tile("churn", _("Churn"), share(Decimal("0.137")), "0.018", "down", spark=[9, 9.5, 10, 11, 12, 13.7]),
            "alarm": _("above inflow"),
        },
        tile("next", _("Left with a next booking"), share(Decimal("0.613")), "0", "up", spark=[61, 62, 61, 61.3]),
        tile(
            "speed",
            _("Answered within 2 minutes"),
            share(Decimal("0.774")),
            "0.054",
            "up",
            spark=[60, None, 66, 70, 77],
        ),
        tile("ltv", _("LTV by margin"), money(1894000), "0.006", "up", spark=[180, 182, 188, 189]),
        {
            "id": "tile-nps",
            "label": _("NPS"),
            "value": formats.DASH,
            "note": _("no answers yet"),
            "formula": _("Sum of payments less refunds in the period. As of yesterday."),
        },
    ]


def tile(
    name: str, label: str, value: str, change: str, good: str, *, spark: Sequence[charts.Number | None]
) -> dict[str, object]:
    """The inputs of components/tile.html for a known figure; ``change`` is a fraction as text."""
    figure = Decimal(change)
    return {
        "id": f"tile-{name}",
        "label": label,
        "value": value,
        "change": formats.percent(figure, plus=True),
        "trend": "up" if figure > 0 else "down" if figure < 0 else "flat",
        "good": good,
        "spark": charts.sparkline(spark),
        "against": _("against October"),
        "url": "#tables",
        "formula": _("Sum of payments less refunds in the period. As of yesterday."),
    }
