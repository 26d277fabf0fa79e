"""Whose patients are whose: a person bound to a branch sees the patients of that branch and nothing else."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from patients.models import Patient, Visit
from staff.access import Actor


def _belongs(branch_id: int) -> Q:
    """Home branch, or any appointment there."""
    return Q(branch_id=branch_id) | Q(Exists(Visit.objects.filter(patient=OuterRef("pk"), branch_id=branch_id)))


def visible_patients(by: Actor) -> QuerySet[Patient]:
    """Records (merged ones included) that `by` may open: everything without a branch, else those of the branch.

    A merged group is visible as a whole when any of its records is.
    """
    patients = Patient.objects.all()
    if by.branch_id is None:
        return patients
    belongs = _belongs(by.branch_id)
    merged_into_me = Patient.objects.filter(belongs, canonical=OuterRef("pk"))
    survivor = Patient.objects.filter(belongs, pk=OuterRef("canonical_id"))
    siblings = Patient.objects.filter(belongs, canonical=OuterRef("canonical_id"))
    return patients.filter(
        belongs
        | Q(Exists(merged_into_me))
        | Q(canonical_id__isnull=False) & (Q(Exists(survivor)) | Q(Exists(siblings)))
    )


def visible_visits(by: Actor) -> QuerySet[Visit]:
    visits = Visit.objects.all()
    return visits if by.branch_id is None else visits.filter(branch_id=by.branch_id)
