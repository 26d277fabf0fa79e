"""The kill drill against a provider of the SMSC kind: no keys, only a look-up, and "the same" within its window."""

from __future__ import annotations

import sys

import pytest

from tests.drills.clinic import Clinic
from tests.drills.test_kill import MESSAGES, SEED, SERVER, drill, needs_services

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]


def smsc(clinic: Clinic) -> Clinic:
    """The same clinic with the other provider."""
    words = ["--port", str(clinic.gateway_port), "--seed", str(SEED), "--faults", "0.1", "--window", "1"]
    clinic.gateway_words = [sys.executable, "-m", "tests.drills.smsc", *words, "--latency", "0.005", "0.06"]
    clinic.env["SMS_GATEWAY_URL"] = f"smsc+http://clinic:secret@127.0.0.1:{clinic.gateway_port}/?window=1"
    return clinic


@needs_services
def test_a_provider_that_only_answers_by_phone_and_id_is_enough(tmp_path):
    with smsc(Clinic(tmp_path, SEED + 5, postgresql=SERVER, hooks=False)) as clinic:
        drill(clinic, messages=MESSAGES // 2 if MESSAGES > 2000 else 500, workers=2, kills=6 + MESSAGES // 10_000)


def test_on_the_embedded_broker_and_sqlite_too(tmp_path):
    with smsc(Clinic(tmp_path, SEED + 6, hooks=False)) as clinic:
        drill(clinic, messages=min(MESSAGES, 2000) // 8, workers=2, kills=4)
