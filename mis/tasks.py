"""Wake-up calls. The work and how far it got are in the database: a lost call only means a minute's delay."""

from __future__ import annotations

import os
import uuid

from celery import shared_task
from django.utils import timezone

from mis import actions
from mis.queries.jobs import waiting_jobs


def worker_name() -> str:
    return f"{os.getpid()}-{uuid.uuid4().hex[:16]}"


@shared_task
def run_import(job_id: int) -> bool:
    return actions.run_import(job_id=job_id, worker=worker_name(), clock=timezone.now)


@shared_task
def undo_import(job_id: int) -> bool:
    return actions.undo_import(job_id=job_id, worker=worker_name(), clock=timezone.now)


@shared_task
def resume_imports() -> int:
    """Every tick: jobs that a dead worker or a lost call left behind; files of 30 days ago."""
    jobs = waiting_jobs(timezone.now())
    for job_id, undoing in jobs:
        (undo_import if undoing else run_import).delay(job_id)
    actions.delete_old_files(now=timezone.now())
    return len(jobs)
