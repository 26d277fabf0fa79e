"""Telephony that is asked: a real local server answers, the cursor moves only with what was stored."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from funnel.actions import call_poll
from funnel.actions.telephony import make_line
from funnel.models import Call, CallEvent, Lead, TelephonyLine
from patients.models import WorkItem
from tests import make

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(microsecond=0)


@contextmanager
def provider(answer):
    """`answer(path, body text)` gives (status, body text); what was asked is in the list."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append((self.path, text))
            status, body = answer(self.path, text)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def line_at(url, kind):
    line, _ = make_line(
        code=kind, kind=kind, url=url, token="t", key="k", salt="s", by=make.actor(), now=NOW - timedelta(minutes=5)
    )
    return line


def report(path, _text):
    ended = {"start_time": "2026-03-02 12:00:00", "finish_time": "2026-03-02 12:00:20", "direction": "in",
             "is_lost": True, "talk_duration": 0, "contact_phone_number": "79001112233",
             "virtual_phone_number": "74951234567", "call_records": []}  # fmt: skip
    return 200, json.dumps({"result": {"data": [ended | {"id": n} for n in (1, 2)]}})


def poll():
    return call_poll.poll_lines(now=NOW)


def test_a_report_becomes_calls_once_and_moves_the_cursor():
    with provider(report) as (url, asked):
        line = line_at(url, "uis")
        assert poll() == 2
        assert poll() == 0
    assert len(asked) == 2
    assert (Call.objects.count(), WorkItem.objects.count()) == (2, 1)
    line = TelephonyLine.objects.select_related("source").get(pk=line.pk)
    assert (line.polled_until, line.fault, line.source.last_ok_at) == (NOW, "", NOW)


def test_a_worker_that_dies_after_storing_asks_again_and_doubles_nothing(monkeypatch):
    def die(*args):
        raise KeyboardInterrupt

    with provider(report) as (url, _asked):
        line = line_at(url, "uis")
        before = line.polled_until
        with monkeypatch.context() as broken:
            broken.setattr(call_poll, "_done", die)
            with pytest.raises(KeyboardInterrupt):
                poll()
        assert TelephonyLine.objects.get(pk=line.pk).polled_until == before
        assert poll() == 0
    counts = (Call.objects.count(), CallEvent.objects.count(), Lead.objects.count(), WorkItem.objects.count())
    assert counts == (2, 2, 2, 1)
    assert TelephonyLine.objects.get(pk=line.pk).polled_until == NOW


def test_a_provider_that_refuses_keeps_the_cursor_and_says_why():
    with provider(lambda path, text: (200, '{"error": {"code": -32001}}')) as (url, _asked):
        line = line_at(url, "uis")
        before = line.polled_until
        assert poll() == 0
    line = TelephonyLine.objects.get(pk=line.pk)
    assert line.polled_until == before
    assert "-32001" in line.fault


def test_mango_is_asked_in_one_run_and_fetched_in_the_next():
    at, ready = int(NOW.timestamp()) - 200, []

    def statistics(path, text):
        if path.endswith("/stats/request"):
            return 200, '{"key": "q"}'
        assert json.loads(parse_qs(text)["json"][0]) == {"key": "q"}
        if not ready:
            return 204, ""
        return 200, f"[];{at};{at + 20};0;;79001112233;7;;74951234567;e1;{at}\n"

    with provider(statistics) as (url, asked):
        line = line_at(f"{url}/vpbx", "mango")
        assert [poll(), poll()] == [0, 0]
        ready.append(True)
        assert [poll(), poll()] == [1, 0]
    assert Call.objects.get().outcome == "missed"
    assert TelephonyLine.objects.get(pk=line.pk).polled_until == NOW
    assert asked[0][0] == "/vpbx/stats/request"


def test_a_stopped_line_and_one_that_only_tells_are_not_asked():
    with provider(report) as (url, asked):
        line_at("", "generic")
        TelephonyLine.objects.filter(pk=line_at(url, "uis").pk).update(is_active=False)
        assert poll() == 0
    assert asked == []
