"""One patient for the eyes of the desk: who he is, his family, consents, advice and one timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from patients.models import (
    Consent,
    Patient,
    PatientPhone,
    Payment,
    Recommendation,
    Touchpoint,
    Visit,
    WorkItem,
)
from patients.models.contact import Purpose
from patients.models.person import Transport
from patients.queries.consents import begun
from patients.queries.scope import visible_patients
from staff.access import Actor

PAGE = 30
KINDS = ("payment", "touchpoint", "visit", "work")  # in the order in which they stand at the same moment


@dataclass(frozen=True)
class ConsentNow:
    """The line that holds for one purpose and transport ("" = all), or None when nothing was ever said."""

    purpose: str
    transport: str
    line: Consent | None

    @property
    def label(self) -> str:
        return str(Purpose(self.purpose).label)

    @property
    def transport_label(self) -> str:
        return str(Transport(self.transport).label) if self.transport else ""


@dataclass(frozen=True)
class Card:
    patient: Patient
    record_ids: list[int]  # every record of the person: facts stay on the record that they came with
    phones: list[PatientPhone]
    next_visit: Visit | None
    family: list[Patient]
    consents: list[ConsentNow]
    advice: list[Recommendation]
    work: list[WorkItem]
    tags: list[str]


def record_ids(root_id: int) -> list[int]:
    return [root_id, *Patient.objects.filter(canonical=root_id).order_by("pk").values_list("pk", flat=True)]


def consents_now(ids: list[int], now: datetime) -> list[ConsentNow]:
    """What holds now: the newest line of each purpose and transport over all records; processing and adverts always."""
    held: dict[tuple[str, str], Consent | None] = {(p, ""): None for p in (Purpose.PROCESSING, Purpose.MARKETING)}
    for line in begun(now).filter(patient__in=ids).order_by("at", "-given", "id"):
        held[line.purpose, line.transport] = line
    return [ConsentNow(purpose, transport, line) for (purpose, transport), line in sorted(held.items())]


def patient_card(*, patient: Patient, by: Actor, now: datetime) -> Card:
    """Everything but the timeline and the value; eight queries. `patient` is a canonical one that `by` may see."""
    ids = record_ids(patient.pk)
    visits = Visit.objects.filter(patient__in=ids).select_related("doctor", "branch")
    return Card(
        patient=patient,
        record_ids=ids,
        phones=list(PatientPhone.objects.filter(patient__in=ids)),
        next_visit=visits.filter(status=Visit.Status.SCHEDULED, start_at__gte=now).order_by("start_at").first(),
        family=_family(patient, by),
        consents=consents_now(ids, now),
        advice=list(
            Recommendation.objects.filter(patient__in=ids, closed_at=None)
            .select_related("service", "doctor")
            .order_by(F("due_date").asc(nulls_last=True), "id")[:PAGE]
        ),
        work=list(
            WorkItem.objects.filter(patient__in=ids, status=WorkItem.Status.OPEN).order_by("due_at", "id")[:PAGE]
        ),
        tags=sorted(set(patient.tags.values_list("name", flat=True))),
    )


def _family(patient: Patient, by: Actor) -> list[Patient]:
    """Household, wards and the responsible adult: those whom `by` may open."""
    theirs = Q(responsible_adult=patient.pk)
    if patient.household_id:
        theirs |= Q(household=patient.household_id)
    if patient.responsible_adult_id:
        theirs |= Q(pk=patient.responsible_adult_id)
    family = visible_patients(by).filter(merged_into=None).filter(theirs).exclude(pk=patient.pk)
    return list(family.order_by("birth_date", "id")[:PAGE])


@dataclass(frozen=True)
class Moment:
    """A line of the timeline: what (`kind` of KINDS, or one that a higher room adds), when, and the object itself."""

    at: datetime
    kind: str
    id: int
    thing: Any


Key = tuple[datetime, str, int]


def _stream(rows: QuerySet, at: str, kind: str, before: Key | None) -> QuerySet:
    """(at, kind, id) of one table, below the key."""
    if before is not None:
        moment, last_kind, last_id = before
        same = Q(**{at: moment})
        below = same if kind > last_kind else same & Q(pk__lt=last_id) if kind == last_kind else Q(pk__in=[])
        rows = rows.filter(Q(**{f"{at}__lt": moment}) | below)
    keyed = rows.order_by().select_related(None).annotate(at_=F(at), kind_=Value(kind, CharField()), key_=F("pk"))
    columns: QuerySet = keyed.values_list("at_", "kind_", "key_")
    return columns


def timeline(
    *, ids: list[int], by: Actor, before: Key | None = None, extra: dict[str, tuple[QuerySet, str]] | None = None
) -> tuple[list[Moment], Key | None]:
    """The next 30 moments of the person's records below the key, newest first, and the key of the page after them.

    One query, and one a table, whatever the number of rows. `extra`: what higher rooms add, as {kind: (rows, time)}.
    """
    streams: dict[str, tuple[QuerySet, str]] = {
        "visit": (Visit.objects.filter(patient__in=ids).select_related("doctor", "branch"), "start_at"),
        "touchpoint": (Touchpoint.objects.filter(patient__in=ids).exclude(kind="visit").select_related("user"), "at"),
        "work": (WorkItem.objects.filter(patient__in=ids).select_related("assignee"), "created_at"),
        **(extra or {}),
    }
    if by.may("see_money"):
        streams["payment"] = (Payment.objects.filter(patient__in=ids), "paid_at")
    first, *others = (_stream(rows, at, kind, before) for kind, (rows, at) in streams.items())
    # One person's rows are few: the database sorts them all, and SQLite allows no LIMIT inside a UNION.
    keys = list(first.union(*others, all=True).order_by("-at_", "kind_", "-key_")[: PAGE + 1])
    page, rest = keys[:PAGE], keys[PAGE:]
    things = {kind: rows.in_bulk([pk for _at, k, pk in page if k == kind]) for kind, (rows, _at) in streams.items()}
    moments = [Moment(at, kind, pk, things[kind][pk]) for at, kind, pk in page]
    return moments, (page[-1] if rest else None)


def root_of(patient_id: int, by: Actor) -> QuerySet:
    """The id of the canonical patient of that record, if `by` may see it; empty otherwise. For `pk__in`."""
    return visible_patients(by).filter(pk=patient_id).annotate(root=Coalesce("canonical_id", "id")).values("root")
