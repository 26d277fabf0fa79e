"""The values of a message's placeholders, from the visit as it stands. Times are those of the visit's branch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Value
from django.db.models.functions import Coalesce, NullIf

from core.clock import zone
from messaging.models import Message
from messaging.queries.rows import among
from messaging.rules.texts import MONTHS, WEEKDAYS
from patients.models import Patient, Visit
from staff.models import Branch, Clinic

OWN = (
    *("pk", "attempt", "text", "subject", "variables", "template", "transport", "language", "dedupe_key", "about_at"),
    *("purpose", "approval_id", "grouped_into_id", "patient_id", "visit_id"),
)


@dataclass(slots=True)
class Draft:
    """A message that is being put together: the columns of the same names, `variables` filled in."""

    pk: int
    attempt: int
    text: str
    subject: str
    variables: dict[str, str]
    template: str
    transport: str
    language: str
    dedupe_key: str
    about_at: datetime | None
    purpose: str
    approval_id: int | None
    grouped_into_id: int | None
    patient_id: int | None
    visit_id: int | None


@dataclass(frozen=True)
class _Facts:
    """What the texts of a batch may speak of, each read once. `people`: patient → (first name, branch)."""

    clinic: str
    people: dict[int, tuple[str, int | None]]
    visits: Mapping[int, int | None]
    branches: dict[int, Branch]


def drafts_of(ids: Collection[int]) -> list[Draft]:
    """Rows of `ids` that have no key yet, with their values (not saved). One query where the texts stand already, five
    where they are to be made, whatever the number of rows."""
    rows = Message.objects.filter(among(ids), client_id=None).values_list(*OWN)
    found = [Draft(*row) for row in rows]
    empty = [draft for draft in found if not draft.text and not draft.variables]
    if empty:
        facts = _facts_of(empty)
        for draft in empty:
            draft.variables = _values(draft, facts)
    return found


def _facts_of(drafts: Collection[Draft]) -> _Facts:
    """A merged person's name and branch are the survivor's; his own name where the survivor has none."""
    people = Patient.objects.filter(pk__in={draft.patient_id for draft in drafts}).values_list(
        "pk",
        Coalesce(NullIf("canonical__first_name", Value("")), F("first_name")),
        Coalesce("canonical__branch_id", F("branch_id")),
    )
    visits = dict(Visit.objects.filter(pk__in={draft.visit_id for draft in drafts}).values_list("pk", "branch_id"))
    named = {pk: (name, branch) for pk, name, branch in people}
    branches = {branch for _name, branch in named.values()} | set(visits.values())
    clinic = Clinic.objects.filter(pk=1).values_list("name", flat=True).first() or ""
    return _Facts(clinic, named, visits, Branch.objects.in_bulk(branches - {None}))


def _values(draft: Draft, facts: _Facts) -> dict[str, str]:
    """Of the visit's branch, else of the patient's own; a time only where the text may speak of one."""
    values, place = {"clinic": facts.clinic}, None
    if draft.patient_id is not None:
        values["first_name"], place = facts.people[draft.patient_id]
    if draft.visit_id is not None:
        place = facts.visits[draft.visit_id]
    branch = facts.branches.get(place) if place is not None else None
    if branch is not None:
        values |= {"branch": branch.name, "address": branch.address, "phone": branch.phone}
        values["clinic"] = facts.clinic or branch.name
        if draft.about_at is not None:
            values |= spoken_time(draft.about_at, branch.tz, draft.language)
    return values


def spoken_time(instant: datetime, tz: str, language: str) -> dict[str, str]:
    """`date`, `weekday` and `time` as they are said in that language, in the zone `tz`."""
    local = instant.astimezone(zone(tz))
    months, days = MONTHS.get(language, MONTHS["ru"]), WEEKDAYS.get(language, WEEKDAYS["ru"])
    return {
        "date": f"{local.day} {months[local.month - 1]}",
        "weekday": days[local.weekday()],
        "time": f"{local:%H:%M}",
    }
