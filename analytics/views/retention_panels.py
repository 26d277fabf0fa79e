"""The panels of retention: years, bridge by month, repeat rates, lifespan, who is due, own rhythm."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.queries.lens import Lens
from analytics.queries.staying import Staying
from analytics.rules.sheet import Column, Sheet
from analytics.views.bridges import PARTS
from analytics.views.figures import month_name, written
from analytics.views.links import rows_url
from analytics.views.panels import Panel, lines
from analytics.views.tiles import theta_rule
from analytics.views.words import BUCKETS, CADENCE, STATUS_SHORT, Text, word
from core.money import parse_money

SHOWN_YEARS = 4


def years_panel(found: Staying, lens: Lens) -> Panel:
    """M15 with all its keys: a row a figure, a column a year."""
    years = [year for year in found.years if year > lens.scope.as_of.year - SHOWN_YEARS]
    lines_ = _year_lines()
    rows = [[name, *[_year_value(found.years[year], key) for year in years]] for key, name, _kind in lines_]
    sheet = Sheet(
        slug="churn-years",
        title=_("Churn by year"),
        columns=[Column(_("Figure"), "text"), *[Column(str(year)) for year in years]],
        rows=rows,
        kinds=[kind for _key, _name, kind in lines_],
        note=theta_rule(lens)
        + " "
        + _(
            "Natural churn allowed for: 3 %% of the base. The current year runs to %(day)s and is not drawn out to a "
            "full one."
        )
        % {"day": lens.scope.as_of.strftime("%d.%m.%Y")},
    )
    return Panel(sheet, currency=lens.currency, wide=True, url=rows_url("churn_year", lens, year=lens.scope.as_of.year))


def _year_lines() -> list[tuple[str, str, str]]:
    """(key of M15, name, kind)."""
    return [
        ("active_at_start", _("Active on 1 January"), "count"),
        ("new", _("New"), "count"),
        ("reactivated", _("Returned after a loss"), "count"),
        ("base", _("Base: active, new and returned"), "count"),
        ("lost", _("Lost patients"), "count"),
        ("lost_avoidable", _("of them avoidable"), "count"),
        ("lost_natural", _("of them natural"), "count"),
        ("lost_recovered", _("of them recovered"), "count"),
        ("active_at_end", _("Active at the end"), "count"),
        ("churn", _("Churn"), "percent"),
        ("inflow", _("Inflow"), "percent"),
        ("status", _("Churn against inflow"), "text"),
        ("churn_of_active", _("Churn of those active on 1 January"), "percent"),
        ("avoidable_churn", _("Avoidable churn"), "percent"),
        ("churn_after_allowance", _("Churn above the natural 3 %"), "percent"),
        ("cac_blended", _("Cost of a new patient"), "money"),
        ("replacement_cost", _("Cost of replacing the lost"), "money"),
        ("replacement_cost_avoidable", _("of it for the avoidable losses"), "money"),
    ]


def _year_value(year: dict[str, Any], key: str) -> Any:
    value = year[key]
    if key == "status":
        return word(STATUS_SHORT, value)
    return parse_money(value) if isinstance(value, str) else value


def bridge_months_panel(found: Staying, lens: Lens) -> Panel:
    heads = {"start": pgettext("bridge", "start"), **{name: str(part) for name, part in PARTS.items()}}
    if not any(bridge["known"] for _key, bridge in found.bridge_months):
        del heads["known"]
    heads["end"] = pgettext("bridge", "end")
    sheet = Sheet(
        slug="bridge-months",
        title=_("The base by month"),
        columns=[Column(_("Month"), "text"), *[Column(head) for head in heads.values()]],
        rows=[[month_name(key), *[bridge[name] for name in heads]] for key, bridge in found.bridge_months],
        note=_("start + those who came − lost = end"),
    )
    return Panel(sheet)


def repeat_panel(found: Staying, lens: Lens) -> Panel:
    rows = []
    for days, rates in found.repeats.items():
        cells = [(rates[kind], rates[kind]["den"], rates[kind]["immature"]) for kind in ("primary", "existing")]
        rows.append([_("%(days)s days") % {"days": days}, *[value for cell in cells for value in cell]])
    sheet = Sheet(
        slug="repeats",
        title=_("Came again"),
        columns=[
            Column(_("Within"), "text"),
            Column(pgettext("patients", "Primary"), "percent"),
            Column(_("patients")),
            Column(_("too young")),
            Column(pgettext("patients", "Existing"), "percent"),
            Column(_("patients")),
            Column(_("too young")),
        ],
        rows=rows,
        urls=[rows_url("repeat_rate", lens, lens.period, days=days) for days in found.repeats],
        note=_(
            "Too young: the days have not passed yet, so these patients are not counted. Source claim, not measured "
            "here: 5 to 20 % of new and 60 to 70 % of existing patients come again."
        ),
    )
    return Panel(sheet, wide=True)


def survival_panel(found: Staying, lens: Lens) -> Panel:
    life = found.lifespan
    sheet = Sheet(
        slug="lifespan",
        title=_("How long patients stay"),
        columns=[Column(_("Months after the first visit"), "text"), Column(_("still with us"), "percent")],
        rows=[[str(month), Decimal(str(round(share, 6)))] for month, share in enumerate(found.curve)],
        note=_(
            "Kaplan-Meier over %(patients)s patients, %(once)s of whom came on one day only. Mean months between first "
            "and last visit: all %(all)s, of those who came again %(repeat)s."
        )
        % {
            "patients": written("count")(life["patients"]),
            "once": written("count")(life["one_day_patients"]),
            "all": _months(life["mean_all_months"]),
            "repeat": _months(life["mean_repeat_months"]),
        }
        + " "
        + theta_rule(lens),
    )
    return lines(sheet, url=rows_url("lifespan", lens))


def _months(ratio: dict[str, Any]) -> str:
    return written("months")(None if ratio["value"] is None else Decimal(ratio["value"]))


def _buckets(slug: str, lens: Lens, *, title: str, words: dict[str, Text], found: dict[str, Any], note: str) -> Panel:
    """Patients by group, each group open to its people."""
    counts = found["buckets"]
    total = sum(counts.values())
    codes = [code for code in words if code in counts]
    sheet = Sheet(
        slug=slug,
        title=title,
        columns=[Column(_("Group"), "text"), Column(_("Patients")), Column(_("Share"), "percent")],
        rows=[[word(words, code), counts[code], Decimal(counts[code]) / total] for code in codes],
        urls=[rows_url(slug, lens, bucket=code) for code in codes],
        foot=[_("Total"), total, Decimal(1) if total else None],
        note=note,
    )
    return Panel(sheet, url=rows_url(slug, lens))


def overdue_panel(found: Staying, lens: Lens) -> Panel:
    chance = found.compliance["returned_within_90_after_30_overdue"]
    note = _(
        "Of those overdue by 30 days, %(share)s (%(num)s of %(den)s) came within 90 days more: the empirical chance of "
        "return."
    )
    said = note % {"share": written("percent")(chance["value"]), "num": chance["num"], "den": chance["den"]}
    return _buckets("overdue", lens, title=_("Due and overdue"), words=BUCKETS, found=found.overdue, note=said)


def cadence_panel(found: Staying, lens: Lens) -> Panel:
    note = _("Silence against the patient's own usual gap; patients with three gaps or more.")
    return _buckets("cadence", lens, title=_("Own rhythm"), words=CADENCE, found=found.cadence, note=note)


def compliance_panel(found: Staying, lens: Lens) -> Panel:
    named = (
        ("on_time", _("followed within 30 days of the date")),
        ("returned_within_90_after_30_overdue", _("of the missed, came within 90 days more")),
    )
    sheet = Sheet(
        slug="compliance",
        title=_("Recommendations followed"),
        columns=[Column(_("What"), "text"), Column(_("Share"), "percent"), Column(_("yes")), Column(_("of"))],
        rows=[
            [name, found.compliance[key], found.compliance[key]["num"], found.compliance[key]["den"]]
            for key, name in named
        ],
        note=_("Recommended dates in the period of the page whose days have passed."),
    )
    return Panel(sheet, url=rows_url("recommendation_compliance", lens, lens.period))
