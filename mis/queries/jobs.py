"""Imports for pages and for the worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.sealed import SealedPath
from mis.models import ImportedRow, ImportJob, RejectedRow
from mis.queries.books import Form, with_header
from mis.rules.cells import as_text
from mis.rules.fields import COLUMNS, labels, missing
from staff.access import Actor

PAGE = 30


def visible_jobs(by: Actor) -> QuerySet[ImportJob]:
    """All, or those of the actor's branch."""
    jobs = ImportJob.objects.select_related("source", "branch", "created_by")
    return jobs if by.branch_id is None else jobs.filter(branch_id=by.branch_id)


def page_of_jobs(by: Actor, before: int | None) -> tuple[list[ImportJob], int | None]:
    """Newest first, and the key of the next page."""
    jobs = visible_jobs(by).order_by("-id")
    found = list(jobs.filter(id__lt=before)[: PAGE + 1] if before else jobs[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


def waiting_jobs(now: datetime) -> list[tuple[int, bool]]:
    """(job, is it an undo?) of active jobs that nobody holds."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    jobs = ImportJob.objects.filter(free, status__in=ImportJob.ACTIVE).order_by("id")[:20]
    return [(job.pk, job.status == ImportJob.Status.UNDOING) for job in jobs]


def first_rejected(job: ImportJob, count: int = 20) -> list[RejectedRow]:
    return list(RejectedRow.objects.filter(job=job).order_by("row")[:count])


def first_conflicts(job: ImportJob, count: int = 100) -> list[ImportedRow]:
    return list(ImportedRow.objects.filter(job=job).exclude(conflict="").order_by("row", "id")[:count])


def reasons_text(job: ImportJob, errors: dict[str, list[str]]) -> str:
    """'phone: not a phone number; sum: must be more than 0'."""
    known = labels(job.kind)
    return "; ".join(f"{known.get(name, name)}: {', '.join(reasons)}" for name, reasons in errors.items())


def rejected_table(job: ImportJob) -> tuple[list[str], Iterator[list[str]]]:
    """The rejected rows as they came, with a column of reasons: to correct and load again."""
    width = len(job.header)
    rows = RejectedRow.objects.filter(job=job).order_by("row").iterator(1000)
    body = ([*(row.cells + [""] * width)[:width], reasons_text(job, row.errors)] for row in rows)
    return [*job.header, _("reason of refusal")], body


def originals() -> Path:
    """Where the files lie that people sent."""
    return Path(settings.MEDIA_ROOT) / "imports"


def original_of(job: ImportJob) -> SealedPath:
    """The file that was sent: it lies there encrypted (152-FZ), under the secret key or one in force before it."""
    return SealedPath(originals() / job.stored_as, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])


def preview_of(job: ImportJob) -> dict[str, Any]:
    """Columns with what they are taken for and their first values; groups of fields that no column gives.

    Raises BadFile.
    """
    _header, rows = with_header(original_of(job), Form(job.form, job.encoding, job.delimiter))
    first = [cells for _number, cells in islice(rows, 5)]
    known = labels(job.kind)
    columns = [
        {
            "name": f"column-{n}",
            "header": name or _("(without a name)"),
            "values": [as_text(cells[n]) for cells in first if n < len(cells) and cells[n] not in ("", None)][:3],
            "options": [{"value": "", "label": _("leave out"), "selected": not field}]
            + [{"value": c.name, "label": c.label, "selected": c.name == field} for c in COLUMNS[job.kind]],
        }
        for n, (name, field) in enumerate(zip(job.header, job.mapping, strict=False))
    ]
    lacking = [" / ".join(str(known[name]) for name in group) for group in missing(job.kind, job.mapping)]
    kinds = [{"value": k, "label": label, "selected": k == job.kind} for k, label in ImportJob.Kind.choices]
    return {"columns": columns, "lacking": lacking, "kinds": kinds}
