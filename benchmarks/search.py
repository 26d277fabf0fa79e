"""Find and the lists at 10 k, 100 k and 1 M patients (performance.md "Finding and listing"). PostgreSQL.

    DATABASE_URL=postgres://…/x_bench python -m benchmarks.search 10000 100000 1000000

Prints p50 and p95 of the SQL of one question or page, as the client sees it (on a busy machine with the waits for a
processor) and as processor time of the database's process on this machine, and the plans of Find.
Target: search p95 <= 20 ms of SQL at 1 M. It EMPTIES the database that it is given, so its name must end in `_bench`.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

import django
from faker import Faker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from loyalty.actions import refresh_values  # noqa: E402
from loyalty.models import PatientValue  # noqa: E402
from patients.models import Patient  # noqa: E402
from patients.queries.find import find_patients  # noqa: E402
from reception.queries.people import people, write_key  # noqa: E402
from staff.access import SYSTEM  # noqa: E402

ROUNDS, NOW = 60, datetime(2026, 1, 1, tzinfo=UTC)
TAILS = ("ова", "ева", "ина", "ская", "енко", "ян", "ко", "ич", "их", "ая")
# Three of five patients bear one of the common last names, a few of them far more often than the rest; the others one
# of 20 000 rarer ones. First names and patronymics are skewed alike: "Анна" and "Ивановна" fit tens of thousands.
PATIENTS = """
    INSERT INTO patients_patient (id, source_id, external_id, created_at, last_name, first_name, middle_name, sex, email,
        email_raw, preferred_transport, language, tz, card_number, branch_id, natural_churn_reason, is_test, note, search)
    SELECT i, 1, 'P' || i, '2020-01-01', l.name, f.name, m.name, 'f', '', '', '', '', '', (1000000 + i)::text, 1, '',
        false, '', lower(replace(l.name || ' ' || f.name || ' ' || m.name, 'ё', 'е')) || ' 7' || phone || ' '
        || (1000000 + i)
    FROM (SELECT i, (9000000000 + i::bigint * 7919777 % 999999937)::text AS phone,
            CASE WHEN random() < 0.6 THEN floor({common} * power(random(), 3))
            ELSE {common} + floor(20000 * random()) END::int AS l,
            floor({first} * power(random(), 2))::int AS f, floor({middle} * power(random(), 2))::int AS m
        FROM generate_series(1, {n}) i) i
    JOIN bench_names l ON l.kind = 'last' AND l.id = i.l
    JOIN bench_names f ON f.kind = 'first' AND f.id = i.f JOIN bench_names m ON m.kind = 'middle' AND m.id = i.m"""
PHONES = """
    INSERT INTO patients_patientphone (patient_id, number, raw, reverse_digits, position)
    SELECT i, '+7' || phone, '', reverse('7' || phone), 0
    FROM (SELECT i, (9000000000 + i::bigint * 7919777 % 999999937)::text AS phone FROM generate_series(1, {n}) i) i"""


def phone_of(i: int) -> str:
    """Ten digits, as PHONES makes them."""
    return str(9_000_000_000 + i * 7_919_777 % 999_999_937)


def names() -> dict[str, list[str]]:
    """Common names by the fake-data library; 20 000 rarer last names of two syllables and an ending."""
    faker, dice = Faker("ru_RU"), random.Random(1)
    faker.seed_instance(1)
    kinds = {"last": faker.last_name_female, "first": faker.first_name_female, "middle": faker.middle_name_female}
    found = {kind: sorted({make() for _ in range(2000)}) for kind, make in kinds.items()}
    syllables = [a + b + c for a in "бвгдзклмнпрстфхчш" for b in "аеиоу" for c in "влмнрст"]
    rare: set[str] = set()
    while len(rare) < 20_000:
        rare.add((dice.choice(syllables) + dice.choice(syllables) + dice.choice(TAILS)).capitalize())
    for some in found.values():
        dice.shuffle(some)
    return {**found, "rare": sorted(rare)}


def fill(count: int) -> None:
    kinds = names()
    sizes = {"common": len(kinds["last"]), "first": len(kinds["first"]), "middle": len(kinds["middle"])}
    kinds["last"] += kinds.pop("rare")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE patients_patient, staff_branch CASCADE")
        cursor.execute(
            "INSERT INTO staff_branch (id, source_id, external_id, name, tz, phone_region, address, phone, is_default) "
            "VALUES (1, 1, 'B', 'B', 'Europe/Moscow', 'RU', '', '', true)"
        )
        cursor.execute("DROP TABLE IF EXISTS bench_names")
        cursor.execute("CREATE TABLE bench_names (kind text, id int, name text, PRIMARY KEY (kind, id))")
        rows = [(kind, n, name) for kind, some in kinds.items() for n, name in enumerate(some)]
        cursor.executemany("INSERT INTO bench_names VALUES (%s, %s, %s)", rows)
        for statement in (PATIENTS, PHONES):
            cursor.execute(statement.format(n=count, **sizes))
        for table in ("patients_patient", "patients_patientphone"):
            cursor.execute(f"VACUUM ANALYZE {table}")


def values(count: int) -> None:
    """Facts for the list by value: half of the patients brought nothing, so that a page may lie deep among equals."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE loyalty_patientvalue")
    refresh_values(patients=None, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_patientvalue SET revenue = CASE WHEN patient_id % 2 = 0 THEN 0 ELSE patient_id % 9973 END"
        )
        cursor.execute("VACUUM ANALYZE loyalty_patientvalue")


