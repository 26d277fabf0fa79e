"""The worker's part: batch after batch, each in one transaction together with how far it got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import gettext as _

from core.clock import zone
from mis.actions.jobs.apply import Applier, Line, keep_images, keep_rejected
from mis.models import ImportJob
from mis.queries.books import Form, with_header
from mis.queries.jobs import original_of
from mis.queries.known import known_names
from mis.queries.tables import BadFile
from mis.rules.rows import Way
from staff import actions as staff
from staff.access import Actor
from staff.models import Branch, Clinic, Source

BATCH = 1000
LEASE = timedelta(minutes=3)  # longer than any batch; past it another worker goes on
MOST_ATTEMPTS = 5
Clock = Callable[[], datetime]


class Lost(Exception):
    """Another worker holds the job now."""


@dataclass(frozen=True)
class Outcome:
    """What would become of one row."""

    number: int
    cells: list[Any]
    status: str
    errors: dict[str, list[str]]


def form_of_job(job: ImportJob) -> Form:
    return Form(job.form, job.encoding, job.delimiter)


def way_of(job: ImportJob) -> Way:
    branch = Branch.objects.filter(pk=job.branch_id).first() if job.branch_id else None
    tz = branch.tz if branch else Clinic.objects.get(pk=1).tz
    local = job.created_at.astimezone(zone(tz)).replace(tzinfo=None)
    return Way(job.kind, job.created_at.astimezone(UTC), local, job.branch_id, "paid" in job.mapping)


def dry_run(*, job: ImportJob, by: Actor, now: datetime, rows: int = 20) -> list[Outcome]:
    """What would become of the first rows: they are recorded and everything is rolled back. Raises BadFile."""
    _header, body = with_header(original_of(job), form_of_job(job))
    with transaction.atomic():
        applier = Applier(job, way_of(job), by, known_names())
        lines = applier.read(islice(body, rows))
        applier.apply(lines, now)
        transaction.set_rollback(True)
    return [Outcome(line.number, list(line.raw), line.status, line.errors) for line in lines]


def claim(job_id: int, worker: str, now: datetime, statuses: tuple[str, ...]) -> ImportJob | None:
    """Take the job up, if nobody else holds it. One that never gets on is given up."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    mine = ImportJob.objects.filter(free, pk=job_id, status__in=statuses)
    taken = mine.update(worker=worker, lease_until=now + LEASE, attempts=F("attempts") + 1)
    if not taken:
        return None
    job = ImportJob.objects.select_related("source").get(pk=job_id)
    if job.attempts > MOST_ATTEMPTS:
        finish(job, now, ImportJob.Status.FAILED, _("stopped: the same place failed several times; see the log"))
        return None
    return job


def hold(job: ImportJob, now: datetime, **changes: Any) -> None:
    """Move the job on inside the batch's transaction. Raises Lost if it was taken away meanwhile."""
    mine = ImportJob.objects.filter(pk=job.pk, worker=job.worker, status__in=ImportJob.ACTIVE)
    if not mine.update(lease_until=now + LEASE, attempts=1, **changes):
        raise Lost(job.pk)


def finish(job: ImportJob, now: datetime, status: str, error: str = "") -> None:
    ImportJob.objects.filter(pk=job.pk).update(
        status=status, error=error[:500], finished_at=now, lease_until=None, worker="", attempts=0
    )


def run_import(*, job_id: int, worker: str, clock: Clock) -> bool:
    """Apply a queued file, or go on where a killed worker stopped. False: somebody else holds it, or it is done.

    A batch, its images, its rejected rows and the position are one transaction: kill -9 leaves no half.
    """
    job = claim(job_id, worker, clock(), (ImportJob.Status.QUEUED, ImportJob.Status.RUNNING))
    if job is None:
        return False
    with translation.override(job.language):
        try:
            _run(job, clock)
        except BadFile as error:
            finish(job, clock(), ImportJob.Status.FAILED, str(error))
        except Lost:
            return False
    return True


def _run(job: ImportJob, clock: Clock) -> None:
    path, form = original_of(job), form_of_job(job)
    if not job.stored_as or not path.is_file():
        raise BadFile(_("the file is no longer there"))
    if not job.rows:
        _header, rows = with_header(path, form)
        job.rows = sum(1 for _row in rows)
    hold(job, clock(), status=ImportJob.Status.RUNNING, rows=job.rows)
    by = Actor(**job.actor)
    applier = Applier(job, way_of(job), by, known_names())
    _header, rows = with_header(path, form)
    at = 0
    for chunk in _chunks(rows):
        lines = applier.read(chunk)
        at += len(lines)
        if at > job.position:
            _batch(job, applier, lines[max(0, job.position - (at - len(lines))) :], at, clock())
        if applier.stale:
            known = known_names()
            applier.known, applier.stale = known, False
    _done(job, by, clock())


def _chunks(rows: Iterator[tuple[int, list[Any]]]) -> Iterator[list[tuple[int, list[Any]]]]:
    while chunk := list(islice(rows, BATCH)):
        yield chunk


@transaction.atomic
def _batch(job: ImportJob, applier: Applier, lines: list[Line], at: int, now: datetime) -> None:
    changes = applier.apply(lines, now)
    keep_images(job, changes)
    keep_rejected(job, lines)
    counts = Counter(line.status for line in lines)
    hold(job, now, position=at, **{name: F(name) + counts[name] for name in counts})


@transaction.atomic
def _done(job: ImportJob, by: Actor, now: datetime) -> None:
    finish(job, now, ImportJob.Status.DONE)
    Source.objects.filter(pk=job.source_id).update(last_ok_at=now)
    staff.record(by=by, deed="import_file", now=now, object_kind="import", object_id=job.pk, note=job.kind)
