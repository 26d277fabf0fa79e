"""The value facts of everybody against the bare aggregate (performance.md "Per-patient facts"). PostgreSQL.

    DATABASE_URL=postgres://.../clinic_bench python -m benchmarks.facts 10000 100000

night = `loyalty.actions.renew_values` from one day to the next, whole = `refresh_values(patients=None)` from raw rows,
B = count, sum, min and max by patient through the covering index. Medians of runs that alternate with B's own; the
ratios; rows that a night changes and patients that it reads anew; the time to refresh and to read one patient; the most
memory that a worker of the database held; the plan of B. Of the visits in the clinic's future each night counts its
day's, so a night here does what the minutes of the day before do in a living clinic.
It EMPTIES the database that it is given, so it refuses one whose name does not end in `bench`.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from loyalty import actions  # noqa: E402
from loyalty.metrics.turn import moved  # noqa: E402
from loyalty.queries import live_scope, live_value  # noqa: E402

NIGHTS, WHOLES = 5, 3
NOW = datetime(2025, 3, 7, 2, tzinfo=UTC)
DAY = timedelta(days=1)
LAST = NOW + NIGHTS * DAY
BARE = """
    SELECT patient_id, COUNT(*), SUM(cost), MIN(day), MAX(day) FROM patients_visit
    WHERE status = 'completed' GROUP BY patient_id"""
# B is the covering index read in order by one process, whatever the planner would take of a small or loose index.
BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0;"
# Visits of a patient: skewed, 10 on average; days over six years; one payment a visit, every 50th refunded.
FILL = [
    "TRUNCATE loyalty_patientvalue, patients_patient, patients_visit, patients_payment, patients_visititem, "
    "staff_doctor, staff_branch, patients_channel, funnel_spend CASCADE",
    "INSERT INTO staff_branch (id, source_id, external_id, name, tz, phone_region, address, phone, is_default) "
    "VALUES (1, 1, 'B', 'B', 'Europe/Moscow', 'RU', '', '', true)",
    "INSERT INTO staff_doctor (id, source_id, external_id, name, speciality, is_active) "
    "SELECT i, 1, 'D' || i, 'D', 'S' || i % 5, true FROM generate_series(1, 20) i",
    "INSERT INTO patients_channel (id, source_id, external_id, name, kind) "
    "SELECT i, 1, 'C' || i, 'C', 'paid' FROM generate_series(1, 6) i",
    "INSERT INTO patients_patient (id, source_id, external_id, created_at, last_name, first_name, middle_name, sex, "
    "email, email_raw, preferred_transport, language, tz, card_number, branch_id, channel_id, natural_churn_reason, "
    "is_test, note, search) SELECT i, 1, 'P' || i, '2020-01-01', 'N', 'N', '', 'f', '', '', '', '', '', '', 1, "
    "1 + i % 6, '', false, '', '' FROM generate_series(1, {n}) i",
    "CREATE TEMP TABLE v AS SELECT row_number() OVER () AS id, p AS patient, '2020-01-01'::timestamptz + "
    "(random() * 2190)::int * interval '1 day' + interval '9 hours' + "
    "(random() * 30000)::int * interval '1 second' AS at"
    " "
    "FROM generate_series(1, {n}) p, LATERAL generate_series(1, 1 + (18 * power(random(), 2) * 1.5 + p * 0)::int) k",
    "INSERT INTO patients_visit (id, source_id, external_id, patient_id, doctor_id, branch_id, status, booked_at, "
    "start_at, end_at, day, cancel_reason, diagnosis, goal, no_next_reason, amount, cost, may_overlap, recorded_at) "
    "SELECT id, 1, 'V' || id, patient, CASE WHEN id % 3 = 0 THEN 1 + id % 20 ELSE 1 + patient % 20 END, 1, "
    "CASE WHEN id % 10 = 0 THEN 'no_show' ELSE 'completed' END, at - interval '3 days', at, "
    "at + interval '30 minutes', "
    "(at AT TIME ZONE 'Europe/Moscow')::date, '', '', '', '', 200000, 80000, true, at FROM v ORDER BY at",
    "INSERT INTO patients_payment (id, source_id, external_id, patient_id, visit_id, kind, method, paid_at, day, "
    "value_day, amount) SELECT id, 1, 'Y' || id, patient, id, 'payment', '', at, "
    "(at AT TIME ZONE 'Europe/Moscow')::date, "
    "(at AT TIME ZONE 'Europe/Moscow')::date, 100000 + id % 300000 FROM v WHERE id % 10 <> 0 ORDER BY at",
    "INSERT INTO patients_payment (id, source_id, external_id, patient_id, visit_id, kind, method, paid_at, day, "
    "value_day, amount, refund_of_id) SELECT id + 1000000000, 1, 'R' || id, patient, id, 'refund', '', "
    "at + interval '9 days', "
    "((at + interval '9 days') AT TIME ZONE 'Europe/Moscow')::date, (at AT TIME ZONE 'Europe/Moscow')::date, 50000, id "
    "FROM v WHERE id % 50 = 1",
    "DROP TABLE v",
]


FILLED = ("patients_patient", "patients_visit", "patients_payment")
INDEXES = """SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisunique AND NOT i.indisexclusion"""


def fill(patients: int) -> None:
    """Keys are not checked and indexes built afterwards: ten million rows one by one take an hour."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica; SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute(INDEXES, [list(FILLED)])
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        for statement in FILL:
            cursor.execute(statement.format(n=patients))
        for _name, definition in indexes:
            cursor.execute(definition)
    with connection.cursor() as cursor:
        for table in FILLED:
            cursor.execute(f"VACUUM ANALYZE {table}")


