"""Merges that another system made: pointers from record to record, and the end of each chain kept beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from patients.models import Merge, Patient
from staff.actions.intake import Batch, Record, fail, store
from staff.models import Change

MERGE_LOCK = 7_310_001  # any number that no other advisory lock uses


@dataclass
class Merges:
    """What follows from the pointers of a batch: `canonical` of records outside it, and lines of the feed."""

    outside: list[tuple[int | None, int]] = field(default_factory=list)  # (canonical id, record id)
    lines: list[tuple[Any, ...]] = field(default_factory=list)

    def write(self) -> None:
        store.update(Patient, ("canonical_id",), self.outside)


def lock_merges() -> None:
    """Merges go one after another: two at once could close a ring that neither sees. (SQLite's writers queue.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MERGE_LOCK])


def settle_merges(batch: Batch) -> Merges:
    """Sets `canonical_id` of the batch's records; rejects rows whose pointers close a ring, all of them alike."""
    merges = Merges()
    moved = [r for r in batch.live if "merged_into_id" in r.given and _old(r) != r.given["merged_into_id"]]
    if not moved:
        return merges
    lock_merges()
    _keep_people_s_merges(moved)
    moved = [record for record in moved if record.values["merged_into_id"] != _old(record)]
    pointers = _stored_pointers(moved)
    ends = _close(batch, moved, pointers)
    for record in moved:
        if not record.failed:
            merges.lines.append(_line(batch, record, ends))
    _spread(batch, ends, pointers, merges)
    return merges


def _old(record: Record) -> int | None:
    return record.old["merged_into_id"] if record.old else None


def _keep_people_s_merges(moved: list[Record]) -> None:
    """A merge that a person made here is not the source's to undo or to redirect."""
    merged = [record.id for record in moved if _old(record) is not None]
    if not merged:
        return
    ours = Merge.objects.filter(loser_id__in=store.among(merged, "bigint"), undone_at=None)
    kept = set(ours.values_list("loser_id", flat=True))
    for record in moved:
        if record.id in kept:
            record.values["merged_into_id"] = _old(record)


def _stored_pointers(moved: list[Record]) -> dict[int, tuple[int | None, int | None]]:
    """(merged_into, canonical) of every stored record in the groups that the moves touch."""
    touched = {i for r in moved for i in (r.id, r.values["merged_into_id"]) if i is not None}
    roots = (
        Patient.objects.filter(pk__in=store.among(touched, "bigint"))
        .annotate(root=Coalesce("canonical_id", "id"))
        .values_list("root", flat=True)
    )
    ids = store.among(set(roots), "bigint")
    group = (
        Patient.objects.filter(Q(pk__in=ids) | Q(canonical_id__in=ids)).select_for_update(no_key=True).order_by("pk")
    )
    return {pk: (to, end) for pk, to, end in group.values_list("pk", "merged_into_id", "canonical_id")}


def _close(batch: Batch, moved: list[Record], pointers: dict[int, tuple[int | None, int | None]]) -> dict[int, int]:
    """The end of every record's chain. Rows on a ring fail, and then their old pointers count again."""
    while True:
        live = {r.id: r.values["merged_into_id"] for r in batch.live if r.values["merged_into_id"] is not None}
        step = {pk: to for pk, (to, _end) in pointers.items() if to is not None}
        for record in moved:
            if not record.failed:
                step.pop(record.id, None)  # type: ignore[arg-type]
        step |= {pk: to for pk, to in live.items() if pk is not None}
        ends, rings = _ends({*pointers, *step, *step.values()}, step)
        guilty = [record for record in moved if record.id in rings and not record.failed]
        if not guilty:
            return ends
        for record in guilty:
            fail(record, "merged_into", _("the merges run in a circle"))


def _ends(ids: set[int], step: dict[int, int]) -> tuple[dict[int, int], set[int]]:
    """Follow every chain once: the end of each id, and the ids that stand on a ring."""
    ends: dict[int, int] = {}
    rings: set[int] = set()
    for first in ids:
        path: dict[int, None] = {}
        at = first
        while at not in ends and at not in path and at in step:
            path[at] = None
            at = step[at]
        if at in path:
            walk = list(path)
            rings.update(walk[walk.index(at) :])
        end = ends.get(at, at)
        ends.update(dict.fromkeys((*path, at), end))
    return ends, rings


def _spread(
    batch: Batch, ends: dict[int, int], pointers: dict[int, tuple[int | None, int | None]], merges: Merges
) -> None:
    for pk, end in ends.items():
        canonical = end if end != pk else None
        record = batch.by_inner.get(pk)
        if record is not None and not record.failed:
            record.values["canonical_id"] = canonical
        elif pk in pointers and pointers[pk][1] != canonical:
            merges.outside.append((canonical, pk))


def _line(batch: Batch, record: Record, ends: dict[int, int]) -> tuple[Any, ...]:
    end = ends.get(record.id, record.id)  # type: ignore[arg-type]
    merged = record.values["merged_into_id"] is not None
    kind = Change.Kind.MERGED.value if merged else Change.Kind.SPLIT.value
    branch = record.values["branch_id"]
    return ("patients", record.id, branch, batch.source.code, record.external_id, kind, end if merged else None)
