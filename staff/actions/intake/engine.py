"""The frame of every intake: one transaction, repeated rows in rounds, the change feed and one audit entry."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from staff.access import Actor
from staff.actions.audit import record as audit
from staff.actions.intake import store
from staff.actions.intake.batch import Batch
from staff.actions.intake.results import CREATED, FAILED, UNCHANGED, RowResult
from staff.actions.journal import current_xact
from staff.models import Change, Source

ATTEMPTS = 5
MANY = 200  # written rows whose foreign keys are checked before the audit log is locked
MOST_ROUNDS = 20  # the same external id more often than this in one batch is a mistake of the sender
FEED = ("xact", "at", "resource", "object_id", "branch_id", "source_code", "external_id", "kind", "target_id")
Work = Callable[[list[tuple[int, Mapping[str, Any]]]], Batch]


def intake(work: Work, *, rows: Sequence[Mapping[str, Any]], by: Actor, now: datetime, deed: str) -> list[RowResult]:
    """Run `work` over the rows in one transaction; one RowResult a row, in the order of the rows.

    A unique key taken meanwhile by another writer, or a deadlock with one, is no error: the batch starts again and
    finds the other's rows. Raises IntegrityError when that does not help `ATTEMPTS` times.
    """
    for attempt in range(ATTEMPTS):
        try:
            with quiet_memory(), transaction.atomic():
                return _once(work, rows, by, now, deed)
        except (IntegrityError, OperationalError) as error:
            if attempt == ATTEMPTS - 1 or not _passes(error):
                raise
    raise AssertionError("unreachable")


@contextmanager
def quiet_memory() -> Iterator[None]:
    """No search for reference cycles while a batch makes its many small objects: that cost a third of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _passes(error: Exception) -> bool:
    """Whether trying again can help: unique violation, serialization failure, deadlock."""
    return getattr(error.__cause__, "pgcode", "") in ("23505", "40001", "40P01")


def _once(work: Work, rows: Sequence[Mapping[str, Any]], by: Actor, now: datetime, deed: str) -> list[RowResult]:
    results: list[RowResult] = []
    batches: list[Batch] = []
    for number, numbered in enumerate(_rounds(rows)):
        if number == MOST_ROUNDS:
            results.extend(_too_often(numbered))
            break
        batch = work(numbered)
        batches.append(batch)
        results.extend(record.result() for record in batch.records)
        for record in batch.records:
            record.dependents = []  # no rings left: the batch is freed at once, not by the collector
    written = [one for batch in batches for one in (batch, *batch.beside) if one.created or one.updated]
    if sum(len(one.created) + len(one.updated) for one in written) > MANY:
        store.check_references()
    if written:
        _audit(written, by, now, deed)
    return sorted(results, key=lambda result: result.index)


def _rounds(rows: Sequence[Mapping[str, Any]]) -> Iterable[list[tuple[int, Mapping[str, Any]]]]:
    """The rows as they stand; an external id that comes again goes to the next round, so that the newest wins."""
    waiting = list(enumerate(rows))
    if _all_differ(rows):
        yield waiting
        return
    for number in range(MOST_ROUNDS + 1):
        if not waiting:
            return
        if number == MOST_ROUNDS:
            yield waiting
            return
        now: list[tuple[int, Mapping[str, Any]]] = []
        later: list[tuple[int, Mapping[str, Any]]] = []
        seen: set[Any] = set()
        for index, row in waiting:
            key = row.get("external_id") if type(row) is dict or isinstance(row, Mapping) else None
            key = key if isinstance(key, (str, int)) and key != "" else (index,)
            (later if key in seen else now).append((index, row))
            seen.add(key)
        yield now
        waiting = later


def _all_differ(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every row has an external id of its own: the usual case, told apart quickly."""
    if not rows or set(map(type, rows)) != {dict}:
        return False
    keys = [row.get("external_id") for row in rows]
    return set(map(type, keys)) == {str} and "" not in keys and len(set(keys)) == len(keys)


def _too_often(numbered: list[tuple[int, Mapping[str, Any]]]) -> list[RowResult]:
    reason = _("stands more than %(limit)d times in one batch") % {"limit": MOST_ROUNDS}
    return [
        RowResult(index, str(row.get("external_id")), None, FAILED, {"external_id": [reason]})
        for index, row in numbered
    ]


def _audit(batches: list[Batch], by: Actor, now: datetime, deed: str) -> None:
    written = [record for batch in batches for record in (*batch.created, *batch.updated)]
    one = written[0] if len(written) == 1 else None
    created, kind = sum(record.status == CREATED for record in written), batches[0].resource.name
    patient_id = None
    if one is not None:
        patient_id = one.id if kind == "patients" else one.values.get("patient_id")
    audit(
        by=by,
        deed=deed,
        now=now,
        object_kind=kind,
        object_id=one.id if one else None,
        patient_id=patient_id,
        fields=sorted({*one.given, *one.loose}) if one else (),
        note=f"{batches[0].source.code}: created {created}, updated {len(written) - created}",
    )


def record_plain(batch: Batch, numbered: list[tuple[int, Mapping[str, Any]]]) -> Batch:
    """All the steps of a resource that has nothing nested."""
    batch.read(numbered)
    batch.load()
    batch.settle()
    batch.classify()
    batch.write()
    if batch.resource.after:
        batch.resource.after(batch)
    feed(batch)
    return batch


def touch_parents(children: Batch) -> None:
    """A row whose list changed has changed. Classifies the children; call before the parents are classified."""
    children.classify()
    for child in (*children.created, *children.updated):
        child.parent.touched = True  # type: ignore[union-attr]


def feed(*batches: Batch) -> None:
    """Lines of the change feed for what the batches created or updated: one COPY."""
    lines: list[tuple[Any, ...]] = []
    for batch in batches:
        name, branch_of, code = batch.resource.name, batch.resource.branch, batch.source.code
        kind = Change.Kind.CHANGED.value
        lines += [
            (name, record.id, branch_of(record) if branch_of else None, code, record.external_id, kind, None)
            for record in (*batch.created, *batch.updated)
        ]
    if lines:
        note_lines(lines, batches[0].now)


def note_lines(lines: list[tuple[Any, ...]], now: datetime) -> None:
    """Feed lines (resource, object id, branch id, source code, external id, kind, target id)."""
    if not lines:
        return
    xact = current_xact()
    store.insert(Change, FEED, [(xact, now, *line) for line in lines])


def plain(resource: Any) -> Callable[..., list[RowResult]]:
    """The `record_*` action of a resource that has nothing nested."""

    def record_rows(
        *, source: Source, rows: Sequence[Mapping[str, object]], by: Actor, now: datetime
    ) -> list[RowResult]:
        def work(numbered: list[tuple[int, Mapping[str, Any]]]) -> Batch:
            return record_plain(Batch(resource, source=source, by=by, now=now), numbered)

        return intake(work, rows=rows, by=by, now=now, deed=f"record_{resource.name}")

    record_rows.__doc__ = f"Upsert {resource.name}; the row interface of `staff.actions.intake`."
    return record_rows


__all__ = ["FAILED", "UNCHANGED", "feed", "intake", "note_lines", "plain", "record_plain"]
