"""Two records of one person become one by a pointer, and can become two again: facts never move (R125)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Model
from django.utils.translation import gettext as _

from core.phones import Phone
from patients.actions.people import search_text
from patients.actions.pointers import lock_merges
from patients.actions.traces import user_id
from patients.models import (
    Consent,
    DuplicatePair,
    Merge,
    Patient,
    Payment,
    Recommendation,
    Touchpoint,
    Visit,
    WorkItem,
)
from staff import actions as staff
from staff.access import Actor
from staff.actions.journal import ChangedRow
from staff.models import Change

CHOOSABLE = (
    "last_name",
    "first_name",
    "middle_name",
    "birth_date",
    "sex",
    "email",
    "email_raw",
    "preferred_transport",
    "language",
    "tz",
    "card_number",
    "branch_id",
    "channel_id",
    "referrer_id",
    "household_id",
    "responsible_adult_id",
    "curator_id",
    "note",
)
FACTS: dict[str, type[Model]] = {
    "visits": Visit,
    "payments": Payment,
    "consents": Consent,
    "touchpoints": Touchpoint,
    "recommendations": Recommendation,
    "work_items": WorkItem,
}


class CannotMerge(Exception):
    """One record twice, or one of them has been merged away meanwhile."""


class UnknownChoice(Exception):
    """A chosen field or value that neither record has."""


@transaction.atomic
def merge_patients(*, survivor: Patient, loser: Patient, chosen: Mapping[str, Any], by: Actor, now: datetime) -> Merge:
    """`loser` becomes a record of `survivor`. `chosen`: field of CHOOSABLE -> value, taken from either record.

    Facts stay on their records; `canonical` moves for all that was merged into the loser before. What the survivor's
    fields said is kept for `undo_merge`. Raises CannotMerge (also when a colleague was quicker), UnknownChoice.
    """
    lock_merges()
    survivor, loser = _locked_roots(survivor.pk, loser.pk)
    values = _choices(survivor, loser, chosen)
    merge = Merge.objects.create(
        survivor=survivor,
        loser=loser,
        at=now,
        by_id=user_id(by),
        before={name: plain(getattr(survivor, name)) for name in values},
        chosen={name: plain(value) for name, value in values.items()},
        marks={kind: model._default_manager.aggregate(last=Max("id"))["last"] or 0 for kind, model in FACTS.items()},
    )
    moved = _point(loser, survivor)
    write_fields(survivor, values)
    decide_pair(survivor.pk, loser.pk, DuplicatePair.Status.MERGED, by, now)
    tell(Change.Kind.MERGED, moved, survivor, bool(values), now)
    record_merge("merge_patients", merge, values, by, now)
    return merge


def _locked_roots(survivor_id: int, loser_id: int) -> tuple[Patient, Patient]:
    """Both rows, locked in the order of their ids: A into B and B into A at once wait instead of deadlocking."""
    rows = Patient.objects.select_for_update(of=("self",)).select_related("source").order_by("pk")
    found = {row.pk: row for row in rows.filter(pk__in=[survivor_id, loser_id])}
    if survivor_id == loser_id or len(found) < 2:
        raise CannotMerge(_("Two different patients are needed."))
    if any(row.merged_into_id is not None for row in found.values()):
        raise CannotMerge(_("One of the two has been merged meanwhile. Open the list again."))
    return found[survivor_id], found[loser_id]


def _choices(survivor: Patient, loser: Patient, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that change, with their new values. The e-mail as typed follows the e-mail."""
    values: dict[str, Any] = {}
    for name, value in chosen.items():
        if name not in CHOOSABLE or value not in (getattr(survivor, name), getattr(loser, name)):
            raise UnknownChoice(name)
        if value != getattr(survivor, name):
            values[name] = value
    if "email" in values:
        values["email_raw"] = loser.email_raw
    # Danger: a person who refers, or answers for, himself.
    own = (survivor.pk, loser.pk)
    return {n: v for n, v in values.items() if n not in ("referrer_id", "responsible_adult_id") or v not in own}


def _point(loser: Patient, survivor: Patient) -> list[Patient]:
    """The pointer of the loser and the cached end of all records below him. Answers these records."""
    below = list(Patient.objects.select_related("source").filter(canonical=loser).order_by("pk"))
    Patient.objects.filter(canonical=loser).update(canonical=survivor)
    loser.merged_into, loser.canonical = survivor, survivor
    loser.save(update_fields=["merged_into", "canonical"])
    return [loser, *below]


def write_fields(patient: Patient, values: Mapping[str, Any]) -> None:
    if not values:
        return
    for name, value in values.items():
        setattr(patient, name, value)
    phones = [Phone(phone.number, phone.raw) for phone in patient.phones.all()]
    names = ("last_name", "first_name", "middle_name", "card_number")
    patient.search = search_text({name: getattr(patient, name) for name in names}, phones)
    patient.save(update_fields=[*values, "search"])


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def typed(name: str, value: Any) -> Any:
    """Back from JSON."""
    return date.fromisoformat(value) if name == "birth_date" and value else value


def decide_pair(a: int, b: int, status: str, by: Actor, now: datetime) -> None:
    low, high = sorted((a, b))
    DuplicatePair.objects.update_or_create(
        left_id=low,
        right_id=high,
        defaults={"status": status, "decided_by_id": user_id(by), "decided_at": now},
        create_defaults={"status": status, "decided_by_id": user_id(by), "decided_at": now, "score": 0},
    )


def tell(kind: str, moved: Iterable[Patient], root: Patient, root_changed: bool, now: datetime) -> None:
    """The feed: every record that has a new end, and the survivor when his fields changed."""
    target = root.pk if kind == Change.Kind.MERGED else None
    staff.note_changes(resource="patients", rows=[_line(row, target) for row in moved], now=now, kind=kind)
    if root_changed:
        staff.note_changes(resource="patients", rows=[_line(root)], now=now)


def _line(row: Patient, target: int | None = None) -> ChangedRow:
    return ChangedRow(row.pk, row.source.code, row.external_id, row.branch_id, target)


def record_merge(deed: str, merge: Merge, fields: Iterable[str], by: Actor, now: datetime) -> None:
    staff.record(
        by=by,
        deed=deed,
        now=now,
        object_kind="merge",
        object_id=merge.pk,
        patient_id=merge.survivor_id,
        fields=fields,
        note=f"{merge.loser_id} > {merge.survivor_id}",
    )
