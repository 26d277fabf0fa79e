"""A provider of the SMSC kind in a process of its own, written from its public description: /sys/send.php, /sys/status.php
with fmt=3. It knows no keys; the same text to the same phone within `--window` seconds is error 9.

    python -m tests.drills.smsc --port 9001 --seed 1 [--faults 0.1] [--window 60] [--login l --password p]

Misbehaves and judges like `tests.drills.gateway`, of which it borrows the book.
"""

from __future__ import annotations

import argparse
import json
import time
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.drills import gateway

RECENT: dict[tuple[str, str], float] = {}
SENT: dict[tuple[str, str], dict] = {}  # (digits, id) → line of status.php
BUSY = {"now": 0, "most": 0}
WORDS = argparse.Namespace()


class Handler(gateway.Handler):
    def do_POST(self) -> None:
        form = {name: values[-1] for name, values in parse_qs(self.body().decode()).items()}
        with gateway.BOOK.lock:
            BUSY["now"] += 1
            BUSY["most"] = max(BUSY["most"], BUSY["now"])
        try:
            if form.get("fmt") != "3" or (form.get("login"), form.get("psw")) != (WORDS.login, WORDS.password):
                return self.error(2, "authorise error")
            return self.status(form) if urlsplit(self.path).path == "/sys/status.php" else self.message(form)
        finally:
            with gateway.BOOK.lock:
                BUSY["now"] -= 1

    def do_GET(self) -> None:
        return super().do_GET() if urlsplit(self.path).path == "/judge" else self.error(1, "use POST")

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def message(self, form: dict[str, str]) -> None:
        if not form.get("phones") or not form.get("mes") or not form.get("id"):
            return self.error(1, "parameters error")
        time.sleep(gateway.BOOK.pause())
        letter = {"to": form["phones"], "text": form["mes"], "client_id": form["id"]}
        if BUSY["now"] >= 15:
            return self.error(9, "too many concurrent requests")
        with gateway.BOOK.lock:
            same, now = (digits(form["phones"]), form["mes"]), time.monotonic()
            repeated = now - RECENT.get(same, -1e9) < WORDS.window
        if repeated:
            return self.error(9, "duplicate request, wait a minute")
        fate = gateway.BOOK.fate()
        with gateway.BOOK.lock:
            gateway.BOOK.answers[fate] += 1
        return getattr(self, "_" + fate)(letter)

    def taken(self, letter: dict) -> str:
        with gateway.BOOK.lock:
            RECENT[digits(letter["to"]), letter["text"]] = time.monotonic()
            line = {"status": 1, "last_date": "25.11.2026 10:00:00", "last_timestamp": 1795590000, "cost": "2.50"}
            SENT[digits(letter["to"]), letter["client_id"]] = line | {"id": letter["client_id"], "phone": letter["to"]}
        gateway.BOOK.accept(letter)
        return str(letter["client_id"])

    def _ok(self, letter: dict) -> None:
        self.answer(200, {"id": self.taken(letter), "cnt": 1, "cost": "2.50", "balance": "100.00"})

    def _refused(self, letter: dict) -> None:
        if (digits(letter["to"]), letter["client_id"]) in SENT or not letter["to"].endswith(("7", "3")):
            return self._ok(letter)
        return self.error(7, "invalid number", id=letter["client_id"])

    def status(self, form: dict[str, str]) -> None:
        ids, phones = (list(filter(None, form.get(name, "").split(","))) for name in ("id", "phone"))
        if len(ids) != len(phones) or not ids:
            return self.error(1, "parameters error")
        lines = [
            SENT.get((p, id_)) or {"status": -3, "id": id_, "phone": p} for id_, p in zip(ids, phones, strict=True)
        ]
        return self.answer(200, lines if form["id"].endswith(",") else lines[0])

    def error(self, code: int, words: str, **more: str) -> None:
        self.raw(200, json.dumps({"error": words, "error_code": code, **more}).encode())


def digits(phone: str) -> str:
    return phone.lstrip("+")


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--faults", type=float, default=0.0)
    words.add_argument("--window", type=float, default=60.0)
    words.add_argument("--latency", type=float, nargs=2, default=(0.0, 0.0))
    words.add_argument("--login", default="clinic")
    words.add_argument("--password", default="secret")
    words.parse_args(namespace=WORDS)
    gateway.BOOK = gateway.Book(WORDS.seed, False, WORDS.faults, tuple(WORDS.latency))
    ThreadingHTTPServer.request_queue_size = 256
    server = ThreadingHTTPServer(("127.0.0.1", WORDS.port), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
