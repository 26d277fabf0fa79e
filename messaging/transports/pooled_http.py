"""A lean pooled HTTP/1.1 client for transports that make one small call a message.

One thread, a few kept connections, one request at a time on each. A general client costs 0.7 to 1 ms of processor time
a call, this one a fifth of it (docs/benchmarks.md, "Sending"). What it says about a call that failed is exact: `sent`
False means that not one byte of the request left. No proxies, redirects, cookies or passwords of the environment.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote, urlsplit

import certifi

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 10.0
CONNECTIONS = 16
LARGEST_ANSWER, LARGEST_HEAD = 64 * 1024, 16 * 1024
STATUS = re.compile(r"HTTP/1\.([01]) (\d{3})(?: |$)")
CHUNK = re.compile(rb"[0-9a-fA-F]{1,8} *(;.*)?$")
BODILESS = frozenset({204, 304})
TOO_LARGE = (b"", b"-")  # the status still says something; the connection cannot be used again


class BadAnswer(Exception):
    """What came back is not HTTP."""


@dataclass(frozen=True)
class Answer:
    """`headers` by lower-case name; `keep`: the connection may serve another request."""

    status: int
    headers: dict[str, str]
    body: bytes
    keep: bool


@dataclass(frozen=True)
class Failure:
    """No answer. `sent`: (part of) the request may have arrived; `kind` is the name of the error."""

    sent: bool
    kind: str


@dataclass(frozen=True)
class Origin:
    """Where requests go. `path` is what the address has before `/v1/…`. Raises ValueError for what is no address."""

    secure: bool
    host: str
    port: int
    path: str
    head: str

    @classmethod
    def of(cls, url: str) -> Origin:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or not url.isprintable():
            raise ValueError("not an address of HTTP")
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        head = f"Host: {parts.netloc.rpartition('@')[2]}\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n"
        if parts.username is not None:
            words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            head += f"Authorization: Basic {base64.b64encode(words.encode()).decode()}\r\n"
        return cls(secure, parts.hostname, port, parts.path.rstrip("/"), head)

    def request(self, method: str, target: str, body: bytes = b"", headers: str = "") -> bytes:
        """The bytes of a request; `headers` are whole lines. The body is JSON."""
        if body:
            headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{method} {self.path}{target} HTTP/1.1\r\n{self.head}{headers}\r\n".encode("ascii") + body


def exchange(
    origin: Origin, requests: Sequence[bytes], late: Callable[[], bool], connections: int = CONNECTIONS
) -> list[Answer | Failure | None]:
    """The answer to each request. None = not tried: `late()` is asked right before each request leaves, in a thread of
    its own (so that it does not matter whether the caller already stands in an event loop)."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _exchange(origin, requests, late, connections)).result()


async def _exchange(
    origin: Origin, requests: Sequence[bytes], late: Callable[[], bool], connections: int
) -> list[Answer | Failure | None]:
    found: list[Answer | Failure | None] = [None] * len(requests)
    calls = iter(enumerate(requests))
    hands = min(connections, len(requests))
    await asyncio.gather(*(_hand(origin, calls, late, found) for _hand_number in range(hands)))
    return found


async def _hand(
    origin: Origin,
    calls: Iterator[tuple[int, bytes]],
    late: Callable[[], bool],
    found: list[Answer | Failure | None],
) -> None:
    """One connection's work: the next request that nobody has taken, until there are none."""
    wire: _Wire | None = None
    for at, request in calls:
        if late():
            continue
        try:
            if wire is None or wire.closed:
                wire = await _connected(origin)
        except (OSError, TimeoutError, UnicodeError) as error:  # UnicodeError: a host name that no DNS can hold
            found[at] = Failure(sent=False, kind=type(error).__name__)
            continue
        if not late():  # connecting took its time
            found[at] = await wire.ask(request)
    if wire is not None:
        wire.close()


async def _connected(origin: Origin) -> _Wire:
    loop, context = asyncio.get_running_loop(), _trusted() if origin.secure else None
    async with asyncio.timeout(CONNECT_SECONDS):
        _transport, wire = await loop.create_connection(_Wire, origin.host, origin.port, ssl=context)
    return wire


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


