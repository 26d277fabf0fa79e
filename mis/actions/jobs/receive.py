"""Before anything is recorded: the file is stored, its form and columns are settled, a person says go."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.sealed import SealedPath, SealedWriter
from mis.models import HeaderMapping, ImportJob
from mis.queries.books import form_of, with_header
from mis.queries.jobs import original_of, originals
from mis.queries.tables import BadFile
from mis.rules.fields import COLUMNS, fingerprint, guess, guess_kind, head, missing
from staff import actions as staff
from staff.access import Actor
from staff.models import Source

KEPT = timedelta(days=30)  # the original file


class WrongColumns(ValueError):
    """The chosen columns cannot carry this kind of file; the text says what is missing."""


class NotNow(ValueError):
    """The import is not in a state in which this can be done."""


def receive_file(
    *,
    chunks: Iterable[bytes],
    file_name: str,
    source_code: str,
    kind: str = "",
    branch_id: int | None = None,
    by: Actor,
    now: datetime,
    language: str = "ru",
) -> ImportJob:
    """Store the file and decide once how it is read. `kind` empty: guessed by the columns. Raises BadFile."""
    stored = f"{uuid.uuid4().hex}{Path(file_name).suffix.lower()[:6]}"
    path = SealedPath(originals() / stored, [settings.SECRET_KEY])
    size, digest = _store(chunks, path.path)
    try:
        form = form_of(path)
        header, _rows = with_header(path, form)
        _rows.close() if hasattr(_rows, "close") else None
        return _make_job(
            ImportJob(
                kind=kind or guess_kind(header),
                file_name=Path(file_name).name[-200:],
                stored_as=stored,
                size=size,
                sha256=digest,
                form=form.form,
                encoding=form.encoding,
                delimiter=form.delimiter,
                header=header,
                branch_id=branch_id or by.branch_id,
                created_at=now,
                created_by_id=by.id if by.kind == "user" else None,
                actor=asdict(by),
                language=language[:2],
            ),
            source_code,
            by,
            now,
        )
    except BaseException:
        path.unlink(missing_ok=True)  # nobody would ever ask for it again
        raise


def _store(chunks: Iterable[bytes], path: Path) -> tuple[int, str]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with SealedWriter(path, settings.SECRET_KEY) as file:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.IMPORT_MAX_BYTES:
                path.unlink()
                raise BadFile(_("the file is larger than 200 MB: split it"))
            digest.update(chunk)
            file.write(chunk)
    return size, digest.hexdigest()


@transaction.atomic
def _make_job(job: ImportJob, source_code: str, by: Actor, now: datetime) -> ImportJob:
    job.source, _made = Source.objects.get_or_create(code=source_code, defaults={"name": source_code})
    job.mapping = remembered(job) or guess(job.kind, job.header)
    job.save(force_insert=True)
    staff.record(by=by, deed="receive_file", now=now, object_kind="import", object_id=job.pk, note=job.kind)
    return job


def remembered(job: ImportJob) -> list[str] | None:
    """What was said about a file with these columns before."""
    known = HeaderMapping.objects.filter(source=job.source, kind=job.kind, fingerprint=fingerprint(job.header)).first()
    return [known.fields.get(head(name), "") for name in job.header] if known else None


@transaction.atomic
def choose_columns(*, job_id: int, kind: str, mapping: Sequence[str], by: Actor, now: datetime) -> ImportJob:
    """What each column is. Another kind starts from its own guess. Raises WrongColumns, NotNow."""
    job = _in_preview(job_id)
    if kind not in COLUMNS:
        raise WrongColumns(_("unknown kind of file"))
    if kind != job.kind:
        job.kind = kind
        job.mapping = remembered(job) or guess(kind, job.header)
    else:
        job.mapping = _checked(job, mapping)
    job.save(update_fields=["kind", "mapping"])
    staff.record(by=by, deed="choose_columns", now=now, object_kind="import", object_id=job.pk)
    return job


def _checked(job: ImportJob, mapping: Sequence[str]) -> list[str]:
    known = {column.name for column in COLUMNS[job.kind]}
    chosen = [name if name in known else "" for name in mapping][: len(job.header)]
    twice = sorted({name for name in chosen if name and chosen.count(name) > 1})
    if twice:
        labels = {column.name: str(column.label) for column in COLUMNS[job.kind]}
        names = ", ".join(labels[name] for name in twice)
        raise WrongColumns(_("two columns cannot both be: %(names)s") % {"names": names})
    return chosen


@transaction.atomic
def start_import(*, job_id: int, by: Actor, now: datetime) -> ImportJob:
    """Queue it; a worker takes it. Twice is once. What was said about the columns is remembered for the next file.

    Raises WrongColumns, NotNow.
    """
    job = _in_preview(job_id)
    lacking = missing(job.kind, job.mapping)
    if lacking:
        labels = {column.name: str(column.label) for column in COLUMNS[job.kind]}
        groups = "; ".join(" / ".join(labels[name] for name in group) for group in lacking)
        raise WrongColumns(_("the file needs columns for: %(groups)s") % {"groups": groups})
    HeaderMapping.objects.update_or_create(
        source=job.source,
        kind=job.kind,
        fingerprint=fingerprint(job.header),
        defaults={
            "fields": {head(name): field for name, field in zip(job.header, job.mapping, strict=False)},
            "used_at": now,
        },
    )
    job.status, job.actor, job.started_at = ImportJob.Status.QUEUED, asdict(by), now
    job.save(update_fields=["status", "actor", "started_at"])
    staff.record(by=by, deed="start_import", now=now, object_kind="import", object_id=job.pk)
    return job


@transaction.atomic
def discard(*, job_id: int, by: Actor, now: datetime) -> None:
    """Throw a file away that was not imported. Raises NotNow."""
    job = _in_preview(job_id)
    stored = original_of(job)
    job.delete()
    staff.record(by=by, deed="discard_file", now=now, object_kind="import", object_id=job_id)
    transaction.on_commit(lambda: stored.unlink(missing_ok=True))


def _in_preview(job_id: int) -> ImportJob:
    job = ImportJob.objects.select_for_update(of=("self",)).select_related("source").get(pk=job_id)
    if job.status != ImportJob.Status.PREVIEW:
        raise NotNow(_("this file was started already"))
    return job


def delete_old_files(*, now: datetime) -> int:
    """Delete original files of 30 days ago, and the rejected rows of those imports: both hold personal data."""
    old = ImportJob.objects.filter(created_at__lt=now - KEPT).exclude(stored_as="").exclude(status__in=ImportJob.ACTIVE)
    jobs = list(old.order_by("pk")[:500])
    for job in jobs:
        original_of(job).unlink(missing_ok=True)
    ids = [job.pk for job in jobs]
    with transaction.atomic():
        ImportJob.objects.filter(pk__in=ids, status=ImportJob.Status.PREVIEW).delete()
        ImportJob.objects.filter(pk__in=ids).update(stored_as="")
    return len(jobs)
