"""What still waits for the sweep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from loyalty.queries import records_of as value_records
from patients.models import Patient, Payment, Visit
from staff.models import Change, Clinic
from staff.queries.changes import settled_changes

WINDOW = timedelta(days=15)  # a follow-up of something older makes no sense any more; a call after a no-show is at +14
LINES = 5000
VALUED = ("visits", "payments", "patients")
PAID_FOR = ("visit__patient_id", "refund_of__visit__patient_id", "allocations__visit__patient_id")


def window_start(now: datetime) -> datetime:
    """Visits that began before this are history: no messages, no work items."""
    live = Clinic.objects.filter(pk=1).values_list("went_live_at", flat=True).first()
    return max(now - WINDOW, live) if live else now - WINDOW


def waiting() -> QuerySet[Visit]:
    """Visits that were written since they were last followed up, oldest first (index patients_visit_to_follow)."""
    return Visit.objects.filter(followed_up_at=None).order_by("recorded_at", "pk")


def roots_of(visit_ids: Sequence[int]) -> set[int]:
    """Canonical patients of these visits."""
    roots = Patient.objects.filter(visits__in=visit_ids).order_by().values_list(Coalesce("canonical_id", "id"))
    return {root for (root,) in roots.distinct()}


def roots_among(records: set[int]) -> set[int]:
    """Canonical patients of these records."""
    found = Patient.objects.filter(pk__in=records).order_by().values_list(Coalesce("canonical_id", "id"))
    return {root for (root,) in found.distinct()}


def records_of(roots: set[int]) -> QuerySet[Patient]:
    """All records of canonical patients, by two indexes instead of a COALESCE that has none."""
    return Patient.objects.filter(Q(pk__in=roots) | Q(canonical__in=roots))


def lines_after(cursor: Sequence[int]) -> list[Change]:
    """The next lines of the change feed that touch somebody's value."""
    return list(settled_changes(cursor).filter(resource__in=VALUED)[:LINES])


def patients_of(lines: Sequence[Change]) -> set[int]:
    """Records whose value the lines may have changed; of a merge both sides, of money also those for whom it paid."""
    ids = {name: {line.object_id for line in lines if line.resource == name} for name in VALUED}
    found = ids["patients"] | {line.target_id for line in lines if line.target_id is not None}
    money = Payment.objects.filter(pk__in=ids["payments"]).values_list("patient_id", "refunds__patient_id", *PAID_FOR)
    found |= {one for row in money.iterator() for one in row if one is not None}
    return found | set(Visit.objects.filter(pk__in=ids["visits"]).values_list("patient_id", flat=True))


def paid_for(records: set[int]) -> set[int]:
    """Others for whom these persons paid: what a payment counts depends on whether its payer is a test person."""
    persons = value_records(records)
    money = Payment.objects.filter(patient__in=persons).filter(
        ~Q(visit__patient=F("patient")) & Q(visit__isnull=False)
        | Q(refund_of__isnull=False)
        | Q(allocations__isnull=False)
    )
    return {one for row in money.values_list(*PAID_FOR).iterator() for one in row if one is not None}
