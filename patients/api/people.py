from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from patients.actions.people import PATIENTS, record_patients
from patients.models import Patient, PatientPhone, PatientTag
from patients.queries.scope import visible_patients
from staff.access import Actor
from staff.api.doors import Column, Door, Json, Listed, reference
from staff.api.filters import ChoiceFilter, DayFilter, DoorFilters, IdFilter, InstantFilter, TextFilter, TruthFilter


class PatientFilters(DoorFilters):
    deeds: Mapping[str, str] = {"phone": "see_contacts", "email": "see_contacts", "card_number": "see_contacts"}
    branch = IdFilter(field_name="branch_id")
    channel = IdFilter(field_name="channel_id")
    referrer = IdFilter(field_name="referrer_id")
    household = IdFilter(field_name="household_id")
    merged_into_record = IdFilter(field_name="merged_into_id")
    canonical = IdFilter(field_name="canonical_id")
    sex = ChoiceFilter(choices=Patient.Sex.choices)
    birth_date = DayFilter()
    is_test = TruthFilter()
    created_at__gte = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_at__lt = InstantFilter(field_name="created_at", lookup_expr="lt")
    phone = TextFilter(field_name="phones__number")  # E.164, as the API shows them
    email = TextFilter()
    card_number = TextFilter()


def fill_phones(rows: list[Json], by: Actor) -> None:
    found: dict[int, list[str]] = defaultdict(list)
    phones = PatientPhone.objects.filter(patient_id__in=[row["id"] for row in rows]).order_by("position", "id")
    for owner, number in phones.values_list("patient_id", "number"):
        found[owner].append(number)
    for row in rows:
        row["phones"] = found[row["id"]]


def fill_tags(rows: list[Json], by: Actor) -> None:
    found: dict[int, list[str]] = defaultdict(list)
    tags = PatientTag.objects.filter(patient_id__in=[row["id"] for row in rows]).order_by("name")
    for owner, name in tags.values_list("patient_id", "name"):
        found[owner].append(name)
    for row in rows:
        row["tags"] = found[row["id"]]


PATIENT_DOOR = Door(
    name="patients",
    one="patient",
    resource=PATIENTS,
    record=record_patients,
    scope=visible_patients,
    personal=True,
    columns=(
        Column("created_at", "instant"),
        Column("last_name"),
        Column("first_name"),
        Column("middle_name"),
        Column("birth_date", "date", null=True),
        Column("sex"),
        Column("email", deed="see_contacts"),
        Column("preferred_transport"),
        Column("language"),
        Column("tz"),
        Column("card_number", deed="see_contacts"),
        *reference("branch"),
        *reference("channel"),
        *reference("referrer"),
        *reference("responsible_adult"),
        *reference("household"),
        Column("merged_into", path="merged_into__external_id", null=True),
        Column("merged_into_record", "id", path="merged_into_id", null=True),
        Column("canonical", "id", path="canonical_id", null=True),
        Column("natural_churn_reason", deed="see_medical"),
        Column("natural_churn_date", "date", null=True, deed="see_medical"),
        Column("is_test", "bool"),
        Column("note", deed="see_contacts"),
    ),
    lists=(
        Listed("phones", fill_phones, {"type": "string"}, deed="see_contacts"),
        Listed("tags", fill_tags, {"type": "string"}),
    ),
    filters=PatientFilters,
)
