"""manage.py import_folder DIR --source NAME: ten years of another system, at once."""

from __future__ import annotations

import csv
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug
from django.utils import timezone
from django.utils.translation import gettext as _

from mis import actions
from mis.actions.folder import BATCH, FolderReport, Progress, Rejected, RejectedAny
from mis.queries.folder import BadFolder
from staff.access import SYSTEM

SHOWN = 50  # rejected rows on the screen; the rest goes to the file of --rejects


class Command(BaseCommand):
    help = "Loads a folder of CSV or JSON files in the exchange format. Loading it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="directory with patients.csv, appointments.csv …")
        parser.add_argument("--source", required=True, help="short name of the system that the rows come from")
        parser.add_argument("--batch", type=int, default=BATCH, help="rows in one transaction")
        parser.add_argument("--rejects", type=Path, help="write rejected rows to this CSV file")
        parser.add_argument("--all-or-nothing", action="store_true", help="one rejected row undoes the whole load")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            validate_slug(options["source"])
        except ValidationError as error:
            raise CommandError(_("--source: only latin letters, digits, - and _")) from error
        if not 1 <= options["batch"] <= 50_000:
            raise CommandError(_("--batch: between 1 and 50000"))
        rejects = Rejects(options["rejects"], self)
        try:
            report = actions.import_folder(
                folder=options["folder"],
                source_code=options["source"],
                by=SYSTEM,
                now=timezone.now(),
                batch=options["batch"],
                all_or_nothing=options["all_or_nothing"],
                rejected=rejects.add,
                progress=ProgressLine(self).show,
            )
        except BadFolder as error:
            raise CommandError("\n".join(error.lines)) from error
        except RejectedAny as error:
            report = error.report
            self.stderr.write(_("Rows were rejected: nothing was loaded."))
        finally:
            rejects.close()
        self._summary(report, rejects)
        if report.failed:
            sys.exit(1)

    def _summary(self, report: FolderReport, rejects: Rejects) -> None:
        for note in report.notes:
            self.stderr.write(note)
        for name in report.skipped:
            self.stderr.write(
                _("%(file)s: left out, this room is not built yet; load the folder again then") % {"file": name}
            )
        self.stdout.write(f"{'':14}{'rows':>10}{'created':>10}{'updated':>10}{'unchanged':>11}{'failed':>8}")
        for file in report.files:
            counts = f"{file.rows:>10}{file.created:>10}{file.updated:>10}{file.unchanged:>11}{file.failed:>8}"
            extra = "".join(
                f"  {name} {value}"
                for name, value in (("repeated", file.repeated), ("waited", file.waited), ("waiting", file.waiting))
                if value
            )
            self.stdout.write(f"{file.name:14}{counts}{extra}")
        rejects.rest()


class ProgressLine:
    """Rows per second of each file: one moving line at a terminal, one line a file elsewhere."""

    def __init__(self, command: BaseCommand) -> None:
        self.command, self.file, self.began = command, "", 0.0
        self.moving = sys.stderr.isatty()

    def show(self, seen: Progress) -> None:
        if seen.file != self.file:
            self.file, self.began = seen.file, time.monotonic()
        if not (self.moving or seen.finished):
            return
        speed = seen.done / max(time.monotonic() - self.began, 0.001)
        line = f"{seen.file}: {seen.done}/{seen.rows} rows, {speed:.0f} rows/s"
        end = "\n" if seen.finished or not self.moving else "\r"
        self.command.stderr.write(line, ending=end)


class Rejects:
    """Names rejected rows: the first on the screen, all of them in the file."""

    def __init__(self, path: Path | None, command: BaseCommand) -> None:
        self.command, self.count = command, 0
        self.file = path.open("w", encoding="utf-8", newline="") if path else None
        self.writer = csv.writer(self.file) if self.file else None
        if self.writer:
            self.writer.writerow(["file", "row", "external_id", "field", "reason"])

    def add(self, one: Rejected) -> None:
        self.count += 1
        if self.writer:
            self.writer.writerow([one.file, one.row or "", one.external_id, one.field, one.reason])
        if self.count <= SHOWN or not self.writer:
            row = one.row or _("earlier load")
            self.command.stderr.write(f"{one.file}, {_('row')} {row}, {one.field}: {one.reason}")

    def rest(self) -> None:
        if self.writer and self.count > SHOWN:
            self.command.stderr.write(_("… and %(n)d more in the file of --rejects") % {"n": self.count - SHOWN})

    def close(self) -> None:
        if self.file:
            self.file.close()
