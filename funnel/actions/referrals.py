"""Referrals inside the clinic (R54): made by the care, reminded of once, closed when they are answered or said off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from core.names import clean_text
from core.sql import instant_literal
from funnel.models import InternalReferral
from funnel.queries.referrals import WINDOW, live_booking
from patients.actions.traces import user_id
from patients.models import Patient, Visit, WorkItem
from patients.queries.card import record_ids
from staff.access import Actor
from staff.actions import record
from staff.models import Doctor

Why = InternalReferral.Why
REMIND_AFTER = timedelta(days=2)


class NotAColleague(Exception):
    """A referral goes to another doctor, or to a speciality: one of the two."""


class NotOpen(Exception):
    """The referral was answered or said off a moment before."""


@dataclass(frozen=True)
class Target:
    """Whom the patient is sent to: a doctor, or any doctor of a speciality."""

    doctor: Doctor | None = None
    speciality: str = ""


@transaction.atomic
def refer_patient(
    *,
    patient: Patient,
    from_doctor: Doctor,
    to: Target,
    by: Actor,
    now: datetime,
    reason: str = "",
    visit: Visit | None = None,
) -> InternalReferral:
    """A referral of the canonical patient; while the same one is open, it is answered. Raises NotAColleague."""
    speciality = clean_text(to.speciality)[:120]
    if (to.doctor is None) == (not speciality) or to.doctor == from_doctor:
        raise NotAColleague
    Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    same = InternalReferral.objects.filter(
        patient__in=record_ids(patient.pk), from_doctor=from_doctor, to_doctor=to.doctor, to_speciality=speciality
    )
    found = same.filter(closed_at=None).first()
    if found:
        return found
    made = InternalReferral.objects.create(
        patient=patient,
        visit=visit,
        branch_id=visit.branch_id if visit else by.branch_id or patient.branch_id,
        from_doctor=from_doctor,
        to_doctor=to.doctor,
        to_speciality=speciality,
        reason=clean_text(reason)[:300],
        made_at=now,
        created_by_id=user_id(by),
    )
    _noted(made, "refer_patient", by, now)
    return made


@transaction.atomic
def close_referral(*, referral: InternalReferral, why: str, by: Actor, now: datetime) -> None:
    """Said off: the patient declined, or there is no need. Its work item is dropped. Raises NotOpen, ValueError."""
    said = Why(why)
    if said not in (Why.DECLINED, Why.NOT_NEEDED):
        raise ValueError(why)
    still = InternalReferral.objects.filter(pk=referral.pk, closed_at=None)
    if not still.update(closed_at=now, closed_why=said):
        raise NotOpen
    items = WorkItem.objects.filter(dedupe_key=f"referral:{referral.pk}", status=WorkItem.Status.OPEN)
    items.update(status=WorkItem.Status.DROPPED, outcome=said, closed_at=now, closed_by=user_id(by))
    _noted(referral, "close_referral", by, now)


def _noted(referral: InternalReferral, deed: str, by: Actor, now: datetime) -> None:
    record(
        by=by, deed=deed, now=now, object_kind="internal_referral", object_id=referral.pk,
        patient_id=referral.patient_id, fields=("reason",) if deed == "refer_patient" else ("closed_why",),
    )  # fmt: skip


ANSWERED = """UPDATE funnel_internalreferral SET closed_at = {now}, closed_why = 'booked'
WHERE closed_at IS NULL AND id IN (SELECT r.id FROM funnel_internalreferral r WHERE r.closed_at IS NULL AND {booked})"""
EXPIRED = """UPDATE funnel_internalreferral SET closed_at = {now}, closed_why = 'expired'
WHERE closed_at IS NULL AND made_at <= {expired}"""
# Whatever closed the referral: nobody calls about it any more.
SETTLED = """UPDATE patients_workitem SET status = 'done', closed_at = {now}, outcome = (
    SELECT r.closed_why FROM funnel_internalreferral r WHERE 'referral:' || r.id = patients_workitem.dedupe_key)
WHERE kind = 'referral' AND status = 'open' AND dedupe_key IN (
    SELECT 'referral:' || r.id FROM funnel_internalreferral r WHERE r.closed_at = {now})"""
REMINDED = """INSERT INTO patients_workitem (kind, patient_id, visit_id, branch_id, due_at, note, status, outcome,
    created_at, dedupe_key)
SELECT 'referral', root.id, r.visit_id, r.branch_id, {now}, COALESCE(t.name, r.to_speciality), 'open', '', {now},
    'referral:' || r.id
FROM funnel_internalreferral r JOIN patients_patient p ON p.id = r.patient_id
JOIN patients_patient root ON root.id = COALESCE(p.canonical_id, p.id)
LEFT JOIN staff_doctor t ON t.id = r.to_doctor_id
WHERE r.closed_at IS NULL AND r.made_at <= {late} AND NOT root.is_test AND root.natural_churn_reason <> 'died'
ON CONFLICT DO NOTHING"""


@transaction.atomic
def look_after_referrals(*, now: datetime) -> int:
    """Closes what was booked or ran out, with its work item; a reminder once for what two days brought no booking.

    Four statements whatever the number of referrals; harmless when run twice. Returns the number of new work items.
    """
    values = {
        "now": instant_literal(now),
        "expired": instant_literal(now - WINDOW),
        "late": instant_literal(now - REMIND_AFTER),
        "booked": live_booking(),
    }
    with connection.cursor() as cursor:
        for statement in (ANSWERED, EXPIRED, SETTLED, REMINDED):
            cursor.execute(statement.format(**values))
        return int(cursor.rowcount)
