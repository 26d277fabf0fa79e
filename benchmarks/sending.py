"""Sending: the outbox end to end against the same client without it, and against one Celery-like task a recipient.

    DATABASE_URL=postgres://… python -m benchmarks.sending [messages]

One worker process, a gateway in another that answers at once. Prints rates and ratios (medians of alternating runs).
Targets of the product: end to end >= 0.7 of the bare client, >= 20 x one task a recipient where the gateway is not the
limit; here the HTTP client is, so the second ratio is only reported.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
ROUNDS = 3


def bare(letters: list) -> float:
    from messaging.transports import transport
    from messaging.transports.base import Deadline

    begin = time.perf_counter()
    carrier = transport("sms")
    for at in range(0, len(letters), carrier.batch):
        carrier.send(letters[at : at + carrier.batch], Deadline(600))
    return time.perf_counter() - begin


def outbox(number: int, first: int) -> float:
    from messaging import actions
    from messaging.queries.clock import database_now
    from tests.drills.fill import fill

    fill(number, first)
    begin = time.perf_counter()
    turn = 0
    while actions.send_batch(transport="sms", owner=f"bench{first}-{turn}", now=database_now()):
        turn += 1
    return time.perf_counter() - begin


def one_by_one(number: int, first: int) -> float:
    """What a task a recipient does: read, POST, update; the cost of the broker is not even counted."""
    from messaging.models import Message
    from messaging.queries.clock import database_now
    from messaging.transports import transport
    from messaging.transports.base import Deadline, Letter
    from tests.drills.fill import fill

    fill(number, first)
    ids = list(Message.objects.filter(state="queued").values_list("pk", flat=True))
    carrier = transport("sms")
    begin = time.perf_counter()
    for pk in ids:
        row = Message.objects.get(pk=pk)
        carrier.send([Letter(row.pk, 1, f"task{row.pk}", row.address, "", row.text)], Deadline(60))
        row.state, row.sent_at = "sent", database_now()
        row.save()
    return time.perf_counter() - begin


def run(number: int) -> None:
    from messaging.transports.base import Letter

    rates: dict[str, list[float]] = {"bare client": [], "outbox": [], "a task a recipient": []}
    for turn in range(ROUNDS):
        first = turn * number * 10
        letters = [Letter(n, 1, f"bare{first + n}", f"+7917{n:07}", "", f"Ждём вас, {n}") for n in range(number)]
        rates["bare client"].append(number / bare(letters))
        rates["outbox"].append(number / outbox(number, first))
        few = max(100, number // 20)
        rates["a task a recipient"].append(few / one_by_one(few, first + 5 * number))
    found = {name: statistics.median(values) for name, values in rates.items()}
    for name, rate in found.items():
        print(f"{name:20} {rate:8.0f} messages/s")
    print(f"outbox / bare client        {found['outbox'] / found['bare client']:.2f}")
    print(f"outbox / a task a recipient {found['outbox'] / found['a task a recipient']:.1f}")


def main() -> None:
    from tests.drills.clinic import Clinic

    number = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    place = Path("/tmp") / f"sending-{os.getpid()}"
    place.mkdir()
    with Clinic(place, 1, postgresql=os.environ["DATABASE_URL"], faults=0.0, latency=(0.0, 0.0), hooks=False) as clinic:
        os.environ.update(clinic.env | {"SENDING_BATCH": "500", "SENDING_LEASE_SECONDS": "120"})
        import django

        django.setup()
        run(number)


if __name__ == "__main__":
    main()
