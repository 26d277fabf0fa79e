"""Find and the lists at 10 k, 100 k and 1 M patients (performance.md "Finding and listing"). PostgreSQL.

    DATABASE_URL=postgres://…/x_bench python -m benchmarks.search 10000 100000 1000000

Prints p50 and p95 of the SQL of one question, the ratio to an OFFSET page at the same depth, and the plan of Find.
Target: search p95 <= 20 ms of SQL at 1 M. It EMPTIES the database that it is given, so its name must end in `_bench`.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from statistics import median, quantiles

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from demo.clinic.people import People  # noqa: E402
from patients.models import Patient  # noqa: E402
from patients.queries.find import find_patients  # noqa: E402
from staff.access import SYSTEM  # noqa: E402

ROUNDS = 60
NAMES = 400
PATIENTS = """
    INSERT INTO patients_patient (id, source_id, external_id, created_at, last_name, first_name, middle_name, sex, email,
        email_raw, preferred_transport, language, tz, card_number, branch_id, natural_churn_reason, is_test, note, search)
    SELECT i, 1, 'P' || i, '2020-01-01', l.name || (i % 37), f.name, '', 'f', '', '', '', '', '', (10000 + i)::text, 1, '',
        false, '', lower(l.name || (i % 37) || ' ' || f.name) || ' 7900' || lpad((i * 7919 % 10000000)::text, 7, '0')
        || ' ' || (10000 + i)
    FROM generate_series(1, {n}) i
    JOIN bench_names l ON l.id = i % {names} JOIN bench_names f ON f.id = (i * 31 / {names}) % {names}"""
PHONES = """
    INSERT INTO patients_patientphone (patient_id, number, raw, reverse_digits, position)
    SELECT i, '+7900' || lpad((i * 7919 % 10000000)::text, 7, '0'), '',
        reverse('7900' || lpad((i * 7919 % 10000000)::text, 7, '0')), 0 FROM generate_series(1, {n}) i"""


def fill(count: int) -> None:
    people = People(random.Random(1), 1)
    names = [people._names(female=True)[n % 2] for n in range(NAMES)]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE patients_patient, staff_branch CASCADE")
        cursor.execute(
            "INSERT INTO staff_branch (id, source_id, external_id, name, tz, phone_region, address, phone, is_default) "
            "VALUES (1, 1, 'B', 'B', 'Europe/Moscow', 'RU', '', '', true)"
        )
        cursor.execute("DROP TABLE IF EXISTS bench_names")
        cursor.execute("CREATE TABLE bench_names (id int PRIMARY KEY, name text)")
        cursor.executemany("INSERT INTO bench_names VALUES (%s, %s)", list(enumerate(names)))
        for statement in (PATIENTS, PHONES):
            cursor.execute(statement.format(n=count, names=NAMES))
        for table in ("patients_patient", "patients_patientphone"):
            cursor.execute(f"VACUUM ANALYZE {table}")


def sql_ms(work: Callable[[], object]) -> tuple[float, list[str]]:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        work()
    return sum(float(q["time"]) for q in seen.captured_queries) * 1000, [q["sql"] for q in seen.captured_queries]


def questions(count: int, dice: random.Random) -> dict[str, Callable[[], object]]:
    def anybody() -> Patient:
        return Patient.objects.get(pk=dice.randint(1, count))

    def name() -> str:
        return anybody().last_name[:5]

    def phone() -> str:
        return f"{dice.randint(1, count) * 7919 % 10000000:07}"[-4:]

    def page(after: int) -> object:
        return list(Patient.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "last_name")[:50])

    texts = {kind: [make() for _ in range(ROUNDS)] for kind, make in (("name", name), ("phone", phone))}
    deep = int(count * 0.9)
    return {
        "find by a part of a name": lambda: find_patients(text=texts["name"].pop(), by=SYSTEM),
        "find by the last four digits": lambda: find_patients(text=texts["phone"].pop(), by=SYSTEM),
        "keyset page at 90 % of the depth": lambda: page(deep),
        "the same page by OFFSET": lambda: list(
            Patient.objects.order_by("pk").values_list("pk", "last_name")[deep : deep + 50]
        ),
    }


def measure(count: int) -> None:
    fill(count)
    print(f"-- {count} patients")
    found: dict[str, float] = {}
    for name, work in questions(count, random.Random(2)).items():
        times = [sql_ms(work)[0] for _ in range(ROUNDS)]
        found[name] = median(times)
        print(f"{name:36} p50 {median(times):8.2f} ms   p95 {quantiles(times, n=20)[-1]:8.2f} ms")
    print(
        f"OFFSET / keyset: {found['the same page by OFFSET'] / max(found['keyset page at 90 % of the depth'], 0.01):.0f}"
    )


def main() -> None:
    if not connection.settings_dict["NAME"].endswith("_bench"):
        raise SystemExit("this empties its database: its name must end in _bench")
    call_command("migrate", verbosity=0)
    for count in [int(text) for text in sys.argv[1:]] or [10_000]:
        measure(count)
    _time, statements = sql_ms(lambda: find_patients(text="Иванов", by=SYSTEM))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statements[0]}")
        print("\n".join(row[0] for row in cursor.fetchall()))


if __name__ == "__main__":
    main()
