"""UIS: its notifications by our template, and its report of calls from a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from funnel.http import uis
from funnel.http.mango import NotAnswered
from funnel.rules.calls import ANSWERED, IN, MISSED, build_call

T = 1_772_442_000
ROW = {"id": 77, "start_time": "2026-03-02 12:00:00", "finish_time": "2026-03-02 12:01:09", "direction": "in",
       "is_lost": False, "talk_duration": 60, "contact_phone_number": "79001112233",
       "virtual_phone_number": "74951234567", "call_records": ["abc"], "last_answered_employee_id": 8}  # fmt: skip


def note(event: str, seconds: int, **more: object) -> bytes:
    words = {"event": event, "call_session_id": 77, "notification_timestamp": T + seconds, "direction": "in",
             "contact_phone_number": "79001112233", "virtual_phone_number": "74951234567", **more}  # fmt: skip
    return json.dumps(words).encode()


def test_notifications_make_a_call() -> None:
    told = [
        uis.said_in(note("finished", 69, talk_time_duration=60)),
        uis.said_in(note("incoming", 0)),
        uis.said_in(note("answered", 9, employee_id=8)),
        uis.said_in(note("recorded", 80, file_link="https://r.x/1")),
    ]
    call = build_call(told)
    assert (call.outcome, call.direction, call.extension, call.talk_seconds) == (ANSWERED, IN, "8", 60)
    assert (call.from_number, call.called_number, call.recording) == ("+79001112233", "+74951234567", "https://r.x/1")
    assert build_call([uis.said_in(note("lost", 20))]).outcome == MISSED


@pytest.mark.parametrize(
    "body", [b"[]", b"{", note("whatever", 0), note("lost", 0, call_session_id=""), note("lost", 10**30)]
)
def test_what_is_no_notification_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        uis.said_in(body)


def test_the_secret_of_the_address_is_needed() -> None:
    assert uis.is_genuine("s3", "s3") and not uis.is_genuine("s4", "s3") and not uis.is_genuine("", "")


class _Provider(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = asked["params"]["access_token"] == "token" and asked["params"]["date_from"] == "2026-03-02 12:00:00"
        said = {"result": {"data": [ROW]}} if good else {"error": {"code": -32001, "message": "no"}}
        body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], **said}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Silent."""


@pytest.fixture
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_the_report_is_read_in_the_zone_of_the_account(provider: str) -> None:
    first, last = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC)
    call = build_call(uis.fetch_calls(provider, "token", first, last, tz="Europe/Moscow"))
    assert (call.started_at, call.outcome, call.recording) == (first, ANSWERED, "abc")
    with pytest.raises(NotAnswered, match="-32001"):
        uis.fetch_calls(provider, "wrong", first, last, tz="Europe/Moscow")
