"""The registry, first part: money, diary and acquisition (M01, M02, M09, M17, M18, M33)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from analytics.metrics.kinds import Metric
from funnel.metrics import cac, cac_facts
from patients import metrics as p

PERIOD = ("from", "to")
IN_PERIOD = _("visits whose local date lies in the period")

METRICS = (
    Metric(
        code="M01",
        slug="average_check",
        name=_("Average check"),
        question=_("How much does a paid visit bring?"),
        formula=_(
            "Money of paid visits divided by their number. Money of a visit = its payments less refunds of them, plus "
            "what prepaid money paid for it. Free visits, debts and fully refunded visits are no paid visits. Cash "
            "flow = payments less refunds by their own date."
        ),
        unit=_("money"),
        population=_("completed visits"),
        window=IN_PERIOD,
        params=PERIOD,
        compute=lambda s, a: p.average_check(s, a.span),
        facts=lambda s, a: p.average_check_facts(s, a.span),
        columns=("kind", "id", "patient_id", "patient", "day", "amount", "doctor", "branch"),
        example=_("1000.00, 2500.50 less 500.25 refunded, and a free visit: 3000.25 / 2 = 1500.13."),
    ),
    Metric(
        code="M02",
        slug="visit_frequency",
        name=_("Visit frequency"),
        question=_("How often does a patient who comes come?"),
        formula=_("Visits divided by the patients who made them."),
        unit=_("visits per patient"),
        population=_("patients with a visit in the period"),
        window=IN_PERIOD,
        params=PERIOD,
        compute=lambda s, a: p.visit_frequency(s, a.span),
        facts=lambda s, a: p.visit_frequency_facts(s, a.span),
        columns=("id", "patient_id", "patient", "day", "doctor", "branch"),
        example=_("7 visits of 3 patients: 2.333333."),
    ),
    Metric(
        code="M09",
        slug="cac",
        name=_("Cost of a new patient (CAC)"),
        question=_("What does it cost to win a patient, and through which channel?"),
        formula=_(
            "Acquisition spend dated in the period divided by patients whose first visit lies in it. A patient belongs "
            "to the channel of the earliest record (first touch). Blended = all; paid = paid channels alone."
        ),
        unit=_("money"),
        population=_("new patients"),
        window=_("spend and first visits in the period"),
        params=PERIOD,
        compute=lambda s, a: cac(s, a.span),
        facts=lambda s, a: cac_facts(s, a.span),
        columns=("kind", "id", "patient_id", "patient", "day", "channel", "amount", "channel_kind"),
        example=_("10 000.00 spent, 3 new patients: 3333.33."),
    ),
    Metric(
        code="M17",
        slug="no_show",
        name=_("No-show"),
        question=_("How many of those who were expected did not come?"),
        formula=_(
            "No-shows divided by completed visits and no-shows. Cancellations are divided by all that is decided; what "
            "is still marked as scheduled is listed as unresolved."
        ),
        unit=_("share"),
        population=_("appointments that have begun"),
        window=_("appointments whose local date lies in the period"),
        params=PERIOD,
        compute=lambda s, a: p.no_show(s, a.span),
        facts=lambda s, a: p.no_show_facts(s, a.span),
        columns=("id", "patient_id", "patient", "day", "status", "doctor", "branch"),
        example=_("90 completed, 10 no-shows: 0.100000."),
    ),
    Metric(
        code="M18",
        slug="rebooking",
        name=_("Visits that end with a booking"),
        question=_("Does every visit end with the next one booked?"),
        formula=_(
            "Visits at which, or after which on the same day, a later appointment of the same patient was booked, "
            "divided by all visits. Covered = also those booked earlier and not cancelled before the visit began."
        ),
        unit=_("share"),
        population=_("completed visits"),
        window=IN_PERIOD,
        params=PERIOD,
        compute=lambda s, a: p.rebooking(s, a.span),
        facts=lambda s, a: p.rebooking_facts(s, a.span),
        columns=("id", "patient_id", "patient", "day", "rebooked", "covered", "doctor", "branch"),
        example=_("Visit at 10:00, the next one booked at 10:40: rebooked; the day before: covered only."),
    ),
    Metric(
        code="M33",
        slug="revenue_by_service",
        name=_("Services"),
        question=_("What is sold, and what is left after its cost?"),
        formula=_(
            "Number of lines, list amount, direct cost and margin of the services of completed visits, by service and "
            "by step of the product ladder. List amounts are not cash: do not compare them with the cash flow."
        ),
        unit=_("money"),
        population=_("services rendered"),
        window=IN_PERIOD,
        params=PERIOD,
        compute=lambda s, a: p.revenue_by_service(s, a.span),
        facts=lambda s, a: p.revenue_by_service_facts(s, a.span),
        columns=("id", "visit_id", "patient_id", "patient", "day", "service", "tier", "amount", "cost"),
        example=_("3000.00 twice at costs of 1200.00 and 1300.00: 2 lines, 6000.00, margin 3500.00."),
    ),
)
