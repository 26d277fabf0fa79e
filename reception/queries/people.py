"""The list of patients with their value: keyset pages by name, or by money within a state or segment."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan

from loyalty.models import PatientValue
from patients.models import Patient
from patients.queries import visible_patients
from patients.queries.find import first_phones
from staff.access import Actor

PAGE = 50


@dataclass(frozen=True)
class Row:
    """One canonical patient; `value` is missing until he has facts."""

    patient: Patient
    value: PatientValue | None
    phone: str


@dataclass(frozen=True)
class People:
    """`after`: the key of the next page, or empty."""

    rows: list[Row]
    after: str


def write_key(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(values), ensure_ascii=False).encode()).decode().rstrip("=")


def read_key(text: str, kinds: tuple[type, ...]) -> list[Any] | None:
    """The values of a key of that shape; None for anything else: a bad key shows the first page."""
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return None
    fits = isinstance(values, list) and len(values) == len(kinds)
    return values if fits and all(type(v) is kind for v, kind in zip(values, kinds, strict=True)) else None


def people(*, by: Actor, state: str = "", segment: str = "", order: str = "name", after: str = "") -> People:
    """Fifty patients of a page and the key of the next: five queries at most. `order`: name, or value (dearest first)."""
    found = _by_value(by, state, segment, after) if order == "value" else _by_name(by, state, segment, after)
    patients, rest = found[:PAGE], found[PAGE:]
    ids = [one.pk for one in patients]
    values = PatientValue.objects.select_related("own_doctor").in_bulk(ids)
    phones = first_phones(ids) if by.may("see_contacts") else {}
    rows = [Row(one, values.get(one.pk), phones.get(one.pk, "")) for one in patients]
    return People(rows, _key(rows[-1], order) if rest else "")


def _key(row: Row, order: str) -> str:
    if order == "value":
        return write_key([row.value.revenue if row.value else 0, row.patient.pk])
    return write_key([row.patient.last_name, row.patient.first_name, row.patient.pk])


def _facts(state: str, segment: str) -> Q:
    wanted = {"state": state, "segment": segment}
    return Q(**{name: value for name, value in wanted.items() if value})


def _by_name(by: Actor, state: str, segment: str, after: str) -> list[Patient]:
    patients = visible_patients(by).filter(merged_into=None).filter(is_test=False)
    if state or segment:
        patients = patients.filter(Exists(PatientValue.objects.filter(_facts(state, segment), patient=OuterRef("pk"))))
    key = read_key(after, (str, str, int))
    if key:
        # Compared as one row, which the index can begin from: of a hundred thousand Ivanovas none is read again.
        patients = patients.filter(TupleGreaterThan(Tuple("last_name", "first_name", "id"), key))
    return list(patients.order_by("last_name", "first_name", "id")[: PAGE + 1])


def _by_value(by: Actor, state: str, segment: str, after: str) -> list[Patient]:
    facts = PatientValue.objects.filter(_facts(state, segment), patient__merged_into=None).select_related("patient")
    if by.branch_id is not None:  # without a branch it would only hide from the planner that a page is short
        facts = facts.filter(patient__in=visible_patients(by))
    key, found = read_key(after, (int, int)), []
    if key:  # first the rest of those who brought the same, then those who brought less: two ranges of the index
        revenue, pk = key
        equals = facts.filter(revenue=revenue, patient__gt=pk)
        # Said of both sides of the join: else PostgreSQL walks over all patients up to that one.
        equals = equals.extra(where=["patients_patient.id > %s"], params=[pk])
        found = list(equals.order_by("patient")[: PAGE + 1])
        facts = facts.filter(revenue__lt=revenue)
    found += facts.order_by(F("revenue").desc(), "patient")[: PAGE + 1 - len(found)]
    return [one.patient for one in found]
