"""The drill of outreach: eight worker processes and one beat under fire, while patients opt out and a person stops it all.

A third of the rows advertise; some lack consent, proof or approval. The gateway in another process times out after
accepting, answers 5xx, answers twice, and sends its signed reports twice and out of order to a real web process. Own
PostgreSQL (crashed in the middle) and own Redis (flushed and restarted). `DRILL_MESSAGES`, `DRILL_SEED` as in `test_kill`.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter

import pytest

from tests.drills.cluster import Cluster, binaries
from tests.drills.outreach import Outreach, start
from tests.drills.verdict import COLUMNS, Row, complaints

pytestmark = [pytest.mark.drill, pytest.mark.timeout(5400)]
MESSAGES = int(os.environ.get("DRILL_MESSAGES", "400"))
SEED = int(os.environ.get("DRILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
needs_servers = pytest.mark.skipif(
    binaries() is None or shutil.which("redis-server") is None, reason="needs initdb, pg_ctl and redis-server"
)


def drill(clinic: Outreach, *, messages: int, workers: int, kills: int, pool: tuple[str, ...]) -> None:
    print(f"\noutreach: seed {SEED}, {messages} messages, {workers} workers {' '.join(pool)}, {kills} SIGKILLs")
    start(clinic, messages, workers, pool)
    took, at_half = clinic.run_through(messages=messages, kills=kills, within=240 + messages / 10)
    book = clinic.judge("calls")
    rows = [Row(*row) for row in clinic.rows(f"SELECT {COLUMNS} FROM messaging_message")]
    states = dict(Counter(row.state for row in rows))
    print(f"  {took:.0f} s, {clinic.sigkills} SIGKILLs of {clinic.kills} blows, {states}, {book['answers']}")
    print(f"  accepted {book['accepted']}, {at_half} of them before everything was stopped; then inflight")
    print(f"  and perhaps accepted: {clinic.halted.allowed}; opted out {clinic.stops.opted_out}, of them inflight or")
    print(f"  unknown {clinic.stops.allowed}; reports wholly taken of {len(book['told'])} messages")
    found = complaints(rows=rows, book=book, stops=clinic.stops.after, due=messages)
    assert found == [], f"seed {SEED}: {len(found)} complaints: {found[:10]}"
    assert clinic.sigkills >= kills // 2 and clinic.stops.opted_out and at_half, f"seed {SEED}: nothing was tried"
    assert book["told"], f"seed {SEED}: no report arrived"


@needs_servers
def test_eight_workers_under_fire_lose_double_and_advertise_nothing_unlawful(tmp_path):
    with Cluster() as cluster, Outreach(tmp_path, SEED, cluster=cluster) as clinic:
        long = MESSAGES >= 5000  # eight workers of their own take longer to start than a short drill lasts
        workers, pool = (8, ("--pool", "prefork", "-c", "1")) if long else (2, ("--pool", "prefork", "-c", "4"))
        drill(clinic, messages=MESSAGES, workers=workers, kills=max(5, min(40, MESSAGES // 500)), pool=pool)
        assert cluster.restarts
