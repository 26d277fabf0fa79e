"""An audience into the outbox: one automation that is due for everybody, against a bare INSERT … SELECT (performance.md
"Sending"). PostgreSQL.

    DATABASE_URL=postgres://.../clinic_bench python -m benchmarks.audience 10000 100000

plan = `messaging.actions.plan` (address and transport by wish, price and reach, language, zone, family, once per what; all
indexes, constraints and keys); B = the same number of rows with the same constants into a table of the same columns
without any index. Medians of alternating runs. It EMPTIES the database that it is given.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import F  # noqa: E402

from benchmarks.facts import fill  # noqa: E402
from messaging import actions  # noqa: E402
from messaging.rules.automation import Automation  # noqa: E402
from patients.models import Patient  # noqa: E402

RUNS = 5
NOW = datetime(2025, 3, 7, 9, tzinfo=UTC)
PHONES = """INSERT INTO patients_patientphone (patient_id, number, raw, reverse_digits, position)
    SELECT id, '+79' || lpad(id::text, 9, '0'), '', reverse('79' || lpad(id::text, 9, '0')), 0 FROM patients_patient"""
BARE = """INSERT INTO bare (id, patient_id, expires_at, dedupe_key, tz, language, transport, address, automation, purpose,
        priority, template, state, created_at, not_before, stops_when_booked, variables, subject, text, reason, detail,
        owner, provider_id, basis, attempt, checks, segments, cost)
    SELECT id, id, %s, 'bench:' || id, 'Europe/Moscow', 'ru', 'sms', '+79' || lpad(id::text, 9, '0'), 'bench', 'service',
        20, 'visit_reminder', 'queued', %s, %s, false, '{}', '', '', '', '', '', '', '', 0, 0, 0, 0 FROM patients_patient"""
EVERYBODY = Automation(
    code="bench", name="", explains="", purpose="service", template="visit_reminder", about_time=False,
    who=lambda now: Patient.objects.all(), until=timedelta(days=1), once_per=(F("pk"),),
)  # fmt: skip


def bare() -> float:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare; CREATE TABLE bare (LIKE messaging_message)")
        began = perf_counter()
        cursor.execute(BARE, [NOW, NOW, NOW])
        return perf_counter() - began


def planned(people: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE messaging_message CASCADE")
    began = perf_counter()
    assert actions.plan(automation=EVERYBODY, now=NOW) == people
    return perf_counter() - began


def run(people: int) -> None:
    fill(people)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE patients_patientphone")
        cursor.execute(PHONES)
        cursor.execute("VACUUM ANALYZE patients_patientphone")
    pairs = [(bare(), planned(people)) for _run in range(RUNS)]
    base, plan = (median(column) for column in zip(*pairs, strict=True))
    ratios = " ".join(f"{b / a:.1f}" for a, b in pairs)
    print(f"{people} patients: bare {base:.2f} s, plan {plan:.2f} s, plan/B {plan / base:.1f}  of the runs: {ratios}")


def main() -> None:
    if not str(connection.settings_dict["NAME"]).endswith("bench"):
        sys.exit("The database is emptied: its name must end in bench.")
    call_command("migrate", verbosity=0)
    for word in sys.argv[1:]:
        run(int(word))


if __name__ == "__main__":
    main()