class _Wire(asyncio.Protocol):
    """One kept connection. Whatever is not the answer to the one open request closes it."""

    def __init__(self) -> None:
        self.data, self.closed = b"", False
        self.waiter: asyncio.Future[Answer | Failure] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.loop = asyncio.get_running_loop()

    async def ask(self, request: bytes) -> Answer | Failure:
        self.data, self.waiter = b"", self.loop.create_future()
        self.transport.write(request)
        timer = self.loop.call_later(ANSWER_SECONDS, self._end, Failure(sent=True, kind="TimeoutError"))
        try:
            return await self.waiter
        finally:
            timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.data += data
        self._look(ended=False)

    def eof_received(self) -> None:
        self.closed = True

    def connection_lost(self, error: Exception | None) -> None:
        self._look(ended=True)
        self._end(Failure(sent=True, kind=type(error or EOFError()).__name__))

    def _look(self, *, ended: bool) -> None:
        try:
            answer = read_answer(self.data, ended=ended)
        except BadAnswer:
            return self._end(Failure(sent=True, kind="BadAnswer"))
        if answer is not None and self.waiter is not None:
            self._settle(answer)
            if not answer.keep:
                self.close()
        elif self.waiter is None:
            self.close()  # nobody asked
        return None

    def _settle(self, what: Answer | Failure) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(what)
        self.waiter = None

    def _end(self, failure: Failure) -> None:
        self._settle(failure)
        self.close()

    def close(self) -> None:
        self.closed = True
        self.transport.abort()  # nothing of ours is on its way: a request is only given up together with its answer


def read_answer(data: bytes, *, ended: bool) -> Answer | None:
    """The answer at the beginning of `data`; None while more must come. `ended`: the other side has closed.

    Interim answers (1xx) are passed over; a body that is too large counts as empty. Raises BadAnswer for what can never
    become an answer.
    """
    code, version = 100, "1"
    while code < 200:
        head, found, data = data.partition(b"\r\n\r\n")
        if not found:
            if len(head) > LARGEST_HEAD or (ended and head):
                raise BadAnswer
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        status = STATUS.match(first)
        if status is None:
            raise BadAnswer
        version, code = status[1], int(status[2])
    headers = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    wish = headers.get("connection", "").lower()
    keep = (wish != "close") if version == "1" else wish == "keep-alive"
    body, rest = (b"", data) if code in BODILESS else _body(headers, data, ended=ended)
    return None if body is None else Answer(code, headers, body, keep and not rest)


def _body(headers: dict[str, str], data: bytes, *, ended: bool) -> tuple[bytes | None, bytes]:
    """(the body, or None while more must come; what follows it). Raises BadAnswer."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body, rest = _dechunked(data)
    elif "content-length" in headers:
        if not headers["content-length"].isdecimal():
            raise BadAnswer
        size = int(headers["content-length"][:12])
        body, rest = (data[:size], data[size:]) if len(data) >= size else (None, b"")
        if size > LARGEST_ANSWER:
            return TOO_LARGE
    else:
        body, rest = (data if ended else None), b""  # until the connection closes
    if len(data) > LARGEST_ANSWER:
        return TOO_LARGE
    if body is None and ended:
        raise BadAnswer
    return body, rest


def _dechunked(data: bytes) -> tuple[bytes | None, bytes]:
    """As `_body`, which is where the size is bounded."""
    body = b""
    while True:
        line, found, data = data.partition(b"\r\n")
        if not found:
            return None, b""
        if not CHUNK.match(line):
            raise BadAnswer
        size = int(line.split(b";")[0], 16)
        if size == 0:  # trailers, then an empty line
            _trailers, found, rest = (b"\r\n" + data).partition(b"\r\n\r\n")
            return (body, rest) if found else (None, b"")
        if len(data) < size + 2:
            return None, b""
        body, data = body + data[:size], data[size + 2 :]
