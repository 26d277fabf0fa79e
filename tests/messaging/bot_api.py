"""A little Bot API on loopback. The chat says how it misbehaves; `calls` keeps what came."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "123:secret-token"
BLOCKED, DEACTIVATED, NO_CHAT, SLOW_DOWN, BROKEN, HTML, LOST, OTHER = 403, 4033, 400, 429, 500, 200, 504, 4000


class BotApi:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict]] = []
        self.times: list[float] = []
        self.lock = threading.Lock()
        self.url = ""

    def said_to(self, chat: int) -> list[str]:
        return [body["text"] for method, body in self.calls if method == "sendMessage" and body["chat_id"] == chat]


def _answer(chat: int, number: int) -> tuple[int, dict]:
    faults = {
        BLOCKED: (403, "Forbidden: bot was blocked by the user"),
        DEACTIVATED: (403, "Forbidden: user is deactivated"),
        NO_CHAT: (400, "Bad Request: chat not found"),
        OTHER: (400, "Bad Request: message text is empty"),
        SLOW_DOWN: (429, "Too Many Requests: retry after 7"),
        BROKEN: (500, "Internal Server Error"),
    }
    if chat in faults:
        code, words = faults[chat]
        more = {"parameters": {"retry_after": 7}} if code == 429 else {}
        return code, {"ok": False, "error_code": code, "description": words, **more}
    return 200, {"ok": True, "result": {"message_id": number, "chat": {"id": chat}}}


@contextmanager
def bot_api():
    api = BotApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            _slash, token, method = self.path.split("/")
            with api.lock:
                api.calls.append((method, body))
                api.times.append(time.monotonic())
                number = len(api.calls)
            if token != f"bot{TOKEN}":
                return self._say(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
            chat = body.get("chat_id", 1)
            if chat == LOST:
                self.close_connection = True
                return self.connection.close()
            if chat == HTML:
                return self._say(200, "<html>proxy</html>")
            return self._say(
                *(_answer(chat, number) if method == "sendMessage" else (200, {"ok": True, "result": True}))
            )

        def _say(self, status: int, body: dict | str) -> None:
            raw = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
