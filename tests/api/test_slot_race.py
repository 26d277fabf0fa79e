"""Two web processes, many requests at once for one slot of one doctor: one gets it, the others 409, nobody 5xx."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = 100
SETUP = """
import hashlib
from datetime import UTC, datetime
from staff.models import ApiKey, Branch, Doctor
from patients.models import Patient, Visit
now = datetime.now(UTC)
ApiKey.objects.create(name="race", prefix="race", role="integration", created_at=now,
                      digest=hashlib.sha256(b"race.secret").hexdigest())
branch = Branch.objects.create(name="B", tz="Europe/Moscow", is_default=True)
print(Patient.objects.create(branch=branch, created_at=now).pk, Doctor.objects.create(name="D").pk)
"""
COUNT = "from patients.models import Visit; print(Visit.objects.count())"


@pytest.mark.drill
def test_a_hundred_requests_for_one_slot_make_one_booking(tmp_path):
    with database(tmp_path) as url:
        env = os.environ | {"DATABASE_URL": url, "SECRET_KEY": "x" * 50, "DEBUG": "0", "PUBLIC_URL": "http://127.0.0.1"}
        env.pop("REDIS_URL", None)
        manage(env, "migrate", "-v0")
        manage(env, "createcachetable")
        patient, doctor = map(int, manage(env, "shell", "-v0", "-c", SETUP).split()[-2:])
        with server(env) as port:
            body = {
                "patient": patient,
                "doctor": doctor,
                "start_at": "2030-01-07T10:00:00Z",
                "end_at": "2030-01-07T11:00:00Z",
            }
            with ThreadPoolExecutor(REQUESTS) as pool:
                answers = Counter(pool.map(lambda _n: post(port, body), range(REQUESTS)))
        assert answers == {201: 1, 409: REQUESTS - 1}
        assert manage(env, "shell", "-v0", "-c", COUNT).split()[-1] == "1"


def post(port: int, body: dict[str, Any]) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": "Api-Key race.secret", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/visits/", json.dumps(body), headers)
    status = connection.getresponse().status
    connection.close()
    return status


def manage(env: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *command],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """A database of its own, of the kind that the suite runs on; its URL."""
    kind = settings.DATABASES["default"]
    if "sqlite" in kind["ENGINE"]:
        yield f"sqlite:///{folder / 'race.sqlite3'}"
        return
    import psycopg2

    name = f"slot_race_{os.getpid()}"
    login = {"host": kind["HOST"], "port": kind["PORT"] or 5432, "user": kind["USER"], "password": kind["PASSWORD"]}
    admin = psycopg2.connect(dbname="postgres", **login)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield f"postgres://{login['user']}:{login['password']}@{login['host']}:{login['port']}/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@contextmanager
def server(env: dict[str, str]) -> Iterator[int]:
    """The product under gunicorn with two processes; stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "clinic_crm.wsgi",
        "-w",
        "2",
        "--threads",
        "4",
        "-b",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)
