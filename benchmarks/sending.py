"""Sending: the outbox end to end against the same client without it, and against one Celery task a recipient.

    DATABASE_URL=postgres://… python -m benchmarks.sending [messages]

One worker process each, a real Redis, a gateway in another process that answers at once (`benchmarks.gateway`). Prints
rates and ratios (medians of alternating runs), and what a message costs in processor time of the worker and of its
process in the database. Targets: end to end >= 0.7 of the bare client, >= 20 x one task a recipient.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from functools import partial
from pathlib import Path

from tests.drills.clinic import Clinic, free_port

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
ROUNDS = 5


def busy() -> float:
    """Seconds that this process and its process in the database were on a processor."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        spent = Path(f"/proc/{cursor.fetchone()[0]}/schedstat").read_text().split()[0]
    return time.process_time() + int(spent) / 1e9


def bare(letters: list) -> tuple[float, float]:
    from messaging.transports import transport
    from messaging.transports.base import Deadline

    begin, spent = time.perf_counter(), busy()
    carrier = transport("sms")
    for at in range(0, len(letters), carrier.batch):
        carrier.send(letters[at : at + carrier.batch], Deadline(600))
    return time.perf_counter() - begin, busy() - spent


def outbox(number: int, first: int) -> tuple[float, float]:
    from messaging import actions
    from messaging.queries.clock import database_now
    from tests.drills.fill import fill

    fill(number, first)
    begin, spent = time.perf_counter(), busy()
    turn = 0
    while actions.send_batch(transport="sms", owner=f"bench{first}-{turn}", now=database_now()):
        turn += 1
    return time.perf_counter() - begin, busy() - spent


def one_by_one(number: int, first: int, clinic: Clinic) -> float:
    """Seconds of one worker process for `number` tasks, counted by the rows' own times; all stand in Redis before."""
    from benchmarks.one_task import send_one
    from messaging.models import Message
    from tests.drills.fill import fill

    fill(number, first)
    rows = Message.objects.filter(state="queued")
    for pk in rows.values_list("pk", flat=True):
        send_one.delay(pk)
    words = [sys.executable, "-m", "celery", "-A", "benchmarks.one_task", "worker", "-l", "error", "--pool", "solo"]
    clinic.start("one_task", words)
    while rows.exists():
        time.sleep(0.2)
    clinic.stop("one_task")
    span = Message.objects.order_by("-id")[:number].values_list("sent_at", flat=True)
    return (max(span) - min(span)).total_seconds()


def run(number: int, clinic: Clinic) -> None:
    from messaging.transports.base import Letter

    rates: dict[str, list[float]] = {"bare client": [], "outbox": [], "a task a recipient": []}
    costs: dict[str, list[float]] = {"bare client": [], "outbox": []}
    few = max(200, number // 10)
    for turn in range(ROUNDS):
        first = turn * number * 10
        letters = [Letter(n, 1, f"bare{first + n}", f"+7917{n:07}", "", f"Ждём вас, {n}") for n in range(number)]
        works = {"bare client": partial(bare, letters), "outbox": partial(outbox, number, first)}
        for name, work in works.items():
            seconds, cost = work()
            rates[name].append(number / seconds)
            costs[name].append(1e6 * cost / number)
        rates["a task a recipient"].append(few / one_by_one(few, first + 5 * number, clinic))
    found = {name: statistics.median(values) for name, values in rates.items()}
    for name, rate in found.items():
        print(f"{name:20} {rate:8.0f} messages/s   of the rounds: {' '.join(f'{one:.0f}' for one in rates[name])}")
    print(f"outbox / bare client        {found['outbox'] / found['bare client']:.2f}")
    print(f"outbox / a task a recipient {found['outbox'] / found['a task a recipient']:.1f}")
    spent = {name: statistics.median(values) for name, values in costs.items()}
    print(f"processor, us a message: {spent['bare client']:.0f} bare, {spent['outbox']:.0f} outbox with its database")
    print(f"the same as a ratio         {spent['bare client'] / spent['outbox']:.2f}")


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    place = Path("/tmp") / f"sending-{os.getpid()}"
    place.mkdir()
    with Clinic(place, 1, postgresql=os.environ["DATABASE_URL"], faults=0.0, latency=(0.0, 0.0), hooks=False) as clinic:
        clinic.env |= {"SENDING_BATCH": "500", "SENDING_LEASE_SECONDS": "120"}  # as in production, not as in a drill
        port = free_port()
        clinic.start("lean", [sys.executable, "-m", "benchmarks.gateway", "--port", str(port)])
        clinic.env["SMS_GATEWAY_URL"] = f"http://127.0.0.1:{port}"
        os.environ.update(clinic.env)
        import django

        django.setup()
        run(number, clinic)


if __name__ == "__main__":
    main()