def sql_ms(work: Callable[[], object]) -> tuple[float, list[str]]:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        work()
    return sum(float(q["time"]) for q in seen.captured_queries) * 1000, [q["sql"] for q in seen.captured_queries]


def texts(count: int, dice: random.Random) -> dict[str, list[str]]:
    """What people type, of patients taken at random: ROUNDS of each kind."""
    someone = Patient.objects.only("last_name", "first_name", "middle_name", "card_number")
    people = [someone.get(pk=dice.randint(1, count)) for _round in range(ROUNDS)]
    cut = dice.choices((3, 4, 5, 6), k=ROUNDS)
    pairs = list(zip(people, cut, strict=True))
    return {
        "beginning of a last name": [p.last_name[:n] for p, n in pairs],
        "inside of a last name": [p.last_name[1 : n + 1] for p, n in pairs],
        "first name": [p.first_name for p in people],
        "patronymic, five letters": [p.middle_name[:5] for p in people],
        "last and first name": [f"{p.last_name[:n]} {p.first_name[:n]}" for p, n in pairs],
        "whole name, first name first": [f"{p.first_name} {p.middle_name} {p.last_name}" for p in people],
        "two letters": [p.last_name[:2] for p in people],
        "last four digits": [phone_of(p.pk)[-4:] for p in people],
        "whole number": [f"8 {phone_of(p.pk)}" for p in people],
        "card number": [p.card_number for p in people],
        "nobody": [f"ыъ{p.last_name[:n]}" for p, n in pairs],
    }


def pages(count: int) -> dict[str, Callable[[], object]]:
    """Pages of 50 at nine tenths of the depth, by key and by OFFSET."""
    deep = int(count * 0.9)
    rows = Patient.objects.order_by("last_name", "first_name", "pk")
    at = rows.values_list("last_name", "first_name", "pk")[deep]
    facts = PatientValue.objects.order_by("-revenue", "patient").values_list("revenue", "patient")
    value = facts[int(PatientValue.objects.count() * 0.9)]
    return {
        "patients by name, deep page": lambda: people(by=SYSTEM, after=write_key(at)),
        "patients by value, deep page": lambda: people(by=SYSTEM, order="value", after=write_key(value)),
        "key alone": lambda: list(Patient.objects.filter(pk__gt=deep).order_by("pk").values_list("pk")[:50]),
        "the same by OFFSET": lambda: list(Patient.objects.order_by("pk").values_list("pk")[deep : deep + 50]),
    }


def on_processor(work: Callable[[], object]) -> float:
    """Milliseconds that the database's process was on a processor: what is left of the time on an idle machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        clock = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    begin = int(clock.read_text().split()[0])
    work()
    return (int(clock.read_text().split()[0]) - begin) / 1e6


def line(name: str, works: list[Callable[[], object]]) -> None:
    asked, busy = [sql_ms(work)[0] for work in works], [on_processor(work) for work in works]
    found = [f"{median(some):7.1f} {quantiles(some, n=20)[-1]:7.1f}" for some in (asked, busy)]
    print(f"{name:30} {found[0]}   {found[1]}", flush=True)


def measure(count: int) -> None:
    fill(count)
    values(count)
    print(f"-- {count} patients; ms of SQL as the client sees it: p50, p95; of processor in the database: p50, p95")
    for name, asked in texts(count, random.Random(2)).items():
        line(name, [lambda text=text: find_patients(text=text, by=SYSTEM) for text in asked])
    for name, page in pages(count).items():
        line(name, [page] * 20)


def plans(*asked: str) -> None:
    for text in asked:
        for statement in sql_ms(lambda: find_patients(text=text, by=SYSTEM))[1]:  # noqa: B023 - called at once
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}".replace("%", "%%"), [])
                print(f"-- {text}", *(row[0][:160] for row in cursor.fetchall()), sep="\n")


def main() -> None:
    if not connection.settings_dict["NAME"].endswith("_bench"):
        raise SystemExit("this empties its database: its name must end in _bench")
    call_command("migrate", verbosity=0)
    for count in [int(text) for text in sys.argv[1:]] or [10_000]:
        measure(count)
    plans("Иван", "Марфа", "1234")


if __name__ == "__main__":
    main()
