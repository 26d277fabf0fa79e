"""Columns of drill-down rows: one word means one thing in every metric."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Column:
    """`kind`: int, flag, money (decimal string), day (YYYY-MM-DD), instant (UTC), text, code (external id). Null: none."""

    kind: str
    text: str | Promise


COLUMNS: dict[str, Column] = {
    "active_at_end": Column("flag", _("active at the end of the year, or on the day of the figure")),
    "active_at_start": Column("flag", _("active when the year began")),
    "amount": Column("money", _("money; of a refund negative")),
    "audience": Column("text", _("new, or existing: had a visit before the day of the lead")),
    "band": Column("text", _("time to the first answer, in bands")),
    "begins": Column("instant", _("beginning, not before the period")),
    "booked": Column("flag", _("has a booking ahead")),
    "branch": Column("code", _("branch of the visit")),
    "bucket": Column("text", _("the group in which the patient is counted")),
    "cell": Column("int", _("scores R, F and M as one number: 100R + 10F + M")),
    "channel": Column("code", _("acquisition channel; empty = unknown")),
    "channel_kind": Column("text", _("kind of the channel: paid, organic, referral")),
    "cost": Column("money", _("direct cost")),
    "covered": Column("flag", _("a later appointment was booked by the end of that day")),
    "d0": Column("day", _("first visit-day")),
    "day": Column("day", _("local date")),
    "did_book": Column("flag", _("booked within 14 days of the lead")),
    "did_come": Column("flag", _("booked, and came within 45 days of the lead")),
    "did_pay": Column("flag", _("came, and paid for such a visit")),
    "did_refer": Column("flag", _("paid, and somebody recommended by this patient came within 365 days of the lead")),
    "did_return": Column("flag", _("paid, and came on a further day within 135 days of the lead")),
    "dl": Column("day", _("last visit-day")),
    "doctor": Column("code", _("doctor of the visit")),
    "due": Column("day", _("date for which the return was recommended")),
    "ends": Column("instant", _("end, not after the period")),
    "event": Column("flag", _("lost: the silence reached the threshold by the day of the figure")),
    "first_doctor": Column("code", _("doctor of the first visit")),
    "frequency": Column("int", _("visit-days in the last 365 days")),
    "gaps": Column("int", _("gaps between visit-days")),
    "grp": Column("text", _("the group in which the patient is counted")),
    "id": Column(
        "int", _("our number of what the row is: visit, payment, item, line of spend, patient, lead, shift, channel")
    ),
    "index_day": Column("day", _("visit-day from which the days are counted")),
    "is_new": Column("flag", _("first visit in the year")),
    "kind": Column("text", _("what the row is")),
    "landmark": Column("flag", _("counted in the landmark comparison")),
    "landmark_own": Column("flag", _("two early visits or more to one doctor")),
    "last_seen": Column("day", _("last visit-day before the loss")),
    "loss_day": Column("day", _("day on which the patient became lost")),
    "loss_kind": Column("text", _("natural, recovered or avoidable")),
    "loss_reason": Column("text", _("why the lead was lost")),
    "loss_stage": Column("text", _("the step at which the lead was lost")),
    "lost": Column("flag", _("lost in the year")),
    "margin": Column("money", _("money less direct cost")),
    "mature": Column("flag", _("the window has passed, so the row counts")),
    "median": Column("int", _("lower median gap, days")),
    "money": Column("money", _("money in the last 365 days")),
    "month": Column("int", _("month after the first visit, from 0")),
    "most": Column("int", _("visits to the most frequent doctor")),
    "next_day": Column("day", _("the next visit-day")),
    "observed": Column("int", _("whole months that lie behind the patient")),
    "outcome": Column("money", _("money from day 180 to day 544 after the first visit")),
    "own": Column("flag", _("has an own doctor by the naive rule")),
    "paid_sum": Column("money", _("money of paid visits")),
    "paid_visits": Column("int", _("paid visits")),
    "passed_135": Column("flag", _("135 days since the lead have passed")),
    "passed_14": Column("flag", _("14 days since the lead have passed")),
    "passed_365": Column("flag", _("365 days since the lead have passed")),
    "passed_45": Column("flag", _("45 days since the lead have passed")),
    "patient": Column("code", _("canonical patient")),
    "patient_id": Column("int", _("our number of the canonical patient")),
    "reactivated": Column("flag", _("came back in the year after a loss")),
    "rebooked": Column("flag", _("a later appointment was booked at the visit or after it on that day")),
    "recency": Column("int", _("days since the last visit-day")),
    "returned": Column("day", _("visit-day after the loss")),
    "revenue": Column("money", _("money of the patient, refunds taken off")),
    "satisfied": Column("day", _("visit-day that fulfilled the recommendation")),
    "segment": Column("text", _("segment by recency, frequency and money")),
    "service": Column("code", _("line of the price list")),
    "silence": Column("int", _("days since the last visit-day")),
    "status": Column("text", _("status of the appointment")),
    "stratum": Column("int", _("visits in the first 180 days; 4 = four or more")),
    "success": Column("flag", _("came again in time")),
    "superseded": Column("day", _("visit-day on which a later recommendation replaced this one")),
    "tier": Column("text", _("step of the product ladder")),
    "time": Column("int", _("days from the first visit to the loss, or to the day of the figure")),
    "visit_days": Column("int", _("days with a visit")),
    "visit_id": Column("int", _("our number of the visit")),
    "visits": Column("int", _("visits")),
    "wait": Column("int", _("seconds to the first answer; empty = none yet")),
}
