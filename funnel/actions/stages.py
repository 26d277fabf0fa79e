"""Stages of leads, read from the facts again and again: one statement for one lead or for a hundred thousand."""

# ruff: noqa: S608 - the templates hold no input: only integers and words of this file

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from core.sql import id_list
from funnel.models import Lead, LeadBooking, LeadStage, Stage
from patients.models import Patient, Visit
from staff.access import Actor
from staff.actions.journal import ChangedRow, note_changes

PIECE = 5000
RANK = " ".join(f"WHEN '{stage}' THEN {place}" for place, stage in enumerate(Stage.values))
# What a visit brought: its payments less their refunds, and prepaid money that paid for it (`net` of metrics.md).
FACTS = """
WITH booked AS (
    SELECT b.lead_id, v.id AS visit_id, v.patient_id, v.status, v.booked_at, v.start_at, v.day, v.source_id, v.created_by_id
    FROM funnel_leadbooking b JOIN patients_visit v ON v.id = b.visit_id WHERE b.lead_id IN {ids}),
first_booked AS (
    SELECT lead_id, booked_at AS at, created_by_id, source_id FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY booked_at, visit_id) AS place FROM booked) x
    WHERE place = 1),
came AS (
    SELECT lead_id, patient_id, start_at AS at, day FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY start_at, visit_id) AS place
        FROM booked WHERE status = 'completed') x
    WHERE place = 1),
money AS (
    SELECT k.lead_id, y.amount, y.paid_at FROM booked k JOIN patients_payment y ON y.visit_id = k.visit_id
    WHERE k.status = 'completed' AND y.kind = 'payment'
    UNION ALL
    SELECT k.lead_id, -r.amount, r.paid_at FROM booked k JOIN patients_payment y ON y.visit_id = k.visit_id
        JOIN patients_payment r ON r.refund_of_id = y.id WHERE k.status = 'completed' AND r.kind = 'refund'
    UNION ALL
    SELECT k.lead_id, l.amount, y.paid_at FROM booked k JOIN patients_allocation l ON l.visit_id = k.visit_id
        JOIN patients_payment y ON y.id = l.payment_id WHERE k.status = 'completed' AND y.kind = 'payment'),
paid AS (SELECT lead_id, MIN(paid_at) AS at FROM money GROUP BY lead_id HAVING SUM(amount) > 0),
person AS (
    SELECT c.lead_id, c.at, c.day, COALESCE(p.canonical_id, p.id) AS root
    FROM came c JOIN patients_patient p ON p.id = c.patient_id),
record AS (
    SELECT lead_id, at, day, root, root AS id FROM person
    UNION ALL
    SELECT s.lead_id, s.at, s.day, s.root, p.id FROM person s JOIN patients_patient p ON p.canonical_id = s.root),
again AS (
    SELECT r.lead_id, MIN(v.start_at) AS at FROM record r JOIN patients_visit v ON v.patient_id = r.id
    WHERE v.status = 'completed' AND v.day > r.day GROUP BY r.lead_id),
sent AS (
    SELECT r.lead_id, MIN(v.start_at) AS at FROM record r JOIN patients_patient p ON p.referrer_id = r.id
        JOIN patients_visit v ON v.patient_id = p.id
    WHERE v.status = 'completed' AND v.start_at > r.at GROUP BY r.lead_id),
fact AS (
    SELECT l.id AS lead_id, 'lead' AS stage, l.created_at AS at, NULL AS by_id, s.code AS door
    FROM funnel_lead l JOIN staff_source s ON s.id = l.source_id WHERE l.id IN {ids}
    UNION ALL
    SELECT id, 'contacted', first_response_at, first_response_by_id, '' FROM funnel_lead
    WHERE id IN {ids} AND first_response_at IS NOT NULL
    UNION ALL
    SELECT b.lead_id, 'booked', b.at, b.created_by_id, s.code FROM first_booked b JOIN staff_source s ON s.id = b.source_id
    UNION ALL SELECT lead_id, 'came', at, NULL, '' FROM came
    UNION ALL SELECT lead_id, 'paid', at, NULL, '' FROM paid
    UNION ALL SELECT lead_id, 'repeat', at, NULL, '' FROM again
    UNION ALL SELECT lead_id, 'recommended', at, NULL, '' FROM sent)
"""
KEEP = (
    FACTS
    + """INSERT INTO funnel_leadstage (lead_id, stage, at, by_id, door)
SELECT lead_id, stage, at, CAST(by_id AS BIGINT), SUBSTR(door, 1, 20) FROM fact WHERE true
ON CONFLICT (lead_id, stage) DO UPDATE SET at = excluded.at WHERE funnel_leadstage.at <> excluded.at"""
)
GONE = (
    "DELETE FROM funnel_leadstage WHERE lead_id IN {ids} AND id NOT IN ("
    + FACTS
    + "SELECT s.id FROM funnel_leadstage s "
    "JOIN fact f ON f.lead_id = s.lead_id AND f.stage = s.stage WHERE s.lead_id IN {ids})"
)
STAND = (
    """UPDATE funnel_lead SET stage = x.stage, stage_at = x.at FROM (
    SELECT lead_id, stage, at FROM (
        SELECT s.*, ROW_NUMBER() OVER (PARTITION BY s.lead_id ORDER BY CASE s.stage """
    + RANK
    + """ END DESC) AS place FROM funnel_leadstage s WHERE s.lead_id IN {ids}) y WHERE place = 1) x
WHERE funnel_lead.id = x.lead_id AND (funnel_lead.stage <> x.stage OR funnel_lead.stage_at IS NULL
    OR funnel_lead.stage_at <> x.at)"""
)


