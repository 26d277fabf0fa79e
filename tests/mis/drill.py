"""Processes of their own for the kill drill, on the database of DATABASE_URL: `python -m tests.mis.drill WHAT …`

prepare FILE   migrate if need be, receive and start the file; prints the job
work JOB       apply the job in batches of 20; prints how far it got after each
finish JOB     as another worker, ten minutes later
report JOB     one line of JSON
"""

import json
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

BATCH = 20


def prepare(file: str) -> None:
    from django.core.management import call_command

    from mis import actions
    from staff.access import SYSTEM

    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    job = actions.receive_file(
        chunks=[Path(file).read_bytes()], file_name="a.csv", source_code="excel", by=SYSTEM, now=now
    )
    actions.start_import(job_id=job.pk, by=SYSTEM, now=now)
    print(job.pk, flush=True)


def work(job_id: str, later: timedelta = timedelta(0)) -> None:
    from mis import actions
    from mis.actions.jobs import run

    run.BATCH = BATCH
    whole = run._batch

    def told(job, applier, lines, at, now):
        whole(job, applier, lines, at, now)
        print(at, flush=True)

    run._batch = told
    actions.run_import(job_id=int(job_id), worker=uuid.uuid4().hex, clock=lambda: datetime.now(UTC) + later)


def finish(job_id: str) -> None:
    work(job_id, timedelta(minutes=10))


def report(job_id: str) -> None:
    from mis.models import ImportedRow, ImportJob
    from patients.models import Patient

    job = ImportJob.objects.values("status", "position", "created", "rows").get(pk=job_id)
    print(json.dumps({**job, "patients": Patient.objects.count(), "images": ImportedRow.objects.count()}))


if __name__ == "__main__":
    import django

    django.setup()
    {"prepare": prepare, "work": work, "finish": finish, "report": report}[sys.argv[1]](*sys.argv[2:])
