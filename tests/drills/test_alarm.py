"""What managers must know at once leaves within ten seconds of its cause: real processes, no beat, so no tick helps.

The cause happens in one process (a web server, a worker), the mail leaves from another, woken by the commit alone.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from messaging.rules.signature import sign
from tests.drills.clinic import CELERY, Clinic, free_port
from tests.drills.test_kill import SERVER

pytestmark = [pytest.mark.drill, pytest.mark.timeout(400)]
LIMIT = 10  # seconds
DJANGO = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'clinic_crm.settings'; import django; django.setup(); "
BOSS = "from tests import make; make.user('manager', email='boss@example.com'); "
WAKE = DJANGO + "from messaging.tasks import wake; wake('{transport}')"
# An hour ago a patient was asked how yesterday's visit was.
ASKED = (
    "from datetime import timedelta; from messaging.queries.clock import database_now; "
    "from tests.messaging.test_replies import feedback, make; now, hour = database_now(), timedelta(hours=1); "
    "patient = make.patient(phone='+79161234567'); "
    "feedback(patient, make.visit(patient, start=now - 24 * hour), sent=now - hour)"
)


class Inbox:
    """A mail server that notes when what came."""

    def __init__(self) -> None:
        self.mails: list[tuple[float, str, str]] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        subject = str(make_header(decode_header(message_from_bytes(envelope.content)["Subject"])))
        self.mails.append((time.time(), envelope.rcpt_tos[0], subject))
        return "250 OK"

    def first(self) -> tuple[float, str, str]:
        end = time.time() + 3 * LIMIT
        while time.time() < end and not self.mails:
            time.sleep(0.05)
        assert self.mails, "nobody was told"
        return self.mails[0]


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    box, port = Inbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, port
    server.stop()


def clinic_of(place: Path, port: int) -> Clinic:
    clinic = Clinic(place, 1, hooks=False, postgresql=SERVER)
    clinic.env |= {"EMAIL_URL": f"smtp://127.0.0.1:{port}", "PYTHONPATH": "."}
    return clinic


def start_worker(clinic: Clinic) -> None:
    """Without beat. Ready when it has looked for mails."""
    clinic.start("worker0", [*CELERY, "worker", "-l", "error", "-n", "w0@drill", "--pool", "solo"])
    end = time.monotonic() + 120
    while clinic.rows("SELECT count(*) FROM messaging_heartbeat WHERE name = 'sent'") == [(0,)]:
        assert time.monotonic() < end, "the worker does not start"
        clinic.run("-c", WAKE.format(transport="email"))


def test_a_low_score_that_reaches_the_web_server_reaches_the_manager(tmp_path, inbox):
    box, port = inbox
    with clinic_of(tmp_path, port) as clinic:
        clinic.run("-c", DJANGO + BOSS + ASKED)
        clinic.start_web()
        start_worker(clinic)
        web, now = f"http://127.0.0.1:{clinic.web_port}", datetime.now(UTC).isoformat()
        said = {"event_id": "e1", "from": "+79161234567", "to": "CLINIC", "text": "2", "received_at": now}
        _ready(f"{web}/healthz")
        cause = time.time()
        _post(f"{web}/api/v1/hooks/replies/sms/", json.dumps(said).encode())
        at, to, subject = box.first()
    print(f"\nscore: the manager's mail came {at - cause:.1f} s after the answer")
    assert (to, subject, len(box.mails)) == ("boss@example.com", "Пациент недоволен", 1)
    assert at - cause < LIMIT


def test_a_provider_that_fails_is_told_of_by_the_other_transport(tmp_path, inbox):
    box, port = inbox
    with clinic_of(tmp_path, port) as clinic:
        clinic.env["SMS_GATEWAY_URL"] = "http://127.0.0.1:9"  # nobody listens
        clinic.run("-c", DJANGO + BOSS)
        clinic.run("-m", "tests.drills.fill", "40")
        start_worker(clinic)
        cause = time.time()
        clinic.run("-c", WAKE.format(transport="sms"))
        at, to, subject = box.first()
    print(f"\nbreaker: the manager's mail came {at - cause:.1f} s after the first try was asked for")
    assert (to, subject, len(box.mails)) == ("boss@example.com", "СМС: отправка приостановлена", 1)
    assert at - cause < LIMIT


def _ready(url: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30):
                return
        except OSError:
            assert time.monotonic() < end, "the web server does not start"
            time.sleep(0.2)


def _post(url: str, body: bytes) -> None:
    stamp = str(int(time.time()))
    headers = {"X-Timestamp": stamp, "X-Signature": sign("drill", stamp, body), "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        assert answer.status == 200
