"""New visits with lines and payments through `POST /api/v1/visits/bulk/` against COPY of the same rows.

A = COPY of the same rows into the same three indexed tables, in commits of 1 000 visits (performance.md "REST and
import"). B = the whole HTTP request in process: JSON in, validation, references, COPY, change feed, audit, JSON out.
C = the same batch sent again (nothing changes). Medians of alternating runs. Needs PostgreSQL:

    DATABASE_URL=postgres://… python benchmarks/bulk.py [visits] [patients]

It works in a test database of its own (test_<name>) and leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
os.environ["DEBUG"] = "0"

import django  # noqa: E402

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from staff.models import ApiKey  # noqa: E402

VISITS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
PATIENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
BATCH, RUNS = 5_000, 5
TABLES = ("patients_visit", "patients_visititem", "patients_payment")
KEY = "bench.secret"
CLIENT = Client()
FIRST = datetime(2024, 1, 1, 9, tzinfo=UTC)


def post(resource: str, rows: list[dict[str, Any]]) -> None:
    send(resource, json.dumps({"source": "bench", "rows": rows}))


def send(resource: str, body: str) -> None:
    url = f"/api/v1/{resource}/bulk/"
    answer = CLIENT.generic("POST", url, body, "application/json", headers={"Authorization": f"Api-Key {KEY}"})
    assert answer.status_code == 200, answer.content[:500]
    assert b'"failed":0,' in answer.content[:100], answer.content[:2000]


def text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def visit(n: int) -> dict[str, Any]:
    start = FIRST + timedelta(minutes=15 * random.randrange(60_000))
    paid = {
        "external_id": f"Y{n}",
        "kind": "payment",
        "paid_at": text(start + timedelta(minutes=40)),
        "amount": "3000.00",
    }
    return {
        "external_id": f"V{n}",
        "patient_id": f"P{random.randrange(PATIENTS)}",
        "doctor_id": f"D{n % 50}",
        "booked_at": text(start - timedelta(days=3)),
        "start_at": text(start),
        "end_at": text(start + timedelta(minutes=30)),
        "status": "completed",
        "diagnosis": "N30",
        "items": [
            {"external_id": f"I{n}-{k}", "service_id": f"S{(n + k) % 60}", "amount": "1500.00", "cost": "500.50"}
            for k in range(1 + n % 2)
        ],
        "payments": [paid],
    }


def prepare() -> list[str]:
    """Parents first; the bodies of the requests to be measured."""
    random.seed(1)
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    ApiKey.objects.create(name="bench", prefix="bench", digest=digest, role="integration", created_at=FIRST)
    for start in range(0, PATIENTS, BATCH):
        post("patients", [{"external_id": f"P{n}"} for n in range(start, min(start + BATCH, PATIENTS))])
    post("doctors", [{"external_id": f"D{n}", "name": f"D{n}"} for n in range(50)])
    post("services", [{"external_id": f"S{n}", "name": f"S{n}", "tier": "core"} for n in range(60)])
    rows = [visit(n) for n in range(VISITS)]
    return [json.dumps({"source": "bench", "rows": rows[n : n + BATCH]}) for n in range(0, VISITS, BATCH)]


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")


def bulk(bodies: list[str]) -> float:
    start = time.perf_counter()
    for body in bodies:
        send("visits", body)
    return time.perf_counter() - start


def dumped() -> list[dict[str, str]]:
    """The rows as COPY's own text, in pieces of 1 000 visits."""
    pieces: list[dict[str, str]] = [{} for _ in range(-(-VISITS // 1000))]
    with connection.cursor() as cursor:
        for table in TABLES:
            out = io.StringIO()
            cursor.copy_expert(f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT", out)
            lines = out.getvalue().splitlines(keepends=True)
            size = -(-len(lines) // len(pieces))
            for number, piece in enumerate(pieces):
                piece[table] = "".join(lines[number * size : (number + 1) * size])
    return pieces


def copy(pieces: list[dict[str, str]]) -> float:
    start = time.perf_counter()
    for piece in pieces:
        with transaction.atomic(), connection.cursor() as cursor:
            for table, lines in piece.items():
                cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(lines))
    return time.perf_counter() - start


def measure() -> None:
    bodies = prepare()
    bulk(bodies)
    pieces = dumped()
    copied, sent, again = [], [], []
    for _ in range(RUNS):
        empty()
        copied.append(copy(pieces))
        empty()
        sent.append(bulk(bodies))
        again.append(bulk(bodies))
    a, b, c = (VISITS / statistics.median(times) for times in (copied, sent, again))
    print(f"visits {VISITS}, patients {PATIENTS}")
    print(f"A  COPY of the same rows          {a:10.0f} visits/s")
    print(f"B  POST /visits/bulk/, new        {b:10.0f} visits/s   B/A {b / a:.2f}  (target 0.50)")
    print(f"C  the same batch again           {c:10.0f} visits/s   C/B {c / b:.2f}  (target 1.00)")


def main() -> None:
    if connection.vendor != "postgresql":
        sys.exit("benchmarks need PostgreSQL: set DATABASE_URL")
    setup_test_environment(debug=False)
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        measure()
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main()
