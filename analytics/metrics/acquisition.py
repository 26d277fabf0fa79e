"""The registry, fourth part: what acquisition brings back, leads and the funnel (M10 to M12, M20 to M23, M27, M31, M32)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from analytics.metrics.kinds import Metric
from analytics.metrics.params import AUDIENCE, BY_CHANNEL, MONTHS_OR_ALL, STEP_DAYS
from analytics.metrics.payoff import ltv_cac, ltv_cac_facts, payback, payback_facts, romi, romi_facts
from funnel import metrics as f

PERIOD = ("from", "to")
NEW = _("new patients")
LEADS = _("leads without spam, duplicates and test persons")
CREATED = _("leads whose local date lies in the period")
WON = _("first visits and spend in the period")
EARNED = ("kind", "id", "patient_id", "patient", "day", "channel", "month", "revenue", "margin", "amount")


def _payoff(code: str, slug: str, **rest: Any) -> Metric:
    standing: dict[str, Any] = {"population": NEW, "window": WON, "params": PERIOD, "columns": EARNED}
    return Metric(code=code, slug=slug, **(standing | rest))


def _leads(code: str, slug: str, **rest: Any) -> Metric:
    standing: dict[str, Any] = {"population": LEADS, "window": CREATED, "params": PERIOD}
    return Metric(code=code, slug=slug, **(standing | rest))


METRICS = (
    _payoff(
        "M10",
        "ltv_cac",
        name=_("LTV to CAC"),
        question=_("How many times does a new patient return what it cost to win him?"),
        formula=_(
            "Margin of the first months of patients new in the period divided by the acquisition spend of the period, "
            "by channel. Empty until even the patient of the last day has lived all the months, and where nothing was "
            "spent."
        ),
        unit=_("times"),
        params=(*PERIOD, "months"),
        compute=lambda s, a: ltv_cac(s, a.span, a.months),
        facts=lambda s, a: ltv_cac_facts(s, a.span, a.months),
        example=_("Margin 15 000, spend 10 000: 1.500000."),
    ),
    _payoff(
        "M11",
        "payback",
        name=_("Payback"),
        question=_("After how many months has acquisition paid for itself?"),
        formula=_(
            "The smallest number of months after the first visit in which the margin of patients new in the period "
            "reaches the acquisition spend of the period; only months that all of them have behind them."
        ),
        unit=_("months"),
        compute=lambda s, a: payback(s, a.span),
        facts=lambda s, a: payback_facts(s, a.span),
        example=_("Spend 10 000; margin 4 000, 7 000 and 10 000 after one, two and three months: 3."),
    ),
    _payoff(
        "M12",
        "romi",
        name=_("Return on marketing (ROMI)"),
        question=_("What does each rouble of advertising bring?"),
        formula=_(
            "ROMI = margin of patients new in the period less the spend, divided by the spend; ROAS = their revenue "
            "divided by the spend. To the day of the figure, or of the first months only."
        ),
        unit=_("share"),
        optional=(MONTHS_OR_ALL,),
        compute=lambda s, a: romi(s, a.span, a.months or None),
        facts=lambda s, a: romi_facts(s, a.span, a.months or None),
        example=_("Revenue 32 000, margin 15 000, spend 10 000: ROMI 0.500000, ROAS 3.200000."),
    ),
    _leads(
        "M20",
        "response_sla",
        name=_("Time to the first answer"),
        question=_("How soon are those who ask answered?"),
        formula=_(
            "Share of leads answered within 60 and within 120 seconds; a lead without an answer is a breach. Median "
            "and 90th percentile of those answered. The clock runs day and night."
        ),
        unit=_("share"),
        compute=lambda s, a: f.response_sla(s, a.span),
        facts=lambda s, a: f.response_sla_facts(s, a.span),
        columns=("id", "patient_id", "patient", "day", "channel", "wait"),
        example=_("45, 120 and 121 seconds and no answer: 1/4 and 2/4, median 120, 90th percentile 121."),
    ),
    _leads(
        "M21",
        "funnel_cohort",
        name=_("Funnel of leads"),
        question=_("How far do those get who asked in the period?"),
        formula=_(
            "Of the leads of the period: booked within 14 days, came and paid within 45, came again within 135, "
            "recommended us within 365. Each step counts only leads whose days have passed. Of previous = of those "
            "of the same leads who made the step before; coming again and recommending are counted of those who paid."
        ),
        unit=_("share"),
        optional=(AUDIENCE, BY_CHANNEL),
        compute=lambda s, a: f.funnel_cohort(s, a.span, a.audience, a.by),
        facts=lambda s, a: f.funnel_cohort_facts(s, a.span, a.audience),
        columns=(
            *("id", "patient_id", "patient", "day", "channel", "audience"),
            *("did_book", "did_come", "did_pay", "did_return", "did_refer"),
            *("passed_14", "passed_45", "passed_135", "passed_365"),
        ),
        example=_("10 leads on 1 May, as of 30 June: all count for booked and came, none yet for came again."),
    ),
    _leads(
        "M21",
        "funnel_snapshot",
        name=_("Flow through the funnel"),
        question=_("What happened in the period, whenever the lead came?"),
        formula=_(
            "Leads, bookings, visits and paid visits dated in the period; second visit-days and recommended new "
            "patients over all patients. A flow and no conversion: it may exceed 100 percent."
        ),
        unit=_("share"),
        window=_("events dated in the period"),
        optional=(AUDIENCE,),
        compute=lambda s, a: f.funnel_snapshot(s, a.span, a.audience),
        facts=lambda s, a: f.funnel_snapshot_facts(s, a.span, a.audience),
        columns=("kind", "id", "patient_id", "patient", "day", "channel", "amount"),
        example=_("25 bookings, 20 leads: 1.250000."),
    ),
    _leads(
        "M22",
        "losses",
        name=_("Lost leads"),
        question=_("At which step and why are leads lost?"),
        formula=_("Leads closed in the period, counted by stage and reason; without one they are unspecified."),
        unit=_("leads"),
        window=_("losses dated in the period"),
        compute=lambda s, a: f.losses(s, a.span),
        facts=lambda s, a: f.losses_facts(s, a.span),
        columns=("id", "patient_id", "patient", "day", "channel", "loss_stage", "loss_reason"),
        example=_("Three leads lost after contact for the price and one without a reason: 3 and 1, total 4."),
    ),
    Metric(
        code="M23",
        slug="product_funnel",
        name=_("Product ladder"),
        question=_("Do new patients go from step to step of the product ladder?"),
        formula=_(
            "Of patients new in the period: how many have had each step, and the share that took the next step within "
            "180 days of the first one, the same visit included. Only those whose days have passed count. Free "
            "services count."
        ),
        unit=_("share"),
        population=NEW,
        window=_("first visits in the period"),
        params=PERIOD,
        optional=(STEP_DAYS,),
        compute=lambda s, a: f.product_funnel(s, a.span, a.days),
        facts=lambda s, a: f.product_funnel_facts(s, a.span, a.days),
        columns=("kind", "patient_id", "patient", "index_day", "next_day", "mature", "success"),
        example=_("Entry product on 1 March, core product on 28 August: within 180 days."),
    ),
    Metric(
        code="M27",
        slug="utilisation",
        name=_("Load of doctors"),
        question=_("How much of the time that doctors stand ready is used?"),
        formula=_(
            "Seconds of shifts in which there was a visit, divided by the seconds of shifts; sold = the same with "
            "no-shows. Overlapping shifts and visits count once; what lies outside shifts does not count."
        ),
        unit=_("share"),
        population=_("shifts of doctors"),
        window=_("time in the period, up to the end of the day of the figure"),
        params=PERIOD,
        compute=lambda s, a: f.utilisation(s, a.span),
        facts=lambda s, a: f.utilisation_facts(s, a.span),
        columns=("kind", "id", "patient_id", "patient", "doctor", "branch", "begins", "ends"),
        example=_("Shift 08:00 to 14:00; visits 09:00–10:00, 09:30–10:30 and 13:45–14:15: 6300/21600 = 0.291667."),
    ),
    _leads(
        "M31",
        "response_bands",
        name=_("Bookings by time to the first answer"),
        question=_("Do those who are answered sooner book more often?"),
        formula=_(
            "Share of leads of people without an earlier visit that booked within 14 days, by the time to the first "
            "answer: up to 60, 120 and 900 seconds, later, none. Only leads whose 14 days have passed."
        ),
        unit=_("share"),
        compute=lambda s, a: f.response_bands(s, a.span),
        facts=lambda s, a: f.response_bands_facts(s, a.span),
        columns=("id", "patient_id", "patient", "day", "channel", "wait", "band", "did_book"),
        example=_("Answers after 40 s (booked) and 60 s: 1/2 = 0.500000."),
    ),
    _leads(
        "M32",
        "cost_per",
        name=_("Cost of a lead and of a booking"),
        question=_("What do a lead and a booking cost, and through which channel?"),
        formula=_(
            "Acquisition spend of the period divided by the leads of the period, and by those of them that booked "
            "within 14 days; by the lead's own channel."
        ),
        unit=_("money"),
        compute=lambda s, a: f.cost_per(s, a.span),
        facts=lambda s, a: f.cost_per_facts(s, a.span),
        columns=("kind", "id", "patient_id", "patient", "day", "channel", "amount", "did_book"),
        example=_("10 000.00, 8 leads, 3 booked: 1250.00 and 3333.33."),
    ),
)
