"""Folder import against plain COPY of the same rows into the same tables (performance.md "REST and import").

    DATABASE_URL=postgres://… python -m benchmarks.folder --patients 10000

A: rows/s of `import_folder` into an empty database. B: rows/s of COPY of the very rows that A stored, into the same
tables with all their indexes and constraints, in one transaction a table. Target: A/B >= 0.5, memory flat.
The database named in DATABASE_URL is emptied.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import islice
from pathlib import Path
from random import Random

import django

TABLES = {
    "channels": ("patients_channel",),
    "doctors": ("staff_doctor",),
    "services": ("patients_service",),
    "patients": ("patients_patient", "patients_patientphone"),
    "appointments": ("patients_visit",),
    "items": ("patients_visititem",),
    "payments": ("patients_payment",),
}
COPY_ROWS = 5000


def generate(folder: Path, patients: int, seed: int = 1) -> dict[str, int]:
    """A clinic of `patients` persons with four visits each, written row by row. Returns rows by file."""
    rng, start = Random(seed), datetime(2020, 1, 9, 6, tzinfo=UTC)
    writers, files, counts = {}, [], {}

    def table(name: str, *columns: str) -> None:
        file = (folder / f"{name}.csv").open("w", encoding="utf-8", newline="")
        files.append(file)
        writers[name] = csv.writer(file)
        writers[name].writerow(columns)
        counts[name] = 0

    def add(name: str, *cells: object) -> None:
        writers[name].writerow(cells)
        counts[name] += 1

    table("channels", "channel_id", "name", "kind")
    table("doctors", "doctor_id", "name", "specialty")
    table("services", "service_id", "name", "tier")
    table("patients", "patient_id", "created_at", "channel_id", "birth_date", "sex", "referrer_id", "merged_into",
          "last_name", "first_name", "phones")  # fmt: skip
    table("appointments", "appointment_id", "patient_id", "doctor_id", "booked_at", "start_at", "end_at", "status",
          "cancelled_at", "diagnosis", "recommended_return_date")  # fmt: skip
    table("items", "item_id", "appointment_id", "service_id", "amount", "cost")
    table("payments", "payment_id", "patient_id", "appointment_id", "kind", "paid_at", "amount", "refund_of")
    (folder / "clinic.json").write_text('{"tz": "Europe/Moscow", "currency": "RUB"}')
    for n in range(6):
        add("channels", f"C{n}", f"Channel {n}", "paid")
        add("doctors", f"D{n}", f"Doctor {n}", "cardiology")
        add("services", f"S{n}", f"Service {n}", "core")
    iso = "%Y-%m-%dT%H:%M:%SZ"
    visit = 0
    for n in range(patients):
        at = start + timedelta(minutes=rng.randrange(2_000_000))
        merged = f"P{rng.randrange(n):07d}" if n > 100 and rng.random() < 0.03 else ""
        add("patients", f"P{n:07d}", at.strftime(iso), f"C{n % 6}", f"19{n % 90 + 10}-0{n % 9 + 1}-11", "fm"[n % 2],
            f"P{(n + rng.randrange(1, patients)) % patients:07d}" if n % 10 == 0 else "", merged, f"Фамилия{n}", "Имя",
            f"+79{n:09d}")  # fmt: skip
        for k in range(4):
            begin = at + timedelta(days=30 * k, minutes=rng.randrange(300))
            key, done = f"A{visit:08d}", rng.random() < 0.85
            add("appointments", key, f"P{n:07d}", f"D{rng.randrange(6)}", (begin - timedelta(days=3)).strftime(iso),
                begin.strftime(iso), (begin + timedelta(minutes=30)).strftime(iso),
                "completed" if done else "no_show", "", "I10" if done else "", "")  # fmt: skip
            visit += 1
            if done:
                amount = f"{rng.randrange(500, 9000)}.50"
                add("items", f"I{visit:08d}", key, f"S{rng.randrange(6)}", amount, "300.00")
                add("payments", f"Y{visit:08d}", f"P{n:07d}", key, "payment", begin.strftime(iso), amount, "")
    for file in files:
        file.close()
    return counts


def copied(table: str) -> float:
    """Seconds that COPY needs for all rows of the table, taken out first; they are back afterwards."""
    from django.db import connection, transaction

    with connection.cursor() as cursor, tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        cursor.copy_expert(f"COPY {table} TO STDOUT", file)
        cursor.execute(f"TRUNCATE {table} CASCADE")
        file.seek(0)
        began = time.perf_counter()
        with transaction.atomic():  # one commit: rows may point at later ones
            while lines := list(islice(file, COPY_ROWS)):
                cursor.copy_expert(f"COPY {table} FROM STDIN", StringIO("".join(lines)))
        return time.perf_counter() - began


def measure_import(folder: Path) -> dict[str, float]:
    from mis import actions
    from staff.access import SYSTEM

    seconds: dict[str, float] = {}
    last = [time.perf_counter()]

    def seen(progress) -> None:
        if progress.finished:
            now = time.perf_counter()
            seconds[progress.file], last[0] = now - last[0], now

    began = time.perf_counter()
    actions.import_folder(
        folder=folder, source_code="bench", by=SYSTEM, now=datetime.now(UTC), rejected=print, progress=seen
    )
    seconds["all"] = time.perf_counter() - began
    return seconds


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--patients", type=int, default=10_000)
    patients = options.parse_args().patients
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor != "postgresql":
        sys.exit("DATABASE_URL must name a PostgreSQL database: it will be emptied")
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts = generate(folder, patients)
        with connection.cursor() as cursor:
            tables = "staff_doctor, staff_branch, staff_change, patients_channel, patients_patient, patients_service"
            cursor.execute(f"TRUNCATE {tables}, mis_waitingrow CASCADE")
            cursor.execute("DELETE FROM staff_source WHERE code = 'bench'")
        seconds = measure_import(folder)
        again = measure_import(folder)["all"]
        plain = dict.fromkeys(TABLES, 0.0)
        # Children go with their parents when a table is emptied, so parents are measured last.
        for file, tables in reversed(TABLES.items()):
            plain[file] = sum(copied(table) for table in tables)
    print(f"{'file':14}{'rows':>9}{'A rows/s':>10}{'B rows/s':>10}{'A/B':>6}")
    for file, rows in counts.items():
        a, b = rows / seconds[file], rows / max(plain[file], 1e-9)
        print(f"{file:14}{rows:>9}{a:>10.0f}{b:>10.0f}{a / b:>6.2f}")
    rows, b = sum(counts.values()), sum(plain.values())
    print(f"{'all':14}{rows:>9}{rows / seconds['all']:>10.0f}{rows / b:>10.0f}{b / seconds['all']:>6.2f}")
    print(f"unchanged again: {rows / again:.0f} rows/s ({seconds['all'] / again:.2f} x the first time)")
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
