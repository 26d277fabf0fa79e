"""The motivational consultation (R51): its algorithm, and what was done of it at a visit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from core.names import clean_text
from funnel.models import Checklist, Consultation
from funnel.models.consultations import ITEMS
from patients.actions.traces import user_id
from patients.models import Visit
from staff.access import Actor
from staff.actions import record


class NoReason(Exception):
    """Whoever thinks or declines said why."""


class NotHeld(Exception):
    """The patient has not come to this visit: there was no consultation."""


class NoItems(Exception):
    """An algorithm has at least one item."""


@dataclass(frozen=True)
class Held:
    """What is said of a consultation. `ticked`: positions of the version's items."""

    checklist: Checklist
    ticked: Collection[int]
    outcome: str
    reason: str = ""


@transaction.atomic
def fill_consultation(*, visit: Visit, held: Held, by: Actor, now: datetime) -> Consultation:
    """One a visit; filled in again, it is corrected. Raises NotHeld, NoReason, ValueError."""
    current = Visit.objects.select_for_update(of=("self",)).get(pk=visit.pk)
    outcome, reason = Consultation.Outcome(held.outcome), clean_text(held.reason)[:300]
    if current.status not in (Visit.Status.ARRIVED, Visit.Status.COMPLETED):
        raise NotHeld
    if outcome in Consultation.UNDECIDED and not reason:
        raise NoReason
    values = {
        "checklist": held.checklist,
        "ticked": sorted(set(held.ticked) & set(range(len(held.checklist.items)))),
        "outcome": outcome,
        "reason": reason if outcome in Consultation.UNDECIDED else "",
        "filled_at": now,
        "filled_by_id": user_id(by),
    }
    made, _new = Consultation.objects.update_or_create(visit=current, defaults=values)
    record(
        by=by, deed="fill_consultation", now=now, object_kind="consultation", object_id=made.pk,
        patient_id=current.patient_id, fields=("ticked", "outcome", "reason"),
    )  # fmt: skip
    return made


@transaction.atomic
def publish_checklist(*, items: Sequence[str], by: Actor, now: datetime) -> Checklist:
    """The next version; what was filled in keeps its own. Words of the product's items stay translated. NoItems."""
    codes = {str(words).casefold(): code for code, words in ITEMS.items()}
    said = list(dict.fromkeys(text for item in items if (text := clean_text(item)[:200])))
    if not said:
        raise NoItems
    made = Checklist.objects.create(
        items=[codes.get(text.casefold(), text) for text in said], made_at=now, made_by_id=user_id(by)
    )
    record(by=by, deed="publish_checklist", now=now, object_kind="checklist", object_id=made.pk, fields=("items",))
    return made
