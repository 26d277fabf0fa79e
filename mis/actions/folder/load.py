"""Loading: file by file in the order of their references, in batches; rows that came too early get a second look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from mis.actions.folder.lanes import chunks, recorded
from mis.actions.folder.setup import set_up_clinic
from mis.actions.folder.together import load_together
from mis.actions.folder.waiting import Entry, Row, Spool, forget, keep, waiting_rows, waits
from mis.actions.intake import RECORD, known_fields, only_waits, references
from mis.queries.folder import FolderFile, open_folder
from mis.rules.exchange import FILES, FileKind, reason_without_value
from staff.access import Actor
from staff.actions.intake import FAILED, RowResult
from staff.models import Source

BATCH = 5000
SECOND_LOOK = 20_000  # rows at once when rows that came too early are tried again: a ring of merges must fit in


class RejectedAny(Exception):
    """Rows were rejected and it was to be all or nothing: nothing was loaded. Carries the report."""

    def __init__(self, report: FolderReport) -> None:
        super().__init__("rows were rejected")
        self.report = report


@dataclass(frozen=True)
class Rejected:
    """One reason why a row was left out. `row` None: it waited since an earlier load. Nothing personal in `reason`."""

    file: str
    row: int | None
    external_id: str
    field: str
    reason: str


@dataclass(frozen=True)
class Progress:
    file: str
    done: int
    rows: int
    finished: bool = False


@dataclass(frozen=True)
class Load:
    """What all files of one load share."""

    source: Source
    by: Actor
    now: datetime
    batch: int
    tell: Callable[[Rejected], None]
    show: Callable[[Progress], None]

    def record(self, resource: str, rows: list[Row]) -> list[RowResult]:
        return RECORD[resource](source=self.source, rows=rows, by=self.by, now=self.now)


@dataclass
class FileReport:
    """created + updated + unchanged + failed == rows. `repeated`: rows that stand twice word for word, counted once.

    `waited`: rows of earlier loads that took effect now; `waiting`: rows that wait for what they name.
    """

    name: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    repeated: int = 0
    waited: int = 0
    waiting: int = 0


@dataclass
class FolderReport:
    files: list[FileReport] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(file.failed for file in self.files)


def import_folder(
    *,
    folder: Path,
    source_code: str,
    by: Actor,
    now: datetime,
    batch: int = BATCH,
    all_or_nothing: bool = False,
    rejected: Callable[[Rejected], None],
    progress: Callable[[Progress], None] = lambda _seen: None,
) -> FolderReport:
    """Load a folder (metrics.md section 2). Safe to repeat: what is there already is unchanged.

    Each batch is a transaction: a killed load leaves whole batches, and loading again completes it. Raises BadFolder
    before anything is written, RejectedAny (nothing kept) with `all_or_nothing`.
    """
    opened = open_folder(folder, known_fields())
    report = FolderReport(skipped=[*opened.skipped])
    report.notes += [_("%(file)s: not known, left out") % {"file": name} for name in opened.strange]
    for file in opened.files:
        if file.unknown:
            columns = {"file": file.path.name, "names": ", ".join(file.unknown)}
            report.notes.append(_("%(file)s: columns not known, left out: %(names)s") % columns)
    with transaction.atomic() if all_or_nothing else nullcontext():
        source, _made = Source.objects.get_or_create(code=source_code, defaults={"name": source_code})
        report.notes += set_up_clinic(said=opened.clinic, by=by, now=now)
        load = Load(source, by, now, batch, rejected, progress)
        by_name = {file.kind.name: file for file in opened.files}
        loaders = {kind.name: Loader(kind, by_name.get(kind.name), load) for kind in FILES}
        for name, loader in loaders.items():
            if name == "appointments":
                load_together(loader, loaders["items"])
            if loader.run():
                report.files.append(loader.report)
        Source.objects.filter(pk=source.pk).update(last_ok_at=now)
        if all_or_nothing and report.failed:
            raise RejectedAny(report)
    return report


class Loader:
    """One resource of one load."""

    def __init__(self, kind: FileKind, file: FolderFile | None, load: Load) -> None:
        self.kind, self.file, self.load = kind, file, load
        self.resource, self.source = kind.resource, load.source
        self.names = references(kind.resource)
        self.report = FileReport(kind.name)
        self.waiting = waits(load.source, kind.resource)
        self.early = Spool()
        self.rows: Iterator[Entry] | None = None  # what is left of the file, when it was begun together with another

    def run(self) -> bool:
        """False: there was nothing to do."""
        if self.file is None and not self.waiting:
            return False
        if self.file is not None:
            self._load_file(self.file)
        self._second_looks()
        return True

    def _load_file(self, file: FolderFile) -> None:
        self.show(file)
        rows = self.rows if self.rows is not None else self.rows_of(file)
        for entries, results in recorded(chunks(rows, self.load.batch), self._record):
            self.sort(entries, results)
            self.show(file)
        self.show(file, finished=True)

    def show(self, file: FolderFile, *, finished: bool = False) -> None:
        self.load.show(Progress(self.kind.name, self.report.rows, file.rows, finished))

    def rows_of(self, file: FolderFile) -> Iterator[Entry]:
        """The rows as the row interface spells them. Those without a shape or with a doubtful id are rejected."""
        rename, leave = list(self.kind.rename.items()), file.unknown
        bad = {number: rows for rows in file.twice.values() for number in rows}
        for number, row in file.raw_rows():
            self.report.rows += 1
            if isinstance(row, str):
                self._reject(number, "", {"row": [row]})
            elif number in bad:
                rows = ", ".join(map(str, bad[number]))
                reason = _("this id stands in rows %(rows)s with different content") % {"rows": rows}
                self._reject(number, "", {self.kind.key[0]: [reason]})
            elif number in file.same:
                self.report.rows -= 1
                self.report.repeated += 1
            else:
                for name in leave:
                    row.pop(name, None)
                for theirs, ours in rename:
                    row[ours] = row.pop(theirs, None)
                yield number, row

    def forget(self, entries: list[Entry]) -> None:
        """Rows that wait under the ids of these are out of date."""
        if self.waiting:
            forget(self.source, self.resource, (row for number, row in entries if number is not None))

    def _record(self, entries: list[Entry]) -> list[RowResult]:
        self.forget(entries)
        return self.load.record(self.resource, [row for _n, row in entries])

    def sort(self, entries: list[Entry], results: list[RowResult]) -> int:
        """Count what was settled; rows that name what is not known go to `early`. How many were settled for good."""
        put_aside = []
        for entry, result in zip(entries, results, strict=True):
            if result.status == FAILED and only_waits(result, self.names):
                put_aside.append(entry)
            else:
                self._count(entry, result)
        self.early.add(put_aside)
        return len(entries) - len(put_aside)

    def _count(self, entry: Entry, result: RowResult) -> None:
        number, _row = entry
        if result.status == FAILED:
            self._reject(number, result.external_id, result.errors)
        elif number is None:
            self.report.waited += 1
        else:
            setattr(self.report, result.status, getattr(self.report, result.status) + 1)

    def _reject(self, number: int | None, external_id: str, errors: dict[str, list[str]]) -> None:
        """Every reason is told; a row counts once."""
        self.report.failed += number is not None
        back = {ours: theirs for theirs, ours in self.kind.rename.items()}
        for name, reasons in errors.items():
            for reason in dict.fromkeys(reasons):
                shown = back.get(name, name)
                self.load.tell(
                    Rejected(self._file_name(), number, external_id, shown, reason_without_value(name, reason))
                )

    def _file_name(self) -> str:
        return self.file.path.name if self.file else f"{self.kind.name}.csv"

    def _second_looks(self) -> None:
        """Rows that came before what they name are tried again, with those of earlier loads, until nothing moves."""
        if self.waiting:
            self.early.add(waiting_rows(self.source, self.resource))
        while self.early.count:
            early, self.early = self.early, Spool()
            settled = sum(self._again(chunk) for chunk in chunks(early.read(), SECOND_LOOK))
            if not settled:
                self._give_up()
                return

    def _again(self, entries: list[Entry]) -> int:
        settled = self.sort(entries, self._record(entries))
        if settled and self.waiting:
            forget(self.source, self.resource, (row for _number, row in entries))
        return settled

    def _give_up(self) -> None:
        """What still names unknown things is reported now and waits in the database for a later load."""
        for entries in chunks(self.early.read(), self.load.batch):
            results = self._record(entries)
            kept: list[tuple[Row, str]] = []
            for (number, row), result in zip(entries, results, strict=True):
                self._count((number, row), result) if number is not None else None
                kept.append((row, "; ".join(sorted(result.errors))))
            keep(self.source, self.resource, kept, self.load.now)
            self.report.waiting += len(kept)
        self.waiting = True
