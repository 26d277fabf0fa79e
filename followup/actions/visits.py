"""What follows from visits, in order: one code path for reception's single visit and for a thousand from an MIS.

Each step is one or two statements whatever the size of the set, and happens once by a constraint of the database, so
that it can be run again after a crash, or when a visit changes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from core.sql import id_list
from followup.queries import records_of, roots_of, window_start
from funnel.actions.handoff import open_curator_work
from funnel.actions.stages import advance_leads_of
from loyalty import actions as loyalty
from messaging import actions as messaging
from messaging.automations import CONFIRMATION
from patients.models import Visit, WorkItem

log = logging.getLogger(__name__)
SAME_DAY = timedelta(days=2)  # who left without a booking is called while he still remembers the visit
CALL_BACK_AFTER = timedelta(days=14)  # R98

TOUCH = """INSERT INTO patients_touchpoint (source_id, external_id, patient_id, visit_id, at, kind, direction,
    transport, purpose, outcome, note, dedupe_key)
SELECT 1, 'visit-' || v.id, v.patient_id, v.id, v.start_at, 'visit', '', '', '', 'completed', '', 'visit:' || v.id
FROM patients_visit v WHERE v.id IN {ids} AND v.status = 'completed' ON CONFLICT DO NOTHING"""

WORK = """INSERT INTO patients_workitem (kind, patient_id, visit_id, branch_id, due_at, note, status, outcome,
    created_at, dedupe_key)
SELECT '{kind}', v.patient_id, v.id, v.branch_id, %s, '', 'open', '', %s, '{kind}:' || v.id
FROM patients_visit v JOIN patients_patient p ON p.id = v.patient_id
JOIN patients_patient root ON root.id = COALESCE(p.canonical_id, p.id)
WHERE v.id IN {ids} AND v.status = '{status}' AND v.start_at >= %s AND NOT root.is_test
    AND root.natural_churn_reason <> 'died' {more} AND NOT EXISTS (
        SELECT 1 FROM patients_visit n WHERE n.patient_id IN (
            SELECT g.id FROM patients_patient g WHERE g.id = root.id OR g.canonical_id = root.id)
        AND n.start_at > v.start_at AND n.status IN ('scheduled', 'arrived', 'completed'))
ON CONFLICT DO NOTHING"""


@transaction.atomic
def follow_up(visits: QuerySet[Visit], *, now: datetime) -> None:
    """Do what the visits still lack and mark them as followed up. Harmless when repeated.

    Visits from before the window (or the clinic's first day with this product) get no messages and no work items: only
    the value of their patients is worked out.
    """
    # Locked first: a change that comes meanwhile waits, and asks for its own follow-up afterwards.
    starts = dict(visits.order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk", "start_at"))
    since = window_start(now)
    fresh = [pk for pk, start in starts.items() if start >= since]
    if len(fresh) < len(starts):
        log.info("follow-up: %d visits skipped: history", len(starts) - len(fresh))
    if fresh:
        _touch(fresh)
        _open_work(fresh, now)
        open_curator_work(visits=fresh, now=now)
        _close_answered(fresh, now)
        messaging.plan(automation=CONFIRMATION, now=now, only=Visit.objects.filter(pk__in=fresh))
    if starts:
        roots = roots_of(list(starts))
        advance_leads_of(roots)
        loyalty.refresh_values(patients=roots, now=now)
        Visit.objects.filter(pk__in=list(starts)).update(followed_up_at=now)


def _execute(sql: str, *instants: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [connection.ops.adapt_datetimefield_value(instant) for instant in instants])


def _touch(ids: Sequence[int]) -> None:
    """The visit on the patient's timeline."""
    _execute(TOUCH.format(ids=id_list(ids)))


def _open_work(ids: Sequence[int], now: datetime) -> None:
    """Whoever left without a next booking and without a reason is called today; whoever did not come, in two weeks."""
    lacking = "AND v.next_visit_id IS NULL AND v.no_next_reason = ''"
    no_next = WORK.format(kind=WorkItem.Kind.NO_NEXT.value, status="completed", more=lacking, ids=id_list(ids))
    _execute(no_next, now, now, now - SAME_DAY)
    no_show = WORK.format(kind=WorkItem.Kind.NO_SHOW.value, status="no_show", more="", ids=id_list(ids))
    _execute(no_show, now + CALL_BACK_AFTER, now, window_start(now))


def _close_answered(ids: Sequence[int], now: datetime) -> None:
    """Who has booked need not be called any more (R98), whichever door the booking came through."""
    booked = Visit.objects.filter(pk__in=ids, status__in=(Visit.Status.SCHEDULED, Visit.Status.ARRIVED))
    roots = roots_of(list(booked.filter(start_at__gt=now).values_list("pk", flat=True)))
    if roots:
        WorkItem.objects.filter(
            patient__in=records_of(roots),
            kind__in=(WorkItem.Kind.NO_SHOW, WorkItem.Kind.NO_NEXT),
            status=WorkItem.Status.OPEN,
        ).update(status=WorkItem.Status.DONE, outcome="booked", closed_at=now)
