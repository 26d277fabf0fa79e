"""What-if: every stage, spend and retention by slider, limited by the chairs; the result with its formula (R103)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.forms import SliderForm
from analytics.queries.conversion import AHEAD, Income, idle_ahead, income
from analytics.queries.lens import Lens
from analytics.rules.simulator import Business, Outcome, outcome, without_advertising
from analytics.views.figures import written
from analytics.views.filters import looked_through
from analytics.views.kept import figures
from core.money import parse_money, round_half_away
from funnel.metrics import cost_per, funnel_cohort
from loyalty.metrics import ltv_horizon, repeat_rate
from patients.metrics.codes import codes_of
from patients.models import Channel
from staff.access import needs

MONTHS, DAYS = 12, 90
VISIT_SECONDS = 1800  # where no visit of the period tells


@dataclass(frozen=True)
class Now:
    """The figures of the period that the sliders move, as the metrics give them."""

    cost: dict[str, Any]
    cohort: dict[str, Any]
    horizon: dict[str, Any]
    repeat: dict[str, Any]
    income: Income


def now_of(lens: Lens) -> Now:
    scope, period = lens.scope, lens.period
    return Now(
        cost=cost_per(scope, period),
        cohort=funnel_cohort(scope, period, "all"),
        horizon=ltv_horizon(scope, MONTHS),
        repeat=repeat_rate(scope, period, DAYS),
        income=income(scope, period),
    )


@needs("see_dashboard")
def what_if(request: HttpRequest) -> HttpResponse:
    lens, bar = looked_through(request)
    kept = figures("what_if", lens, partial(now_of, lens))
    found = Now(**{**kept, "income": Income(**kept["income"])})
    business = _business(lens, found)
    form = SliderForm(request.GET if SliderForm.asked(request.GET) else None)
    then = _moved(business, form.cleaned_data) if form.is_valid() else business
    context = {
        "page": "what_if",
        "bar": bar,
        "empty": not (business.paid_leads + business.other_leads),
        "form": form,
        "kept": [(name, text) for name, text in request.GET.items() if name not in SliderForm.base_fields],
        "rows": _rows(lens, outcome(business, business), outcome(business, then)),
        "formula": _formula(lens, then, outcome(business, then)),
        "moved": _told(form),
        "limited": outcome(business, then).lost_to_chairs > 0,
        "silence": _rows(lens, outcome(business, business), without_advertising(business)),
        "base_share": written("percent")(_share(found.income)),
    }
    return render(request, "analytics/what_if.html", context, status=422 if form.errors else bar.status)


def _told(form: SliderForm) -> list[str]:
    """The sliders that do not stand at today, in words."""
    values = form.cleaned_data if form.is_bound and form.is_valid() else {}
    return [f"{form.fields[name].label}: {value} %" for name, value in values.items() if value != 100]


def _share(found: Income) -> Any:
    return Decimal(found.base_net) / found.net if found.net else None


def _length(found: Income) -> int:
    """Seconds of a visit of the period, on average."""
    return round_half_away(found.seconds, found.visits) if found.seconds else VISIT_SECONDS


def _rate(figure: dict[str, Any]) -> Fraction:
    return Fraction(figure["num"], figure["den"]) if figure["den"] else Fraction(0)


def _business(lens: Lens, found: Now) -> Business:
    codes = codes_of("channel")
    paid = {codes[pk] for pk in Channel.objects.filter(kind=Channel.Kind.PAID).values_list("pk", flat=True)}
    leads = {code: row["leads"] for code, row in found.cost.items() if code != "all"}
    paid_leads = sum(n for code, n in leads.items() if code in paid)
    margin = found.horizon["margin"]["ltv_chained"] if "margin" in found.horizon else None
    margin = margin or "0.00"
    days = (lens.period.last - lens.period.first).days + 1
    free = sum(idle.free for idle in idle_ahead(lens.scope, timezone.now()))
    return Business(
        spend=Fraction(parse_money(found.cost["all"]["spend"])),
        paid_leads=Fraction(paid_leads),
        other_leads=Fraction(sum(leads.values()) - paid_leads),
        booked=_rate(found.cohort["booked"]["of_leads"]),
        came=_rate(found.cohort["arrived"]["of_previous"]),
        paid=_rate(found.cohort["paid"]["of_previous"]),
        first_money=Fraction(parse_money(margin)),
        base_money=Fraction(found.income.base_margin),
        repeat=_rate(found.repeat["primary"]),
        free_seconds=int(free * days / AHEAD.days) if free else None,
        visit_seconds=_length(found.income),
    )


def _moved(now: Business, by: dict[str, int]) -> Business:
    """The sliders are percent of today; a share stays a share."""

    def part(name: str) -> Fraction:
        return Fraction(by[name], 100)

    return replace(
        now,
        spend=now.spend * part("spend"),
        other_leads=now.other_leads * part("leads"),
        paid_leads=now.paid_leads * part("leads"),
        booked=min(Fraction(1), now.booked * part("booked")),
        came=min(Fraction(1), now.came * part("came")),
        paid=min(Fraction(1), now.paid * part("paid")),
        first_money=now.first_money * part("value"),
        repeat=min(Fraction(1), now.repeat * part("repeat")),
    )


def _rounded(value: Fraction | None) -> int | None:
    return None if value is None else round_half_away(value.numerator, value.denominator)


def _rows(lens: Lens, now: Outcome, then: Outcome) -> list[dict[str, str]]:
    names = [
        ("leads", _("Leads"), "count"),
        ("arrivals", _("Came"), "count"),
        ("patients", _("Paying patients"), "count"),
        ("acquired_money", _("Margin of new patients in 12 months"), "money"),
        ("base_money", _("Margin from the base"), "money"),
        ("spend", _("Spend"), "money"),
        ("money", _("What is left"), "money"),
        ("cac", _("Cost of a paying patient"), "money"),
        ("lost_to_chairs", _("Would come, but there is no chair"), "count"),
    ]
    rows = []
    for key, name, kind in names:
        write = written(kind, lens.currency)
        before, after = _rounded(getattr(now, key)), _rounded(getattr(then, key))
        change = after - before if before is not None and after is not None else None
        rows.append({"name": name, "now": write(before), "then": write(after), "change": write(change)})
    return rows


def _formula(lens: Lens, then: Business, found: Outcome) -> str:
    percent, money, count = written("percent"), written("money", lens.currency), written("count")
    return _(
        "%(leads)s leads × %(booked)s booked × %(came)s came = %(wanted)s, chairs take %(arrivals)s; × %(paid)s paid "
        "= %(patients)s patients × %(value)s + %(base)s from the base − %(spend)s spend = %(money)s"
    ) % {
        "leads": count(_rounded(found.leads)),
        "booked": percent(_decimal(then.booked)),
        "came": percent(_decimal(then.came)),
        "wanted": count(_rounded(found.wanted)),
        "arrivals": count(_rounded(found.arrivals)),
        "paid": percent(_decimal(then.paid)),
        "patients": count(_rounded(found.patients)),
        "value": money(_rounded(then.first_money)),
        "base": money(_rounded(found.base_money)),
        "spend": money(_rounded(found.spend)),
        "money": money(_rounded(found.money)),
    }


def _decimal(value: Fraction) -> Any:
    return Decimal(value.numerator) / value.denominator