@transaction.atomic
def advance_leads(lead_ids: Collection[int]) -> None:
    """Rows of `LeadStage` and `Lead.stage` from the facts as they are now.

    Derived, so harmless when repeated: a stage whose fact was taken back is gone again. `by` and `door` stay as first
    written.
    """
    for piece in _pieces(lead_ids):
        ids = id_list(piece)
        with connection.cursor() as cursor:
            for statement in (KEEP, GONE, STAND):
                cursor.execute(statement.format(ids=ids))


def advance_leads_of(patients: Collection[int]) -> None:
    """The leads that visits or money of these canonical patients can have moved: their own, and of who sent them."""
    for piece in _pieces(patients):
        advance_leads(set(leads_of(piece).values_list("pk", flat=True)))


def _pieces(ids: Collection[int]) -> Iterator[list[int]]:
    rest = iter(sorted(ids))
    while piece := list(islice(rest, PIECE)):
        yield piece


def leads_of(roots: Collection[int]) -> QuerySet[Lead]:
    ids = list(roots)
    people = Patient.objects.filter(Q(pk__in=ids) | Q(canonical__in=ids))
    senders = Patient.objects.filter(referred__in=people)
    group = Patient.objects.filter(
        Q(pk__in=people.values("pk")) | Q(pk__in=senders.values("pk")) | Q(records__in=senders.values("pk"))
    )
    return Lead.objects.filter(pk__in=LeadBooking.objects.filter(visit__patient__in=group.values("pk")).values("lead"))


@transaction.atomic
def link_visit(*, lead: Lead, visit: Visit, by: Actor, now: datetime) -> LeadBooking:
    """The visit was booked because of this lead (of the one it repeats). The last word holds; the stages follow.

    Also says who the lead is, where nobody knew.
    """
    counted = lead.duplicate_of_id or lead.pk
    link, _made = LeadBooking.objects.update_or_create(visit=visit, defaults={"lead_id": counted})
    Lead.objects.filter(pk=counted, patient=None).update(patient=visit.patient_id)
    LeadStage.objects.get_or_create(
        lead_id=counted,
        stage=Stage.BOOKED,
        defaults={"at": visit.booked_at, "by_id": by.id if by.kind == "user" else None, "door": "desk"},
    )
    advance_leads({counted})
    row = Lead.objects.select_related("source").get(pk=counted)
    note_changes(resource="leads", rows=[ChangedRow(row.pk, row.source.code, row.external_id, row.branch_id)], now=now)
    return link
