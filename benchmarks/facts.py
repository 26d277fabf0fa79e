"""The nightly rebuild of value facts against the bare aggregate (performance.md "Per-patient facts"). PostgreSQL.

    DATABASE_URL=postgres://.../clinic_bench python -m benchmarks.facts 10000 100000

A = `loyalty.actions.refresh_values(patients=None)`, B = count, sum, min and max by patient through the covering index.
Prints medians of three alternating runs, A/B, the time to refresh and to read one patient, and the plan of B.
It EMPTIES the database that it is given, so it refuses
one whose name does not end in `bench`.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from loyalty.actions import refresh_values  # noqa: E402
from loyalty.queries import live_value  # noqa: E402

RUNS = 3
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
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


def fill(patients: int) -> None:
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement.format(n=patients))
        for table in ("patients_patient", "patients_visit", "patients_payment"):
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


def main(sizes: list[int]) -> None:
    if connection.vendor != "postgresql" or not connection.settings_dict["NAME"].endswith("bench"):
        sys.exit("facts: give a PostgreSQL database whose name ends in 'bench': it will be emptied")
    call_command("migrate", verbosity=0)
    print(f"{'patients':>10} {'A rebuild s':>12} {'B bare s':>10} {'A/B':>6} {'one ms':>8} {'live ms':>8}")
    for size in sizes:
        fill(size)
        bare()
        a, b = [], []
        for _ in range(RUNS):
            a.append(seconds(lambda: refresh_values(patients=None, now=NOW)))
            b.append(seconds(bare))
        one = median(seconds(lambda i=i: refresh_values(patients=[i], now=NOW)) for i in range(1, 12))
        live = median(seconds(lambda i=i: live_value(i, NOW)) for i in range(1, 12))
        ratio = median(a) / median(b)
        print(f"{size:>10} {median(a):>12.2f} {median(b):>10.2f} {ratio:>6.1f} {one * 1e3:>8.1f} {live * 1e3:>8.1f}")
        print(plan_of_bare(), flush=True)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [10_000, 100_000])
