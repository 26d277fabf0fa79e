"""Mango Office: its signature, its events and its statistics, against a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from funnel.http import mango
from funnel.rules.calls import ANSWERED, IN, MISSED, build_call

KEY, SALT, T = "key", "salt", 1_772_442_000
LINE = f"[r1,r2];{T + 10};{T + 69};{T + 9};;79001112233;8;74951230008;74951234567;E1;{T}"


def step(seq: int, state: str, location: str, extension: str = "") -> str:
    called = {"number": "74951234567", "line_number": "74951234567", "extension": extension}
    caller = {"number": "79001112233"}
    return json.dumps({"entry_id": "E1", "call_id": "C1", "timestamp": T + seq, "seq": seq, "call_state": state,
                       "location": location, "from": caller, "to": called})  # fmt: skip


def summary(talk: int) -> str:
    return json.dumps({"entry_id": "E1", "call_direction": 1, "from": {"number": "79001112233"},
                       "to": {"extension": "8", "number": "74951230008"}, "line_number": "74951234567",
                       "create_time": T, "talk_time": talk, "end_time": T + 69, "entry_result": bool(talk)})  # fmt: skip


def test_only_what_this_account_signed_is_genuine() -> None:
    text = summary(0)
    form = {"vpbx_api_key": KEY, "sign": mango.signature(KEY, text, SALT), "json": text}
    assert mango.is_genuine(form, KEY, SALT)
    assert not mango.is_genuine(form | {"json": text + " "}, KEY, SALT)
    assert not mango.is_genuine(form | {"vpbx_api_key": "other"}, KEY, SALT)
    assert not mango.is_genuine(form, KEY, "other") and not mango.is_genuine({}, "", "")


def test_the_voice_menu_is_nobody_who_answers() -> None:
    menu = mango.said_in("call", step(1, "Connected", "ivr"))
    end = mango.said_in("summary", summary(0))
    assert menu and end
    assert build_call([menu, end]).outcome == MISSED


def test_events_make_an_answered_call() -> None:
    told = [
        mango.said_in("call", step(1, "Appeared", "ivr")),
        mango.said_in("call", step(9, "Connected", "abonent", "8")),
    ]
    call = build_call([said for said in (*told, mango.said_in("summary", summary(T + 9))) if said])
    assert (call.outcome, call.direction, call.extension, call.talk_seconds) == (ANSWERED, IN, "8", 60)
    assert (call.from_number, call.called_number) == ("+79001112233", "+74951234567")
    assert mango.said_in("dtmf", "{}") is None
    with pytest.raises(ValueError, match="entry_id"):
        mango.said_in("summary", "{}")


class _Provider(BaseHTTPRequestHandler):
    waits = 1

    def do_POST(self) -> None:
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        if not mango.is_genuine(form, KEY, SALT):
            return self._say(401, b"")
        if self.path.endswith("/stats/request"):
            return self._say(200, b'{"key": "K1"}')
        type(self).waits -= 1
        return self._say(204, b"") if type(self).waits >= 0 else self._say(200, LINE.encode())

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Silent."""


@pytest.fixture
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/vpbx"
    server.shutdown()
    server.server_close()


def test_statistics_are_asked_for_and_fetched_when_ready(provider: str) -> None:
    first, last = datetime.fromtimestamp(T, UTC), datetime.fromtimestamp(T + 3600, UTC)
    ready = mango.ask_for_calls(provider, KEY, SALT, first, last)
    assert mango.fetch_calls(provider, KEY, SALT, ready) is None
    found = mango.fetch_calls(provider, KEY, SALT, ready)
    assert found is not None
    call = build_call(found)
    assert (call.outcome, call.talk_seconds, call.recording, call.extension) == (ANSWERED, 60, "r1", "8")
    with pytest.raises(mango.NotAnswered):
        mango.ask_for_calls(provider, KEY, "wrong", first, last)
