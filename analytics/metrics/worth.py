"""The registry, second part: lifetime value (M03 to M08, M34)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from analytics.metrics.kinds import Metric
from loyalty import metrics as m
from patients.metrics.codes import codes_of

ACQUIRED = _("patients with a visit")
COMPLETE = _("patients with a visit whose history is complete")
TO_DATE = _("everything up to the day of the figure")

METRICS = (
    Metric(
        code="M03",
        slug="lifespan",
        name=_("Lifespan"),
        question=_("How long does a patient stay with the clinic?"),
        formula=_(
            "Months between the first and the last visit-day, over all patients and over those with two visit-days. "
            "The headline corrects for patients who are still with us: the area under the Kaplan-Meier curve up to "
            "five years, less the threshold of loss. Compare clinics only at equal horizons."
        ),
        unit=_("months"),
        population=COMPLETE,
        window=TO_DATE,
        params=(),
        compute=lambda s, a: m.lifespan(s),
        facts=lambda s, a: m.lifespan_facts(s),
        columns=("patient_id", "patient", "d0", "dl", "visit_days", "event", "time"),
        example=_("183 days and a one-day patient: mean 3.006160 months, of the repeat patient 6.012320."),
    ),
    Metric(
        code="M04",
        slug="ltv_historical",
        name=_("Lifetime value (LTV)"),
        question=_("What has a patient brought so far?"),
        formula=_(
            "Money (payments less refunds) of patients divided by their number; by margin: less the direct cost of "
            "their visits. Money of people without a visit is shown apart."
        ),
        unit=_("money"),
        population=ACQUIRED,
        window=TO_DATE,
        params=(),
        compute=lambda s, a: m.ltv_historical(s),
        facts=lambda s, a: m.ltv_historical_facts(s),
        columns=("kind", "patient_id", "patient", "revenue", "cost"),
        example=_("3500.25 and 0.00: 1750.13."),
    ),
    Metric(
        code="M05",
        slug="ltv_formula",
        name=_("LTV by the formula"),
        question=_("How is today's income per patient made up?"),
        formula=_(
            "Average check × sales per year × lifespan in months / 12 × share of profit (full), and average check × "
            "sales per month × lifespan (simple). It explains today's figure and is no forecast."
        ),
        unit=_("money"),
        population=ACQUIRED,
        window=TO_DATE,
        params=(),
        compute=lambda s, a: m.ltv_formula(s),
        facts=lambda s, a: m.ltv_formula_facts(s),
        columns=("patient_id", "patient", "d0", "dl", "paid_visits", "paid_sum", "cost"),
        example=_("3000, 4 sales a year, 30 months, 35 percent: full 10 500.00, simple 30 000.00."),
    ),
    Metric(
        code="M06",
        slug="ltv_horizon",
        name=_("LTV of the first months"),
        question=_("What does a patient bring in the first year, three or five years?"),
        formula=_(
            "Mature: mean money of the first months over patients who have lived all of them. Chained: the sum of the "
            "mean money of each month over those who have lived it whole, so that everybody is used."
        ),
        unit=_("money"),
        population=COMPLETE,
        window=_("the first months of each patient"),
        params=("months",),
        compute=lambda s, a: m.ltv_horizon(s, a.months),
        facts=lambda s, a: m.ltv_horizon_facts(s, a.months),
        columns=("patient_id", "patient", "d0", "observed", "month", "revenue", "margin"),
        example=_("Two months: 100 and 50 of one patient, 200 in the only month of another: 150 + 50 = 200.00."),
    ),
    Metric(
        code="M07",
        slug="ltv_by",
        name=_("LTV by group"),
        question=_("Whose patients are worth more?"),
        formula=_(
            "LTV inside groups: channel of first touch, first doctor, its speciality, diagnosis, sex, age, segment. "
            "By any diagnosis the groups overlap, so their sums exceed the total."
        ),
        unit=_("money"),
        population=ACQUIRED,
        window=TO_DATE,
        params=("by",),
        compute=lambda s, a: m.ltv_by(s, a.by),
        facts=lambda s, a: m.ltv_by_facts(s, a.by),
        columns=("patient_id", "patient", "grp", "revenue", "cost"),
        example=_("A channel with 3 patients who brought 6000.00: 2000.00."),
    ),
    Metric(
        code="M08",
        slug="own_doctor",
        name=_("Own doctor"),
        question=_("Are patients with an own doctor worth more?"),
        formula=_(
            "Naive: three visits or more, at least 60 percent of them to one doctor; it is biased, for frequent "
            "patients qualify because they came often. Landmark: patients with two visits in the first 180 days, "
            "own = two of them to one doctor, compared by their money in the year after. Not a causal effect."
        ),
        unit=_("ratio"),
        population=COMPLETE,
        window=TO_DATE,
        params=(),
        compute=lambda s, a: m.own_doctor(s),
        facts=lambda s, a: m.own_doctor_facts(s),
        columns=(
            *("patient_id", "patient", "d0", "visits", "visit_days", "most", "revenue", "own"),
            *("landmark", "landmark_own", "stratum", "outcome"),
        ),
        example=_("Means of 20 000 and 5 000: 4.000000."),
    ),
    Metric(
        code="M34",
        slug="patient_value",
        name=_("Value of a patient"),
        question=_("What is this patient to the clinic?"),
        formula=_(
            "Visits, visit-days, paid visits, money, direct cost, margin, average check, first and last visit-day, "
            "lifespan, active or lost. All records of a merged person count together."
        ),
        unit=_("money"),
        population=_("one patient"),
        window=TO_DATE,
        params=("patient",),
        compute=lambda s, a: m.patient_value(s, codes_of("doctor")),
        facts=lambda s, a: m.patient_value_facts(s),
        columns=(
            *("patient_id", "patient", "visits", "visit_days", "paid_visits", "paid_sum", "revenue", "cost"),
            *("d0", "dl", "first_doctor"),
        ),
        example=_("1000.00 at a cost of 400.00, then a free visit at a cost of 100.00: margin 500.00."),
    ),
)
