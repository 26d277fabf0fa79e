"""The words that people read for what results and rows say in codes."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from analytics.metrics.params import UNKNOWN
from funnel.models import LossReason, Stage
from loyalty.models import PatientValue
from patients.models import Channel, Patient, Visit
from patients.models.price import Tier

Text = str | Promise

PERIODS: dict[str, Text] = {
    "30d": _("30 days"),
    "month": _("This month"),
    "last_month": _("Last month"),
    "quarter": _("Quarter"),
    "year": _("This year"),
    "12m": _("12 months"),
    "last_year": _("Last year"),
}
AGAINST: dict[str, Text] = {"previous": _("period before"), "year": _("a year ago")}
SEGMENTS: dict[str, Text] = {
    "champions": _("champions"),
    "loyal": _("loyal"),
    "promising": _("promising"),
    "needs_attention": _("need attention"),
    "at_risk": _("at risk"),
    "new": pgettext_lazy("segment", "new"),
    "lost": pgettext_lazy("segment", "lost"),
}
BUCKETS: dict[str, Text] = {
    "overdue_90_plus": _("overdue by more than 90 days"),
    "overdue_31_90": _("overdue by 31 to 90 days"),
    "overdue_1_30": _("overdue by 1 to 30 days"),
    "not_due": _("not due yet"),
    "booked": _("booked"),
    "no_due_date": _("no date recommended"),
}
CADENCE: dict[str, Text] = {
    "critical": _("critical: over 3 gaps"),
    "overdue": _("overdue: up to 3 gaps"),
    "late": _("late: up to 1.5 gaps"),
    "on_time": _("on time"),
}
LOSSES: dict[str, Text] = {
    "avoidable": _("avoidable"),
    "natural": _("natural"),
    "recovered": _("recovered"),
}
STATUS: dict[str, Text] = {
    "ok": _("More patients come than leave."),
    "warning": _("More patients leave than come, but natural churn explains the difference."),
    "trouble": _("More patients leave than come: the clinic is losing its base."),
    "no_data": _("Nothing to compare yet."),
}
STATUS_SHORT: dict[str, Text] = {
    "ok": _("below inflow"),
    "warning": _("about the inflow"),
    "trouble": _("above inflow"),
    "no_data": _("no data"),
}
STATUS_TONE = {"ok": "good", "warning": "warn", "trouble": "bad", "no_data": ""}
SEXES: dict[str, Text] = {**dict(Patient.Sex.choices), "unknown": _("not given")}
KINDS: dict[str, Text] = {
    "visit": _("visit"),
    "payment": _("payment or refund"),
    "patient": _("patient"),
    "outsider": _("person without a visit"),
    "spend": _("spend"),
    "channel": _("channel"),
    "primary": _("primary"),
    "existing": _("existing"),
    "lead": _("lead"),
    "booking": _("booking"),
    "second": _("second visit-day"),
    "referred": _("recommended new patient"),
    "shift": _("shift"),
    **{status: label for status, label in Visit.Status.choices if status in ("completed", "no_show")},
    **dict(Tier.choices),
}
AUDIENCES: dict[str, Text] = {
    "new": pgettext_lazy("audience", "new"),
    "existing": pgettext_lazy("audience", "existing"),
    "all": pgettext_lazy("audience", "all"),
}
BANDS: dict[str, Text] = {
    "le_60": _("within 60 seconds"),
    "le_120": _("within 2 minutes"),
    "le_900": _("within 15 minutes"),
    "later": _("later than 15 minutes"),
    "none": pgettext_lazy("leads", "no answer"),
}
UNSPECIFIED: dict[str, Text] = {"unspecified": _("not specified")}
TIERS: dict[str, Text] = dict(Tier.choices)
STATES: dict[str, Text] = dict(PatientValue.State.choices)
CHANNEL_KINDS: dict[str, Text] = dict(Channel.Kind.choices)
# of a drill-down row: {column: words}
OF_COLUMN: dict[str, dict[str, Text]] = {
    "kind": KINDS,
    "status": dict(Visit.Status.choices),
    "bucket": BUCKETS | CADENCE,
    "segment": SEGMENTS,
    "loss_kind": LOSSES,
    "tier": TIERS,
    "channel_kind": CHANNEL_KINDS,
    "audience": AUDIENCES,
    "band": BANDS,
    "loss_stage": UNSPECIFIED | dict(Stage.choices),
    "loss_reason": UNSPECIFIED | dict(LossReason.choices),
}


def word(words: dict[str, Text], code: str) -> str:
    """The word for a code; an unknown code stands for itself, so that nothing is hidden."""
    return str(words.get(code, code))


def unknown_or(name: str) -> str:
    return gettext("unknown") if name in ("", UNKNOWN) else name


# Short headings of drill-down columns; what each means stands in the registry and is shown under the table.
HEADS: dict[str, Text] = {
    "active_at_end": _("active at the end"),
    "active_at_start": _("active at the start"),
    "amount": _("amount"),
    "audience": _("audience"),
    "band": _("answered"),
    "begins": _("from"),
    "booked": pgettext_lazy("column", "booked"),
    "branch": _("branch"),
    "bucket": _("group"),
    "cell": _("RFM"),
    "channel": _("source"),
    "channel_kind": _("kind of source"),
    "cost": _("cost"),
    "covered": _("booking ahead"),
    "d0": _("first visit"),
    "day": _("date"),
    "did_book": pgettext_lazy("funnel", "booked"),
    "did_come": pgettext_lazy("funnel", "came"),
    "did_pay": pgettext_lazy("funnel", "paid"),
    "did_refer": pgettext_lazy("funnel", "recommended us"),
    "did_return": pgettext_lazy("funnel", "came again"),
    "dl": _("last visit"),
    "doctor": _("doctor"),
    "due": _("due"),
    "ends": _("to"),
    "event": _("lost"),
    "first_doctor": _("first doctor"),
    "frequency": _("visit-days in a year"),
    "gaps": _("gaps"),
    "grp": _("group"),
    "index_day": _("counted from"),
    "is_new": pgettext_lazy("column", "new"),
    "kind": _("row"),
    "landmark": _("in the comparison"),
    "landmark_own": _("own, early"),
    "last_seen": _("last seen"),
    "loss_day": _("lost on"),
    "loss_kind": _("kind of loss"),
    "loss_reason": _("reason"),
    "loss_stage": _("lost at"),
    "lost": _("lost"),
    "margin": _("margin"),
    "mature": _("counts"),
    "median": _("usual gap, days"),
    "money": _("money in a year"),
    "month": _("month"),
    "most": _("to one doctor"),
    "next_day": _("next visit"),
    "observed": _("months observed"),
    "outcome": _("money after"),
    "own": _("own doctor"),
    "paid_sum": _("paid"),
    "paid_visits": _("paid visits"),
    "passed_135": _("135 days over"),
    "passed_14": _("14 days over"),
    "passed_365": _("365 days over"),
    "passed_45": _("45 days over"),
    "patient": _("patient"),
    "reactivated": pgettext_lazy("column", "returned"),
    "rebooked": _("next booked"),
    "recency": _("days since"),
    "returned": _("returned on"),
    "revenue": _("revenue"),
    "satisfied": _("followed on"),
    "segment": _("segment"),
    "service": _("service"),
    "silence": _("days since"),
    "status": _("status"),
    "stratum": _("early visits"),
    "success": _("came again"),
    "superseded": _("replaced on"),
    "tier": _("step"),
    "time": _("days"),
    "visit_days": _("visit-days"),
    "visits": _("visits"),
    "wait": _("seconds to answer"),
}

STAGES: dict[str, Text] = {
    "leads": pgettext_lazy("leads", "Leads"),
    "lead": pgettext_lazy("leads", "new"),
    "no_answer": pgettext_lazy("leads", "no answer"),
    "contacted": pgettext_lazy("leads", "contacted"),
    "booked": pgettext_lazy("leads", "Booked"),
    "bookings": pgettext_lazy("leads", "Bookings"),
    "came": pgettext_lazy("leads", "Came"),
    "arrived": pgettext_lazy("leads", "Came"),
    "arrivals": pgettext_lazy("leads", "Visits of leads"),
    "paid": pgettext_lazy("leads", "Paid"),
    "repeat": pgettext_lazy("leads", "Came again"),
    "referral": pgettext_lazy("leads", "Recommended us"),
    "second_visits": _("Second visit-days, all patients"),
    "referred_new_patients": _("New patients on recommendation"),
    "unspecified": _("not said"),
}
LOSS_REASONS: dict[str, Text] = {**{str(code): name for code, name in LossReason.choices}, "unspecified": _("not said")}