def seconds(work) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def bare() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{BY_INDEX} SELECT COUNT(*) FROM ({BARE} OFFSET 0) b")


def plan_of_bare() -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{BY_INDEX} EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {BARE}")
        return "\n".join(f"    {line}" for (line,) in cursor.fetchall())


def memory_mb() -> float:
    """The most that our worker of the database has held, MB; 0 where it runs on another machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        status = Path(f"/proc/{cursor.fetchone()[0]}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def whole_runs(size: int) -> tuple[float, float]:
    a, b = [], []
    for _ in range(WHOLES if size <= 100_000 else 1):
        a.append(seconds(lambda: actions.refresh_values(patients=None, now=NOW)))
        b.append(seconds(bare))
    return median(a), median(b)


def night_runs() -> tuple[float, float, int, int]:
    """(night s, B s, patients read anew, rows changed), medians."""
    a, b, read, changed = [], [], [], []
    for night in range(1, NIGHTS + 1):
        now = NOW + night * DAY
        scope = live_scope(now)
        read.append(len(moved(scope, scope.as_of - DAY, now)))
        a.append(seconds(lambda now=now: changed.append(actions.renew_values(now=now))))
        b.append(seconds(bare))
    return median(a), median(b), int(median(read)), int(median(changed))


def main(sizes: list[int]) -> None:
    if connection.vendor != "postgresql" or not connection.settings_dict["NAME"].endswith("bench"):
        sys.exit("facts: give a PostgreSQL database whose name ends in 'bench': it will be emptied")
    call_command("migrate", verbosity=0)
    for size in sizes:
        filling = seconds(lambda size=size: fill(size))
        bare()
        whole, beside_whole = whole_runs(size)
        whole_memory = memory_mb()
        night, beside_night, read, changed = night_runs()
        one = median(seconds(lambda i=i: actions.refresh_values(patients=[i], now=LAST)) for i in range(1, 12))
        live = median(seconds(lambda i=i: live_value(i, LAST)) for i in range(1, 12))
        print(f"{size} patients, filled in {filling:.0f} s")
        print(f"  night {night:.2f} s, B {beside_night:.2f} s, night/B {night / beside_night:.1f}")
        print(f"  of them read anew {read}, rows changed {changed}")
        print(
            f"  whole {whole:.2f} s, B {beside_whole:.2f} s, whole/B {whole / beside_whole:.1f}, {whole_memory:.0f} MB"
        )
        print(f"  one patient: refresh {one * 1e3:.1f} ms, live {live * 1e3:.1f} ms")
        print(plan_of_bare(), flush=True)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [10_000, 100_000])
