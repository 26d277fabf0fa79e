"""kill -9 in the middle of an import leaves whole batches, and another worker goes on."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection

from mis import actions, tasks
from mis.models import ImportJob
from patients.models import Patient
from tests import make
from tests.mis.files import NOW, PATIENTS, csv_text, received

ROWS = 400


def table() -> list[list[str]]:
    people = ([f"Иванов{n} Иван", "31.05.1980", "89123456789", "", "м", str(n)] for n in range(ROWS))
    return [PATIENTS[0], *people]


def started() -> ImportJob:
    by = make.actor()
    job = received(csv_text(table()).encode(), by=by)
    return actions.start_import(job_id=job.pk, by=by, now=NOW)


@pytest.mark.drill
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("after", [1, 7])
def test_a_killed_import_is_whole_batches_and_goes_on_where_it_stopped(after, tmp_path):
    env = {**os.environ, "MEDIA_ROOT": str(tmp_path / "media"), "DJANGO_SETTINGS_MODULE": "clinic_crm.settings"}
    env["SECRET_KEY"] = django_settings.SECRET_KEY
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        env["DATABASE_URL"] = os.environ["DATABASE_URL"].rsplit("/", 1)[0] + f"/{name}"
    else:  # nobody else can see the test's database in memory
        env["DATABASE_URL"] = f"sqlite:///{tmp_path / 'drill.sqlite3'}"
    command = [sys.executable, "-m", "tests.mis.drill"]

    def told(*words):
        return subprocess.run([*command, *words], env=env, check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "a.csv").write_text(csv_text(table()), encoding="utf-8")
    job = told("prepare", str(tmp_path / "a.csv")).splitlines()[-1]
    worker = subprocess.Popen([*command, "work", job], env=env, stdout=subprocess.PIPE, text=True)
    for _n in range(after):
        assert worker.stdout.readline().strip()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    seen = json.loads(told("report", job))
    assert seen["status"] == "running"
    assert 0 < seen["position"] < ROWS
    assert seen["position"] % 20 == 0
    assert seen["position"] == seen["created"] == seen["patients"] == seen["images"]
    assert told("work", job) == ""  # the dead worker's lease still holds
    told("finish", job)
    seen = json.loads(told("report", job))
    assert seen == {"status": "done", "position": ROWS, "created": ROWS, "rows": ROWS, "patients": ROWS, "images": ROWS}


@pytest.mark.django_db
def test_a_job_that_somebody_holds_is_not_taken():
    job = started()
    assert actions.run_import(job_id=job.pk, worker="a", clock=lambda: NOW)
    ImportJob.objects.filter(pk=job.pk).update(status="running", lease_until=NOW + timedelta(minutes=1), worker="b")
    assert not actions.run_import(job_id=job.pk, worker="a", clock=lambda: NOW)


@pytest.mark.django_db
def test_a_worker_that_lost_its_job_changes_nothing_more(monkeypatch):
    monkeypatch.setattr("mis.actions.jobs.run.BATCH", 100)
    job = started()
    calls = []

    def clock():
        calls.append(1)
        if len(calls) == 4:  # in the middle another worker takes over
            ImportJob.objects.filter(pk=job.pk).update(worker="b")
        return NOW

    assert not actions.run_import(job_id=job.pk, worker="a", clock=clock)
    job.refresh_from_db()
    assert Patient.objects.count() == job.position == 100


@pytest.mark.django_db
def test_a_job_that_never_gets_on_is_given_up(monkeypatch):
    job = started()

    def broken(*_args):
        raise RuntimeError

    monkeypatch.setattr("mis.actions.jobs.run._run", broken)
    for n in range(5):
        with pytest.raises(RuntimeError):
            actions.run_import(job_id=job.pk, worker="a", clock=lambda n=n: NOW + timedelta(hours=n))
    assert not actions.run_import(job_id=job.pk, worker="a", clock=lambda: NOW + timedelta(hours=9))
    job.refresh_from_db()
    assert job.status == "failed"
    assert job.error


@pytest.mark.django_db
def test_the_tick_takes_up_what_was_left_and_deletes_files_of_thirty_days_ago(settings, monkeypatch):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    job = started()
    monkeypatch.setattr("mis.tasks.run_import.delay", tasks.run_import)
    monkeypatch.setattr("mis.tasks.timezone.now", lambda: NOW + timedelta(days=1))
    assert tasks.resume_imports() == 1
    job.refresh_from_db()
    assert job.status == "done"
    stored = settings.MEDIA_ROOT / "imports" / job.stored_as
    assert stored.exists()
    monkeypatch.setattr("mis.tasks.timezone.now", lambda: NOW + timedelta(days=31))
    tasks.resume_imports()
    assert not stored.exists()
    job.refresh_from_db()
    assert job.stored_as == ""
