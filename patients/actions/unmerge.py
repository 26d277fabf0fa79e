"""Undoing a merge: every row is as it was; what came since is kept and listed for a person to look at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from patients.actions.merge import FACTS, decide_pair, plain, record_merge, tell, typed, write_fields
from patients.actions.pointers import lock_merges
from patients.actions.traces import user_id
from patients.models import DuplicatePair, Merge, Patient
from staff.access import Actor
from staff.models import Change

LISTED = 50  # a conflict names at most so many facts, and how many there are


class AlreadyUndone(Exception):
    """The merge was undone before, or another system has redirected the record since."""


@transaction.atomic
def undo_merge(*, merge: Merge, by: Actor, now: datetime) -> list[dict[str, Any]]:
    """The two records are two again, whatever was merged, edited or recorded since. Answers the conflicts.

    Conflicts: {"kind": "field", "field", "before", "chosen", "now"} for a field edited after the merge (it keeps what
    it says now), and {"kind": "facts", "of": "visits", "count", "ids"} for what was recorded for the survivor since
    (it stays with him). Raises AlreadyUndone.
    """
    lock_merges()
    merge = Merge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    survivor, loser = _locked(merge)
    moved = _detach(survivor, loser)
    conflicts = [*_restore(merge, survivor), *_facts_since(merge)]
    merge.undone_at, merge.undone_by_id, merge.conflicts = now, user_id(by), conflicts
    merge.save(update_fields=["undone_at", "undone_by", "conflicts"])
    decide_pair(survivor.pk, loser.pk, DuplicatePair.Status.DISMISSED, by, now)
    tell(Change.Kind.SPLIT, moved, survivor, bool(merge.chosen), now)
    record_merge("undo_merge", merge, merge.chosen, by, now)
    return conflicts


def _locked(merge: Merge) -> tuple[Patient, Patient]:
    rows = Patient.objects.select_for_update(of=("self",)).select_related("source").order_by("pk")
    found = {row.pk: row for row in rows.filter(pk__in=[merge.survivor_id, merge.loser_id])}
    survivor, loser = found[merge.survivor_id], found[merge.loser_id]
    if merge.undone_at is not None or loser.merged_into_id != survivor.pk:
        raise AlreadyUndone(_("This merge has been undone already."))
    return survivor, loser


def _detach(survivor: Patient, loser: Patient) -> list[Patient]:
    """The loser is canonical again, with all records that hang below him. Answers them."""
    root = survivor.root_id
    group = {row.pk: row for row in Patient.objects.select_related("source").filter(canonical_id=root).order_by("pk")}
    below = [row for row in group.values() if row.pk != loser.pk and _hangs_below(row, loser.pk, group)]
    loser.merged_into = loser.canonical = None
    loser.save(update_fields=["merged_into", "canonical"])
    Patient.objects.filter(pk__in=[row.pk for row in below]).update(canonical=loser)
    return [loser, *below]


def _hangs_below(row: Patient, top: int, group: dict[int, Patient]) -> bool:
    at: Patient | None = row
    while at is not None and at.merged_into_id is not None:
        if at.merged_into_id == top:
            return True
        at = group.get(at.merged_into_id)
    return False


def _restore(merge: Merge, survivor: Patient) -> list[dict[str, Any]]:
    """Fields back to what they said before, unless somebody has edited them since: these are conflicts."""
    back: dict[str, Any] = {}
    conflicts = []
    later = list(
        Merge.objects.select_for_update().filter(survivor=survivor, undone_at=None, pk__gt=merge.pk).order_by("pk")
    )
    for name, chosen in merge.chosen.items():
        before, present = merge.before[name], plain(getattr(survivor, name))
        heir = next((other for other in later if name in other.before), None)
        if heir is not None and heir.before[name] == chosen:
            # A later merge chose again: undoing that one must bring back what stood before this one.
            heir.before[name] = before
            heir.save(update_fields=["before"])
        elif present == chosen:
            back[name] = typed(name, before)
        else:
            conflicts.append({"kind": "field", "field": name, "before": before, "chosen": chosen, "now": present})
    write_fields(survivor, back)
    return conflicts


def _facts_since(merge: Merge) -> list[dict[str, Any]]:
    """What was recorded for the survivor after the merge: perhaps it belongs to the other."""
    conflicts = []
    for kind, model in FACTS.items():
        since = model._default_manager.filter(patient_id=merge.survivor_id, pk__gt=merge.marks.get(kind, 0))
        ids = list(since.order_by("pk").values_list("pk", flat=True)[:LISTED])
        if ids:
            conflicts.append({"kind": "facts", "of": kind, "count": since.count(), "ids": ids})
    return conflicts
