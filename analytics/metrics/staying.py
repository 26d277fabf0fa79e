"""The registry, third part: churn, return and recall (M14 to M16, M28 to M30)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from analytics.metrics.kinds import Metric
from analytics.metrics.replacement import churn_year, churn_year_facts
from loyalty import metrics as m

ACQUIRED = _("patients with a visit")
ON_DAY = _("as of the day of the figure")


def _recall(code: str, slug: str, **rest: Any) -> Metric:
    standing: dict[str, Any] = {"population": ACQUIRED, "window": ON_DAY, "params": ()}
    return Metric(code=code, slug=slug, **(standing | rest))


METRICS = (
    Metric(
        code="M14",
        slug="lost_patients",
        name=_("Lost patients"),
        question=_("Who was lost this year?"),
        formula=_(
            "A patient is lost when the clinic's threshold of days has passed since a visit-day without another. A "
            "return on the last day is no loss; a booking ahead does not cancel a loss, so closed years never change."
        ),
        unit=_("patients"),
        population=ACQUIRED,
        window=_("loss days in the year"),
        params=("year",),
        compute=lambda s, a: m.lost_patients(s, a.year),
        facts=lambda s, a: m.lost_patients_facts(s, a.year),
        columns=("patient_id", "patient", "last_seen", "loss_day", "returned"),
        example=_("Visits on 10 May 2023 and 10 May 2024 at 365 days: lost on 9 May 2024, back the next day."),
    ),
    Metric(
        code="M15",
        slug="churn_year",
        name=_("Churn against inflow"),
        question=_("Do we lose more patients than we win?"),
        formula=_(
            "Lost patients divided by the base: those active when the year began, new and returned ones. Inflow = new "
            "patients over the same base. Alarm when the churn is above the inflow; a warning while the natural "
            "3 percent explain the difference. Cost of replacement = lost patients × cost of a new patient in "
            "that year."
        ),
        unit=_("share"),
        population=_("active, new and returned patients of the year"),
        window=_("calendar year up to the day of the figure"),
        params=("year",),
        compute=lambda s, a: churn_year(s, a.year),
        facts=lambda s, a: churn_year_facts(s, a.year),
        columns=(
            *("kind", "id", "patient_id", "patient", "d0", "active_at_start", "reactivated", "is_new", "lost"),
            *("last_seen", "loss_day", "loss_kind", "active_at_end", "amount"),
        ),
        example=_("Base 515, lost 60, new 100: churn 0.116505, inflow 0.194175."),
    ),
    Metric(
        code="M16",
        slug="repeat_rate",
        name=_("Repeat rate"),
        question=_("Do patients come again?"),
        formula=_(
            "Share of patients whose next visit-day comes within N days: primary = from the first visit, existing = "
            "from the first visit-day in the period of those who came before it. Only those "
            "whose N days have passed count."
        ),
        unit=_("share"),
        population=_("patients with a first, or a further, visit in the period"),
        window=_("N days after the visit"),
        params=("from", "to", "days"),
        compute=lambda s, a: m.repeat_rate(s, a.span, a.days),
        facts=lambda s, a: m.repeat_rate_facts(s, a.span, a.days),
        columns=("kind", "patient_id", "patient", "index_day", "next_day", "mature", "success"),
        example=_("First visit on 1 March, the next on 31 March: within 30 days; on 1 April: not."),
    ),
    _recall(
        "M28",
        "rfm",
        name=_("Recency, frequency, money"),
        question=_("Who are our best patients, and who is slipping away?"),
        formula=_(
            "Scores from 1 to 5 by rank: days since the last visit, visit-days and money of the last 365 days. "
            "Segments in this order: lost, new, champions, loyal, promising, needs attention, at risk."
        ),
        unit=_("patients"),
        compute=lambda s, a: m.rfm(s),
        facts=lambda s, a: m.rfm_facts(s),
        columns=("patient_id", "patient", "d0", "dl", "recency", "frequency", "money", "cell", "segment"),
        example=_("Visit-days of five patients 0, 0, 1, 3 and 7: scores 1, 1, 1, 2 and 4."),
    ),
    _recall(
        "M29",
        "overdue",
        name=_("Due and overdue"),
        question=_("Who should have come back by now?"),
        formula=_(
            "Patients by the earliest recommended date that no visit to the same speciality has fulfilled and no later "
            "recommendation has replaced; those with a booking ahead stand apart."
        ),
        unit=_("patients"),
        compute=lambda s, a: m.overdue(s),
        facts=lambda s, a: m.overdue_facts(s),
        columns=("patient_id", "patient", "dl", "due", "booked", "bucket"),
        example=_("Due on 1 June, not come by 5 July: overdue by 34 days."),
    ),
    _recall(
        "M29",
        "recommendation_compliance",
        name=_("Recommendations followed"),
        question=_("Do patients come when the doctor says so?"),
        formula=_(
            "Share of recommendations that a visit to the same speciality fulfilled within 30 days after the date; "
            "and, of those missed by then, the share that came within 90 more days."
        ),
        unit=_("share"),
        population=_("recommendations"),
        window=_("recommended dates in the period"),
        params=("from", "to"),
        compute=lambda s, a: m.recommendation_compliance(s, a.span),
        facts=lambda s, a: m.recommendation_compliance_facts(s, a.span),
        columns=("id", "patient_id", "patient", "day", "due", "superseded", "satisfied"),
        example=_("Due on 1 June: a visit to the same speciality on 10 May fulfils it, one on 15 April does not."),
    ),
    _recall(
        "M30",
        "cadence",
        name=_("Own rhythm"),
        question=_("Who is late by his own habit?"),
        formula=_(
            "Days since the last visit against the patient's own lower median gap: on time up to 1, late up to 1.5, "
            "overdue up to 3 gaps, then critical."
        ),
        unit=_("patients"),
        population=_("patients with three gaps or more between visit-days"),
        compute=lambda s, a: m.cadence(s),
        facts=lambda s, a: m.cadence_facts(s),
        columns=("patient_id", "patient", "gaps", "median", "silence", "bucket"),
        example=_("Gaps of 10, 20, 30 and 40 days: the median is 20."),
    ),
)
