"""Work items: what a person has to do, who took it, what came of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from core.names import clean_text
from patients.actions.traces import user_id
from patients.models import Patient, Touchpoint, Visit, WorkItem
from patients.models.contact import Purpose
from patients.models.person import Transport
from staff import actions as staff
from staff.access import Actor
from staff.models import Branch

Status = WorkItem.Status


class AlreadyClosed(Exception):
    """Somebody else has dealt with this work item."""


@transaction.atomic
def open_work_item(
    *,
    kind: str,
    due_at: datetime,
    by: Actor,
    now: datetime,
    patient: Patient | None = None,
    visit: Visit | None = None,
    branch: Branch | None = None,
    note: str = "",
    dedupe_key: str | None = None,
) -> WorkItem:
    """A thing to do by `due_at`. With a `dedupe_key` that is known already, the item that stands is answered."""
    values = {
        "kind": kind,
        "patient": patient,
        "visit": visit,
        "branch": branch or (visit.branch if visit else patient.branch if patient else None),
        "due_at": due_at,
        "note": clean_text(note)[:300],
        "created_at": now,
    }
    if dedupe_key is None:
        item, fresh = WorkItem.objects.create(**values), True
    else:
        item, fresh = WorkItem.objects.get_or_create(dedupe_key=dedupe_key, defaults=values)
    if fresh:
        _trace(item, "open_work_item", by, now)
    return item


def _trace(item: WorkItem, deed: str, by: Actor, now: datetime, note: str = "") -> None:
    staff.record(
        by=by, deed=deed, now=now, object_kind="work_item", object_id=item.pk, patient_id=item.patient_id, note=note
    )


def _locked(item: WorkItem) -> WorkItem:
    current = WorkItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    if current.status != Status.OPEN:
        raise AlreadyClosed
    return current


@transaction.atomic
def claim_work_item(*, item: WorkItem, by: Actor, now: datetime) -> WorkItem:
    """Mine now: colleagues see who is at it. Raises AlreadyClosed."""
    current = _locked(item)
    current.assignee_id = user_id(by)
    current.save(update_fields=["assignee"])
    _trace(current, "claim_work_item", by, now)
    return current


@transaction.atomic
def close_work_item(
    *, item: WorkItem, outcome: str, by: Actor, now: datetime, note: str = "", call_back_at: datetime | None = None
) -> WorkItem:
    """What came of it; the call becomes a touchpoint of the patient. With `call_back_at` a new item is due then.

    `outcome`: reached, no_answer, booked, declined, done, dropped. Raises AlreadyClosed.
    """
    current = _locked(item)
    current.status = Status.DROPPED if outcome == "dropped" else Status.DONE
    current.outcome = " · ".join(part for part in (outcome, clean_text(note)) if part)[:300]
    current.closed_at, current.closed_by_id = now, user_id(by)
    current.save(update_fields=["status", "outcome", "closed_at", "closed_by"])
    if current.patient is not None and outcome in CONTACTS:
        _touch(current, current.patient, (outcome, note), by, now)
    if call_back_at is not None:
        _again(current, call_back_at, note, by, now)
    _trace(current, "close_work_item", by, now, outcome)
    return current


CONTACTS = frozenset({"reached", "no_answer", "booked", "declined"})  # outcomes of a call, as against mere filing


def _touch(item: WorkItem, patient: Patient, said: tuple[str, str], by: Actor, now: datetime) -> None:
    Touchpoint.objects.create(
        patient=patient,
        visit_id=item.visit_id,
        at=now,
        kind="call",
        direction=Touchpoint.Direction.OUT,
        transport=Transport.CALL,
        purpose=Purpose.SERVICE,
        outcome=said[0],
        note=clean_text(said[1]),
        user_id=user_id(by),
        dedupe_key=f"work:{item.pk}",
    )


def _again(item: WorkItem, due_at: datetime, note: str, by: Actor, now: datetime) -> None:
    open_work_item(
        kind=WorkItem.Kind.CALL_BACK,
        due_at=due_at,
        by=by,
        now=now,
        patient=item.patient,
        visit=item.visit,
        branch=item.branch,
        note=note or item.note,
        dedupe_key=f"again:{item.pk}",
    )
