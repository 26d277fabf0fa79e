"""What the dashboard's figures cost the database, made from the raw rows and read as they are kept. PostgreSQL.

    DATABASE_URL=postgres://.../clinic_bench python -m benchmarks.dashboard 3000 100000

Milliseconds of SQL of one opening: as a client waits for it, and as the database's process was on a processor (from the
kernel's account, so that other work on the machine counts little). Medians. A database that does not hold so many
patients already is EMPTIED and filled (`benchmarks.facts`), so one whose name does not end in `bench` is refused.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from analytics.models import MetricAnswer  # noqa: E402
from analytics.queries.board import board  # noqa: E402
from analytics.queries.lens import lens_of  # noqa: E402
from analytics.views.kept import figures  # noqa: E402
from benchmarks.facts import fill  # noqa: E402
from patients.models import Patient  # noqa: E402
from staff.access import SYSTEM  # noqa: E402

RUNS = 5
NOW = datetime(2025, 12, 20, 9, tzinfo=UTC)


class Watch:
    """Adds up what statements take. The database must run on this machine."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.account = Path(f"/proc/{cursor.fetchone()[0]}/stat")
        self.began = self.processor()
        self.waited, self.statements = 0.0, 0

    def processor(self) -> float:
        fields = self.account.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __call__(self, execute: Any, *call: Any) -> Any:
        began = perf_counter()
        try:
            return execute(*call)
        finally:
            self.waited += perf_counter() - began
            self.statements += 1


def opening(*, cold: bool) -> tuple[float, float, int]:
    """(SQL ms waited, ms on a processor, statements) of the figures of the dashboard without filters."""
    if cold:
        MetricAnswer.objects.all().delete()
    watch = Watch()
    with connection.execute_wrapper(watch):
        lens = lens_of({}, NOW, SYSTEM)
        figures("dashboard", lens, partial(board, lens))
    return watch.waited * 1e3, (watch.processor() - watch.began) * 1e3, watch.statements


def main(sizes: list[int]) -> None:
    if connection.vendor != "postgresql" or not connection.settings_dict["NAME"].endswith("bench"):
        sys.exit("dashboard: give a PostgreSQL database whose name ends in 'bench': it may be emptied")
    call_command("migrate", verbosity=0)
    for size in sizes:
        if Patient.objects.count() != size:
            fill(size)
        for cold in (True, False):
            if not cold:
                opening(cold=True)
            runs = [opening(cold=cold) for _ in range(RUNS)]
            waited, processor, statements = (median(column) for column in zip(*runs, strict=True))
            print(
                f"{size} patients, {'made anew' if cold else 'kept'}: {statements} statements, {waited:.0f} ms of SQL, "
                f"{processor:.0f} ms on a processor, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [3_000, 100_000])
