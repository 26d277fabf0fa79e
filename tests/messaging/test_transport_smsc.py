"""A provider of the SMSC kind, in a process of its own: what its answers prove, and that nothing goes out twice."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from django.db.models.functions import Now

from messaging import actions
from messaging.models import Message
from messaging.transports import transport
from messaging.transports.base import Deadline, Letter, Result, Verdict
from messaging.transports.smsc import Smsc, is_genuine, report_of
from tests.drills.clinic import free_port
from tests.messaging.outbox import NOON, queued, send, states

LETTER = Letter(1, 1, "a1b2", "+79160000001", "", "Ждём вас в 10:00")


@contextmanager
def provider(*words: str):
    """Yields (setting, judge)."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.drills.smsc", "--port", str(port), *words])

    def judge() -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/judge?seen", timeout=5) as answer:
            return json.loads(answer.read())

    try:
        for _try in range(100):
            try:
                judge()
                break
            except OSError:
                time.sleep(0.05)
        yield f"smsc+http://clinic:secret@127.0.0.1:{port}", judge
    finally:
        process.kill()
        process.wait()


@contextmanager
def answering(status: int, body: bytes):
    """A provider that says one and the same to everything; yields (its address, the forms that it got)."""
    forms: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            forms.append({"path": self.path, **{name: value[-1] for name, value in parse_qs(raw).items()}})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"smsc+http://clinic:p%40ss@127.0.0.1:{server.server_port}", forms
    finally:
        server.shutdown()
        server.server_close()


def said(code: int, words: str = "words") -> bytes:
    return json.dumps({"error": words, "error_code": code, "id": 175}).encode()


