"""An SMS gateway in a process of its own: it speaks the contract, misbehaves on purpose, and is the judge of a drill.

    python -m tests.drills.gateway --port 9001 --seed 1 [--no-keys] [--faults 0.1] [--hook URL --secret S]

`GET /judge` answers what it really accepted: per client_id and per number; `/judge?calls` also when, and what its reports
told of each (`told`, once every one of them was taken). Honest: with keys on, a repeated
Idempotency-Key gets the first answer again. With `--no-keys` every POST is an acceptance of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import random
import socket
import threading
import time
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Book:
    """What was accepted. One lock: an honest provider does not race with itself."""

    def __init__(self, seed: int, keys: bool, faults: float, latency: tuple[float, float]) -> None:
        self.lock, self.random = threading.Lock(), random.Random(seed)
        self.keys, self.faults, self.latency = keys, faults, latency
        self.accepted: dict[str, str] = {}  # client_id -> id
        self.times: Counter[str] = Counter()  # client_id -> acceptances
        self.numbers: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.seen: dict[str, dict] = {}
        self.calls: dict[str, dict] = {}  # number -> when it was first accepted, under which id
        self.told: dict[str, str] = {}  # number -> the final status, once all its reports were taken
        self.reports: list[dict] = []

    def accept(self, body: dict) -> str:
        with self.lock:
            client_id = body["client_id"]
            if not (self.keys and client_id in self.accepted):
                self.accepted[client_id] = f"g{len(self.accepted)}-{client_id[:6]}"
                self.times[client_id] += 1
                self.numbers[body["to"]] += 1
                self.seen[client_id] = body
                self.calls.setdefault(body["to"], {"at": time.time(), "id": self.accepted[client_id]})
            return self.accepted[client_id]

    def fate(self) -> str:
        """What happens to this request; `ok` most of the time."""
        with self.lock:
            if self.random.random() >= self.faults:
                return "ok"
            return self.random.choice(FAULTS)

    def pause(self) -> float:
        with self.lock:
            return self.random.uniform(*self.latency)


BOOK: Book
FAULTS = ["500_before", "500_after", "503", "429", "reset_before", "reset_after", "html", "garbage", "refused"]
WORSE = [*FAULTS * 3, "twice", "twice", "twice", "timeout_after"]  # a timeout holds its connection for 12 s


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("Idempotency-Key") != body["client_id"] or not body["to"] or not body["text"]:
            return self.answer(400, {"error": "contract broken"})
        time.sleep(BOOK.pause())
        fate = BOOK.fate()
        if str(body["to"]).startswith("+7999"):
            fate = "blocked"
        with BOOK.lock:
            BOOK.answers[fate] += 1
        return getattr(self, "_" + fate)(body)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/judge":
            twice = {key: n for key, n in BOOK.times.items() if n > 1}
            numbers = {key: n for key, n in BOOK.numbers.items() if n > 1}
            facts = {"accepted": len(BOOK.accepted), "twice": twice, "numbers": numbers, "answers": dict(BOOK.answers)}
            with BOOK.lock:
                facts |= {"calls": dict(BOOK.calls), "told": dict(BOOK.told)} if url.query == "calls" else {}
            return self.answer(200, facts | {"seen": BOOK.seen if url.query == "seen" else len(BOOK.seen)})
        client_id = parse_qs(url.query).get("client_id", [""])[0]
        found = BOOK.accepted.get(client_id)
        return self.answer(200, {"id": found, "status": "sent"}) if found else self.answer(404, {"error": "unknown"})

    def _ok(self, body: dict) -> None:
        self.answer(201, {"id": self.taken(body), "status": "sent"})

    def _twice(self, body: dict) -> None:
        """Two answers to one request, at once on one kept connection: the second must not count for the next request."""
        text = json.dumps({"id": self.taken(body), "status": "sent"}).encode()
        answer = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
        try:
            self.wfile.write(answer * 2)
        except OSError:
            self.close_connection = True

    def _500_before(self, body: dict) -> None:
        self.answer(500, {"error": "oops"})

    def _500_after(self, body: dict) -> None:
        self.taken(body)
        self.answer(500, {"error": "oops"})

    def _503(self, body: dict) -> None:
        self.answer(503, {"error": "later"})

    def _429(self, body: dict) -> None:
        self.answer(429, {"error": "slow down"}, {"Retry-After": "1"})

    def _reset_before(self, body: dict) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _reset_after(self, body: dict) -> None:
        self.taken(body)
        self._reset_before(body)

    def _timeout_after(self, body: dict) -> None:
        self.taken(body)
        time.sleep(12)
        self._reset_before(body)

    def _html(self, body: dict) -> None:
        self.taken(body)
        self.raw(200, b"<html>welcome to the hotel network</html>")

    def _garbage(self, body: dict) -> None:
        self.taken(body)
        self.raw(200, b'{"id": ')

    def _refused(self, body: dict) -> None:
        """A number that does not exist is refused every time: fate follows the number, not the dice."""
        if BOOK.accepted.get(body["client_id"]) or not str(body["to"]).endswith(("7", "3")):
            return self._ok(body)
        return self.answer(422, {"error": "no such number", "error_code": 3})

    def _blocked(self, body: dict) -> None:
        self.answer(422, {"error": "blocked by the subscriber", "error_code": 8})

    def taken(self, body: dict) -> str:
        provider_id = BOOK.accept(body)
        if HOOK:
            with BOOK.lock:
                facts = {"id": provider_id, "client_id": body["client_id"], "to": body["to"]}
                BOOK.reports.append(facts | {"at": datetime.now(UTC)})
        return provider_id

    def answer(self, status: int, body: dict, headers: dict[str, str] | None = None) -> None:
        self.raw(status, json.dumps(body).encode(), headers)

    def raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the worker was killed while waiting

    def log_message(self, *args: object) -> None:
        pass


HOOK, SECRET = "", ""


def report(facts: dict, status: str, at: datetime, event: str) -> None:
    said = {name: facts[name] for name in ("id", "client_id", "to")}
    body = json.dumps(said | {"event_id": event, "status": status, "occurred_at": at.isoformat()}).encode()
    stamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"X-Timestamp": stamp, "X-Signature": signature, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(HOOK, body, headers), timeout=10) as answer:
        answer.read()


def story(facts: dict) -> list[tuple[dict, str, datetime, str]]:
    """Numbers that end with 9 are never reached, with 5 only after a failure that was reported too early."""
    first, digit = facts["at"], str(facts["to"])[-1]
    told = ["sent", *{"9": ["undelivered"], "5": ["undelivered", "delivered"]}.get(digit, ["delivered"])]
    lines = [(facts, status, first + timedelta(seconds=n), f"{facts['id']}{n}") for n, status in enumerate(told)]
    return lines + lines[1:]


def reporter() -> None:
    """Delivery reports, doubled and out of order; tried again while the web server is away."""
    while True:
        time.sleep(0.2)
        with BOOK.lock:
            batch, BOOK.reports = BOOK.reports[:200], BOOK.reports[200:]
        lines = [line for facts in batch for line in story(facts)]
        BOOK.random.shuffle(lines)
        failed: dict[str, dict] = {}
        for line in lines:
            try:
                report(*line)
            except OSError:
                failed[line[0]["id"]] = line[0]
        with BOOK.lock:
            BOOK.reports += failed.values()
            for facts in batch:
                if facts["id"] not in failed:
                    BOOK.told[facts["to"]] = "undelivered" if str(facts["to"]).endswith("9") else "delivered"


def main() -> None:
    global BOOK, HOOK, SECRET  # noqa: PLW0603
    words = argparse.ArgumentParser()
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--no-keys", action="store_true")
    words.add_argument("--faults", type=float, default=0.0)
    words.add_argument("--latency", type=float, nargs=2, default=(0.0, 0.0))
    words.add_argument("--hook", default="")
    words.add_argument("--secret", default="")
    words.add_argument("--worse", action="store_true", help="answers twice and times out, too")
    given = words.parse_args()
    BOOK = Book(given.seed, not given.no_keys, given.faults, tuple(given.latency))
    HOOK, SECRET = given.hook, given.secret
    if given.worse:
        FAULTS[:] = WORSE
    if HOOK:
        threading.Thread(target=reporter, daemon=True).start()
    ThreadingHTTPServer.request_queue_size = 256
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
