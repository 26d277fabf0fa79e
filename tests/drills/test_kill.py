"""The kill drill: real workers, SIGKILL at random moments, the broker emptied, connections cut, a gateway at its worst.

What must hold: nothing lost, nothing accepted twice, every message in one final state. `DRILL_MESSAGES` and
`DRILL_SEED` choose a longer or another run; the seed is printed.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.drills.clinic import FINAL, Clinic

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]
MESSAGES = int(os.environ.get("DRILL_MESSAGES", "2000"))
SEED = int(os.environ.get("DRILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
SERVER = os.environ.get("DATABASE_URL", "") if os.environ.get("DATABASE_URL", "").startswith("postgres") else ""
needs_services = pytest.mark.skipif(not SERVER, reason="needs PostgreSQL and redis-server (make test-services)")


def drill(clinic: Clinic, *, messages: int, workers: int, kills: int, pool: tuple[str, ...] = ()) -> None:
    print(f"\ndrill: seed {SEED}, {messages} messages, {workers} workers, {kills} kills")
    clinic.run("-m", "tests.drills.fill", str(messages))
    clinic.start_web()
    clinic.start_workers(workers, pool or (("--pool", "prefork", "-c", "2") if clinic.postgresql else ()))
    took = clinic.shoot_until_done(kills=kills, pause=(0.3, max(1.2, messages / 8000)), within=120 + messages / 20)
    states, found = clinic.states(), clinic.judge()
    print(f"  {took:.0f} s, {clinic.kills} kills, {states}, {found['answers']}")
    assert set(states) <= FINAL, f"seed {SEED}: not every message is in a final state: {states}"
    assert sum(states.values()) == messages
    assert found["twice"] == {} and found["numbers"] == {}, f"seed {SEED}: accepted twice"
    gone = sum(states.get(state, 0) for state in ("sent", "delivered", "undelivered"))
    assert found["accepted"] == gone, f"seed {SEED}: accepted {found['accepted']}, we say {gone}"
    assert states.get("refused", 0) + gone == messages, f"seed {SEED}: {states}"
    still = clinic.rows("SELECT count(*) FROM messaging_message WHERE lease_until IS NOT NULL OR owner <> ''")
    assert still == [(0,)], "something is still leased"


@needs_services
def test_eight_worker_processes_lose_and_double_nothing_where_the_gateway_honours_keys(tmp_path):
    with Clinic(tmp_path, SEED, postgresql=SERVER) as clinic:
        drill(
            clinic, messages=MESSAGES, workers=2, kills=max(12, MESSAGES // 500), pool=("--pool", "prefork", "-c", "4")
        )


@needs_services
def test_a_gateway_that_can_only_be_asked_is_enough(tmp_path):
    with Clinic(tmp_path, SEED + 1, postgresql=SERVER, keys=False) as clinic:
        drill(clinic, messages=MESSAGES // 4, workers=2, kills=6)


def test_the_embedded_broker_and_sqlite_lose_and_double_nothing_either(tmp_path):
    with Clinic(tmp_path, SEED + 2) as clinic:
        drill(clinic, messages=min(MESSAGES, 2000) // 5, workers=2, kills=5)
