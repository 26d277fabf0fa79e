"""Patients by what they have brought, page by page, from the facts per patient."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from loyalty.models import PatientValue
from patients.queries import visible_patients
from staff.access import Actor

Key = tuple[int, int]


@dataclass(frozen=True)
class Top:
    """`after`: (revenue, patient id) from which the next page goes on; None on the last one."""

    rows: list[PatientValue]
    after: Key | None


def top_patients(by: Actor, *, state: str = "", segment: str = "", after: Key | None = None, size: int = 50) -> Top:
    """Richest first; ties by id. One question with the names, whatever the number of patients."""
    found = _seen(by).filter(visits__gt=0)
    if state:
        found = found.filter(state=state)
    if segment:
        found = found.filter(segment=segment)
    if after:
        revenue, patient = after
        found = found.filter(Q(revenue__lt=revenue) | Q(revenue=revenue, patient_id__gt=patient))
    rows = list(found.select_related("patient", "own_doctor").order_by("-revenue", "patient_id")[: size + 1])
    last = rows[size - 1] if len(rows) > size else None
    return Top(rows[:size], (last.revenue, last.patient_id) if last else None)


def _seen(by: Actor) -> QuerySet[PatientValue]:
    values = PatientValue.objects.all()
    return values if by.branch_id is None else values.filter(patient__in=visible_patients(by))
