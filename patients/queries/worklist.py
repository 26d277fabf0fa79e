"""The work list of possible duplicates: its pages, two patients side by side, merges that were made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Coalesce

from patients.models import DuplicatePair, Merge, Patient, PatientPhone, Visit
from patients.queries.scope import visible_patients
from patients.rules.duplicates import THRESHOLD
from staff.access import Actor

PAGE = 50


def open_pairs(by: Actor) -> QuerySet[DuplicatePair]:
    """The work list: open pairs of canonical patients, both visible, surest first."""
    mine = visible_patients(by).filter(merged_into=None).values("pk")
    pairs = DuplicatePair.objects.filter(status=DuplicatePair.Status.OPEN, score__gte=THRESHOLD)
    pairs = pairs.filter(left__merged_into=None, right__merged_into=None)
    if by.branch_id is not None:
        pairs = pairs.filter(left__in=mine, right__in=mine)
    return pairs.select_related("left__branch", "right__branch").order_by("-score", "id")


def visible_merges(by: Actor) -> QuerySet[Merge]:
    """Merges that people made, newest first."""
    merges = Merge.objects.select_related("survivor", "loser", "by", "undone_by").order_by("-id")
    return merges if by.branch_id is None else merges.filter(survivor__in=visible_patients(by).values("pk"))


def pairs_after(by: Actor, after: str) -> tuple[list[DuplicatePair], str]:
    """A page of the work list past the key `after` ("score-id"; anything else = the beginning), and the next key."""
    pairs = open_pairs(by)
    points, _dash, pk = after.partition("-")
    if points.isdecimal() and pk.isdecimal() and len(after) < 20:
        pairs = pairs.filter(Q(score__lt=int(points)) | Q(score=int(points), pk__gt=int(pk)))
    found = list(pairs[: PAGE + 1])
    more = len(found) > PAGE
    return found[:PAGE], f"{found[PAGE - 1].score}-{found[PAGE - 1].pk}" if more else ""


@dataclass(frozen=True)
class Side:
    """A canonical patient with all records merged into him, as the comparison shows him."""

    patient: Patient
    phones: list[str]
    visits: int
    last_visit: date | None
    sources: list[str]


def sides(ids: tuple[int, int], by: Actor) -> dict[int, Side]:
    """By id; unknown, merged and other branches' patients are left out. Four queries."""
    patients = visible_patients(by).filter(pk__in=ids, merged_into=None).select_related("branch", "channel", "curator")
    records = list(Patient.objects.group_of(list(ids)).select_related("source").order_by("pk"))
    root_of = {record.pk: record.root_id for record in records}
    phones: dict[int, list[str]] = {pk: [] for pk in ids}
    rows = PatientPhone.objects.filter(patient_id__in=root_of).order_by("position", "id")
    for record_id, number in rows.values_list("patient_id", "number"):
        if number not in phones[root_of[record_id]]:
            phones[root_of[record_id]].append(number)
    visits: dict[int, dict[str, Any]] = {
        row["root"]: dict(row)
        for row in Visit.objects.annotate(root=Coalesce("patient__canonical_id", "patient_id"))
        .filter(patient_id__in=root_of, status="completed")
        .values("root")
        .annotate(number=Count("id"), last=Max("day"))
    }
    sources: dict[int, list[str]] = {pk: [] for pk in ids}
    for record in records:
        sources[record.root_id].append(f"{record.source.code}: {record.external_id}")
    return {
        patient.pk: Side(
            patient,
            phones[patient.pk],
            visits.get(patient.pk, {}).get("number", 0),
            visits.get(patient.pk, {}).get("last"),
            sources[patient.pk],
        )
        for patient in patients
    }
