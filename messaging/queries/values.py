"""The values of a message's placeholders, from the visit as it stands. Times are those of the visit's branch."""

from __future__ import annotations

from datetime import datetime

from core.clock import zone
from messaging.models import Message
from messaging.rules.texts import MONTHS, WEEKDAYS
from staff.models import Clinic

OWN = (
    *("text", "subject", "variables", "template", "transport", "language", "attempt", "dedupe_key", "about_at"),
    *("purpose", "approval", "grouped_into"),
)
PERSON = ("patient__first_name", "patient__canonical__first_name")
PLACES = ("visit__branch", "patient__branch", "patient__canonical__branch")
BRANCH = tuple(f"{place}__{name}" for place in PLACES for name in ("name", "address", "phone", "tz"))


def values_of(ids: list[int]) -> list[Message]:
    """Rows of `ids` that have no key yet, with `variables` filled in (not saved)."""
    related = Message.objects.filter(id__in=ids, client_id=None).select_related(
        "patient__canonical__branch", "patient__branch", "visit__branch"
    )
    rows = related.only(*OWN, *PERSON, *BRANCH)  # all columns of five tables cost more than the rest of a claim
    clinic = Clinic.objects.filter(pk=1).values_list("name", flat=True).first() or ""
    found = list(rows)
    for row in found:
        if not row.text and not row.variables:
            row.variables = _values(row, clinic)
    return found


def _values(row: Message, clinic: str) -> dict[str, str]:
    """Of the visit's branch, else of the patient's own; a time only where the text may speak of one."""
    values, branch = {"clinic": clinic}, None
    if row.patient is not None:
        person = row.patient.canonical or row.patient
        values["first_name"] = person.first_name or row.patient.first_name
        branch = person.branch
    if row.visit is not None:
        branch = row.visit.branch
    if branch is not None:
        values |= {"branch": branch.name, "address": branch.address, "phone": branch.phone}
        values["clinic"] = clinic or branch.name
    if row.about_at is not None and branch is not None:
        values |= spoken_time(row.about_at, branch.tz, row.language)
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
