"""The work list of possible duplicates: brought up to date by the clock, dismissed by people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from django.db import transaction

from patients.actions.traces import user_id
from patients.models import DuplicatePair
from patients.queries.duplicates import candidate_pairs, scored
from patients.rules.duplicates import THRESHOLD, Score
from staff import actions as staff
from staff.access import Actor

BATCH = 1000


def find_duplicates(*, now: datetime) -> int:
    """Brings the work list up to date; answers how many pairs stand open that were looked at.

    Idempotent, for the nightly run: new pairs are opened, scores renewed, open pairs that do not look alike any more
    removed. What people dismissed or merged is never opened again. Memory does not grow with the clinic.
    """
    stream, open_ones = candidate_pairs(), 0
    while batch := set(islice(stream, BATCH)):
        found = {pair: made for pair, made in scored(sorted(batch)).items() if made.points >= THRESHOLD}
        _upsert(found)
        open_ones += len(found)
    _drop_stale()
    return open_ones


def _upsert(found: Mapping[tuple[int, int], Score]) -> None:
    DuplicatePair.objects.bulk_create(
        [DuplicatePair(left_id=a, right_id=b, score=s.points, reasons=s.reasons) for (a, b), s in found.items()],
        update_conflicts=True,
        unique_fields=["left", "right"],
        update_fields=["score", "reasons"],  # never the status: a dismissed pair stays dismissed
    )


def _drop_stale() -> None:
    """Open pairs that score too little now, or whose records were merged away."""
    last = 0
    while True:
        rows = DuplicatePair.objects.filter(status=DuplicatePair.Status.OPEN, pk__gt=last).order_by("pk")
        pairs = list(rows.values_list("pk", "left_id", "right_id")[:BATCH])
        if not pairs:
            return
        scores = scored((a, b) for _pk, a, b in pairs)
        stale = [pk for pk, a, b in pairs if scores.get((a, b), Score(0)).points < THRESHOLD]
        DuplicatePair.objects.filter(pk__in=stale, status=DuplicatePair.Status.OPEN).delete()
        last = pairs[-1][0]


@transaction.atomic
def dismiss_pair(*, pair: DuplicatePair, by: Actor, now: datetime) -> bool:
    """A person says: these are two. The pair is not shown again. False when somebody decided before."""
    changed = DuplicatePair.objects.filter(pk=pair.pk, status=DuplicatePair.Status.OPEN).update(
        status=DuplicatePair.Status.DISMISSED, decided_by_id=user_id(by), decided_at=now
    )
    if changed:
        note = f"{pair.left_id}, {pair.right_id}"
        staff.record(by=by, deed="dismiss_pair", now=now, object_kind="pair", object_id=pair.pk, note=note)
    return bool(changed)