ANSWERS = {
    "accepted": (200, b'{"id": "a1b2", "cnt": 2, "cost": "3.5", "balance": "10"}', Result.ACCEPTED, ""),
    "another id": (200, b'{"id": "other", "cnt": 1}', Result.UNKNOWN, "no_answer"),
    "1 parameters": (200, said(1), Result.NOT_ACCEPTED, "busy"),
    "2 login": (200, said(2), Result.NOT_ACCEPTED, "busy"),
    "3 no money": (200, said(3), Result.NOT_ACCEPTED, "busy"),
    "4 IP blocked": (200, said(4), Result.NOT_ACCEPTED, "busy"),
    "5 date": (200, said(5), Result.REFUSED, "gateway"),
    "6 forbidden": (200, said(6), Result.REFUSED, "gateway"),
    "7 bad number": (200, said(7), Result.REFUSED, "gateway"),
    "8 undeliverable": (200, said(8), Result.REFUSED, "blocked"),
    "9 the same": (200, said(9, "duplicate request, wait a minute"), Result.UNKNOWN, "same_text"),
    "9 too many": (200, said(9, "too many concurrent requests"), Result.NOT_ACCEPTED, "busy"),
    "500": (500, b"{}", Result.UNKNOWN, "no_answer"),
    "503": (503, b"later", Result.NOT_ACCEPTED, "busy"),
    "a page": (200, b"<html>", Result.UNKNOWN, "no_answer"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_says_what_it_proves(name):
    status, body, result, reason = ANSWERS[name]
    with answering(status, body) as (url, forms):
        [outcome] = Smsc.from_url(url, "CLINIC").send([LETTER], Deadline(60))
    assert (outcome.result, str(outcome.reason)) == (result, reason)
    assert outcome.cost == (350 if name == "accepted" else None)
    assert forms == [
        {"path": "/sys/send.php", "login": "clinic", "psw": "p@ss", "phones": "+79160000001", "mes": LETTER.text,
         "id": "a1b2", "cost": "3", "sender": "CLINIC", "fmt": "3", "charset": "utf-8"}
    ]  # fmt: skip


def test_who_is_not_there_has_taken_nothing_and_a_key_needs_no_login():
    [outcome] = Smsc.from_url("smsc+http://a:b@127.0.0.1:9", "").send([LETTER], Deadline(60))
    assert outcome.result is Result.NOT_ACCEPTED
    with answering(*ANSWERS["accepted"][:2]) as (url, forms):
        Smsc.from_url(url.replace("clinic:p%40ss", ":key"), "").send([LETTER], Deadline(60))
        Smsc.from_url(url, "").send([LETTER], Deadline(-1))  # too late: no call
    assert len(forms) == 1 and forms[0]["apikey"] == "key" and "login" not in forms[0]


LINES = {-3: (Verdict.NOT_FOUND, ""), -1: (Verdict.FOUND, ""), 0: (Verdict.FOUND, "sent"),
         1: (Verdict.FOUND, "delivered"), 2: (Verdict.FOUND, "delivered"), 3: (Verdict.FOUND, "expired"),
         20: (Verdict.FOUND, "undelivered"), 22: (Verdict.FOUND, "undelivered"), 23: (Verdict.FOUND, "undelivered"),
         24: (Verdict.FOUND, "undelivered"), 25: (Verdict.FOUND, "undelivered")}  # fmt: skip


def test_a_look_up_asks_for_phone_and_id_many_at_once():
    lines = [{"status": status, "id": f"id{status}", "phone": "7", "cost": "1"} for status in LINES]
    asked = {f"id{status}": "+79160000001" for status in LINES} | {"silent": "+79160000002"}
    with answering(200, json.dumps(lines).encode()) as (url, forms):
        found = {one.client_id: (one.verdict, one.status) for one in Smsc.from_url(url, "").look_up(asked)}
    assert found == {f"id{status}": line for status, line in LINES.items()} | {"silent": (Verdict.NO_ANSWER, "")}
    assert len(forms) == 1 and forms[0]["phone"].startswith("79160000001,") and forms[0]["id"].startswith("id-3,id-1,")
    with answering(200, said(2)) as (url, _forms):
        assert Smsc.from_url(url, "").look_up({"x": "+7"})[0].verdict is Verdict.NO_ANSWER
    with answering(200, b'{"status": 1, "last_timestamp": 1}') as (url, _forms):
        assert Smsc.from_url(url, "").look_up({"x": "+7"})[0].verdict is Verdict.FOUND


def test_the_setting_chooses_the_adapter_by_its_scheme(settings):
    settings.SMS_GATEWAY_URL = "smsc+https://login:password@sms.example/?window=5"
    found = transport("sms")
    assert isinstance(found, Smsc) and found.url == "https://sms.example/" and found.settle_seconds == 5
    assert (found.dedupe, Smsc.from_url("smsc+https://a:b@c", "").settle_seconds) == ("lookup", 60)
    settings.SMS_GATEWAY_URL = "gopher://sms.example"
    with pytest.raises(ValueError, match="gopher"):
        transport("sms")


def test_a_callback_is_read_once_a_status_and_only_when_it_is_genuine():
    form = {"id": "a1b2", "phone": "79160000001", "status": "1", "time": "25.11.2026 10:00:00", "ts": "1795590000",
            "sha1": "61ba41ee0f3ee19dc2c6b2d1f4a5ac0f9ba80b65"}  # fmt: skip
    report = report_of(form)
    assert report is not None
    assert (report["client_id"], report["status"]) == ("a1b2", "delivered")
    assert report["occurred_at"] == "2026-11-25T07:00:00+00:00"
    assert report_of(form)["event_id"] == report["event_id"] != report_of(form | {"status": "20"})["event_id"]
    assert report_of(form | {"status": "-1"}) is None  # says nothing new
    assert report_of(form | {"status": "20", "err": "249"})["blocked"]
    for broken in ({}, form | {"status": "77"}, form | {"id": ""}):
        with pytest.raises(ValueError, match="no report"):
            report_of(broken)
    assert not is_genuine(form, "word") and not is_genuine(form, "")
    import hashlib

    form["sha1"] = hashlib.sha1(b"a1b2:79160000001:1:word").hexdigest()
    assert is_genuine(form, "word") and not is_genuine(form | {"status": "20"}, "word")


@pytest.mark.django_db
def test_two_of_a_family_with_one_text_both_get_it_but_not_within_the_minute(settings):
    with provider("--window", "1") as (url, judge):
        settings.SMS_GATEWAY_URL = f"{url}/?window=1"
        rows = [queued(address="+79161112233", text="Ждём вас завтра в 10:00") for _each in range(2)]
        send()
        assert states() == {"sent": 1, "unknown": 1}  # error 9: it has this text already
        assert Message.objects.get(state="unknown").reason == "same_text"
        time.sleep(1.1)
        Message.objects.filter(state="unknown").update(next_check_at=Now())
        actions.reconcile(transport="sms")
        Message.objects.filter(state="queued").update(not_before=NOON)
        send()
        found = judge()
    assert states() == {"sent": 2} and found["twice"] == {} and found["accepted"] == 2
    assert {row.client_id for row in Message.objects.filter(pk__in=[row.pk for row in rows])} == set(found["seen"])
    assert set(Message.objects.values_list("cost", "segments")) == {(250, 1)}  # as the provider said


@pytest.mark.django_db
def test_faults_of_the_provider_lose_and_double_nothing(settings):
    for _each in range(120):
        queued()
    with provider("--faults", "0.4", "--seed", "7", "--window", "0.5") as (url, judge):
        settings.SMS_GATEWAY_URL = f"{url}/?window=0.5"
        for _round in range(30):
            Message.objects.filter(state="queued").update(not_before=NOON)
            send()
            if not Message.objects.filter(state__in=["queued", "unknown"]).exists():
                break
            time.sleep(0.6)
            Message.objects.filter(state="unknown").update(next_check_at=Now())
            actions.reconcile(transport="sms")
        found = judge()
    assert set(states()) <= {"sent", "delivered", "refused"}
    assert found["twice"] == {} and found["numbers"] == {}
    assert found["accepted"] == sum(n for state, n in states().items() if state != "refused")
