"""A batch of rows of a file: a row has one fate, whatever many records it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from mis.actions.intake import RECORD
from mis.actions.jobs.images import Image, images_by_external, images_by_id
from mis.models import ImportedRow, ImportJob, RejectedRow
from mis.queries.known import find_patients, known_visits
from mis.rules.cells import as_text
from mis.rules.identity import Occurrences, made_id, patient_id
from mis.rules.rows import MAIN, ORDER, BadRow, Cells, Errors, Known, Part, Way, parts_of, read_cells
from staff.access import Actor
from staff.actions.intake import CREATED, FAILED, UNCHANGED, UPDATED, RowResult

STRONGER = (CREATED, UPDATED, UNCHANGED)


@dataclass
class Line:
    """One row of the file on its way in."""

    number: int
    raw: Sequence[Any]
    cells: Cells = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    status: str = ""


@dataclass
class Change:
    """What the batch did to one object."""

    number: int
    resource: str
    object_id: int
    before: Image | None
    after: Image


class _Again(Exception):
    """Rows failed: the savepoint is rolled back and the others are recorded without them."""


class Applier:
    """Applies batches of one job. `seen` counts equal rows, so every row has to pass, even one that is done already."""

    def __init__(self, job: ImportJob, way: Way, by: Actor, known: Known) -> None:
        self.job, self.way, self.by, self.known = job, way, by, known
        self.seen = Occurrences()
        self.stale = False  # names were added: `known` has to be read again

    def read(self, rows: Iterable[tuple[int, Sequence[Any]]]) -> list[Line]:
        lines = [Line(number, raw) for number, raw in rows]
        for line in lines:
            line.cells, line.errors = read_cells(self.way.kind, self.job.mapping, line.raw)
        self._look_up([line for line in lines if not line.errors])
        for line in lines:
            if not line.errors:
                self._split(line)
        return lines

    def _look_up(self, lines: list[Line]) -> None:
        if self.way.kind not in ("visits", "payments"):
            return
        rows = {line.number: line.cells for line in lines}
        self.known.patients = find_patients(self.job.source, self.by, rows)
        if self.way.kind == "visits":
            keys = {cells["visit_id"] for cells in rows.values() if "visit_id" in cells}
            self.known.visits = known_visits(self.job.source, keys | {visit_key(c) for c in rows.values()})

    def _split(self, line: Line) -> None:
        try:
            line.parts = parts_of(self.way, line.number, line.cells, self.known, self.seen)
        except BadRow as error:
            line.errors = {error.field: [error.reason]}

    # --- recording ----------------------------------------------------------------------------------------------------
    def apply(self, lines: list[Line], now: datetime) -> list[Change]:
        """Record the rows that can be recorded, all others get errors. Must run inside a transaction."""
        while True:
            live = [line for line in lines if not line.errors]
            try:
                with transaction.atomic():
                    changes = self._record(live, now)
            except _Again:
                continue
            for line in lines:
                line.status = FAILED if line.errors else line.status
            self.stale |= any(change.resource in ("channels", "doctors", "services") for change in changes)
            return changes

    def _record(self, lines: list[Line], now: datetime) -> list[Change]:
        changes: dict[tuple[str, int], Change] = {}
        for line in lines:
            line.status = UNCHANGED
        for resource in ORDER:
            jobs = _jobs(lines, resource, self.way.kind)
            if jobs:
                self._record_parts(resource, jobs, changes, now)
        if any(line.errors for line in lines):
            raise _Again
        return list(changes.values())

    def _record_parts(
        self, resource: str, jobs: list[_PartJob], changes: dict[tuple[str, int], Change], now: datetime
    ) -> None:
        codes = [job.part.row["external_id"] for job in jobs]
        before = images_by_external(resource, self.job.source, codes)
        rows = [job.part.row for job in jobs]
        results = RECORD[resource](source=self.job.source, rows=rows, by=self.by, now=now)
        main = resource in MAIN[self.way.kind]
        touched: dict[int, int] = {}
        for job, result in zip(jobs, results, strict=True):
            job.tell(result, main)
            if result.id is not None and result.status in (CREATED, UPDATED):
                touched.setdefault(result.id, job.lines[0].number)
        for pk, after in images_by_id(resource, touched).items():
            changes[resource, pk] = Change(touched[pk], resource, pk, before.get(pk), after)


@dataclass
class _PartJob:
    """A part and the lines that it came from: the doctor of a hundred visits is recorded once."""

    part: Part
    lines: list[Line]

    def tell(self, result: RowResult, main: bool) -> None:
        """The lines get what became of the part: its errors, and for a main part its status."""
        for line in self.lines:
            if result.status == FAILED:
                for name, reasons in result.errors.items():
                    line.errors.setdefault(self.part.names.get(name, name), []).extend(reasons)
            elif main and STRONGER.index(result.status) < STRONGER.index(line.status):
                line.status = result.status


def _jobs(lines: list[Line], resource: str, kind: str) -> list[_PartJob]:
    """Parts of the resource, equal ones once. Of a new patient whose visits differ in date the first date counts."""
    jobs: dict[str, _PartJob] = {}
    for line in lines:
        for part in line.parts:
            if part.resource != resource:
                continue
            first = resource == "patients" and kind != "patients"
            key = part.row["external_id"] if first else repr(sorted(part.row.items(), key=str))
            job = jobs.setdefault(key, _PartJob(part, []))
            job.lines.append(line)
            if first and part.row.get("created_at", "") < job.part.row.get("created_at", ""):
                job.part.row["created_at"] = part.row["created_at"]
    return list(jobs.values())


def visit_key(cells: Mapping[str, Any]) -> str:
    """The id that a visit without one gets."""
    return made_id("visit", patient_id(cells), cells.get("start_at"), cells.get("doctor_id", cells.get("doctor")))


def keep_images(job: ImportJob, changes: list[Change]) -> None:
    ImportedRow.objects.bulk_create(
        [
            ImportedRow(
                job=job,
                row=change.number,
                resource=change.resource,
                object_id=change.object_id,
                external_id=change.after["external_id"],
                before=change.before,
                after=change.after,
            )
            for change in changes
        ],
        batch_size=2000,
    )


def keep_rejected(job: ImportJob, lines: list[Line]) -> None:
    RejectedRow.objects.bulk_create(
        [
            RejectedRow(
                job=job,
                row=line.number,
                cells=["" if cell is None else as_text(cell) for cell in line.raw],
                errors=line.errors,
            )
            for line in lines
            if line.errors
        ],
        batch_size=2000,
    )
