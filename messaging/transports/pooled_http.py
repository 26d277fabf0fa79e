"""HTTP for transports that make one small call a message: many calls at once over a few kept connections.

The library is aiohttp; what stands here is what a message needs beyond it. What is said about a call that failed is
exact: `sent` False means that not one byte of the request left. No call is repeated, and no answer counts for a call that
had not left when it came. No proxies, redirects, cookies or passwords of the environment.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi
from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    encode_basic_auth,
)
from aiohttp.connector import Connection
from yarl import URL

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 10.0
CONNECTIONS = 16
LARGEST_ANSWER = 64 * 1024
NO_LIMITS = ClientTimeout(total=None, sock_connect=None)  # one clock: `_Line.ask`


@dataclass(frozen=True)
class Call:
    """`path` as it stands in the request, after that of the origin. The body is JSON or a form, or there is none."""

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The names in `headers` have no case; `body` is empty where it was too large: the status still says something."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Failure:
    """No answer. `sent`: (part of) the request may have arrived; `kind` is the name of the error."""

    sent: bool
    kind: str


@dataclass(frozen=True)
class Origin:
    """Where calls go. `base` is the address up to `/v1/…`. Raises ValueError for what is no address."""

    base: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, url: str) -> Origin:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or not url.isprintable():
            raise ValueError("not an address of HTTP")
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if parts.username is not None:
            headers["Authorization"] = encode_basic_auth(unquote(parts.username), unquote(parts.password or ""))
        base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        URL(base)  # it, too, must be able to read the address
        return cls(base, headers)


def exchange(
    origin: Origin, calls: Sequence[Call], late: Callable[[], bool], connections: int = CONNECTIONS
) -> list[Answer | Failure | None]:
    """The answer to each call. None = not tried: `late()` is asked right before each call leaves, in a thread of its own
    (so that it does not matter whether the caller already stands in an event loop)."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _exchange(origin, calls, late, connections)).result()


async def _exchange(
    origin: Origin, calls: Sequence[Call], late: Callable[[], bool], connections: int
) -> list[Answer | Failure | None]:
    found: list[Answer | Failure | None] = [None] * len(calls)
    rest = iter(enumerate(calls))
    hands = min(connections, len(calls))
    await asyncio.gather(*(_hand(origin, rest, late, found) for _hand_number in range(hands)))
    return found


async def _hand(
    origin: Origin,
    calls: Iterator[tuple[int, Call]],
    late: Callable[[], bool],
    found: list[Answer | Failure | None],
) -> None:
    """One connection's work: the next call that nobody has taken, until there are none."""
    line = _Line(late)
    async with ClientSession(
        connector=line, cookie_jar=DummyCookieJar(), timeout=NO_LIMITS, skip_auto_headers=("User-Agent",),
        auto_decompress=False, headers=origin.headers,
    ) as session:  # fmt: skip
        for at, call in calls:
            if not late():
                found[at] = await line.ask(session, origin, call)


class _Late(Exception):
    pass


class _Line(TCPConnector):
    """One kept connection, which knows whether the call that it serves has left."""

    def __init__(self, late: Callable[[], bool]) -> None:
        super().__init__(limit=1, ssl=_trusted())
        self.late, self.sent = late, False

    async def ask(self, session: ClientSession, origin: Origin, call: Call) -> Answer | Failure | None:
        self.sent = False
        try:
            async with asyncio.timeout(CONNECT_SECONDS) as self.clock:
                return await _asked(session, origin, call)
        except _Late:
            return None
        except (ClientError, OSError, UnicodeError) as error:  # UnicodeError: a host name that no DNS can hold
            return Failure(self.sent, type(error).__name__)

    async def connect(self, *request: Any, **more: Any) -> Connection:
        """The library asks for a connection and writes at once: here the call leaves."""
        if self.sent:
            raise ClientConnectionError("not twice")  # it would ask anew what got lost on a kept connection
        connection = await self._clean(*request, **more)
        if self.late():  # connecting took its time
            connection.close()
            raise _Late
        self.sent = True
        self.clock.reschedule(asyncio.get_running_loop().time() + ANSWER_SECONDS)
        return connection

    async def _clean(self, *request: Any, **more: Any) -> Connection:
        """aiohttp would give what a server says unasked on a kept connection as the answer to the next call."""
        for _kept_then_new in range(2):
            connection = await super().connect(*request, **more)
            silent = False
            try:
                silent = await _silent(connection)
            finally:
                if not silent:
                    connection.close()
            if silent:
                return connection
        raise ClientConnectionError("speaks before it is asked, or hangs up")


async def _silent(connection: Connection) -> bool:
    for _look_then_read in range(2):  # a turn of the loop sees that something came, the next one reads it
        await asyncio.sleep(0)
    return (
        connection.protocol is not None and connection.protocol.is_connected() and not connection.protocol.should_close
    )


async def _asked(session: ClientSession, origin: Origin, call: Call) -> Answer:
    async with session.request(
        call.method, URL(origin.base + call.path, encoded=True), json=call.json, data=call.form, headers=call.headers,
        allow_redirects=False,
    ) as answer:  # fmt: skip
        return Answer(answer.status, answer.headers, await _body(answer))


async def _body(answer: ClientResponse) -> bytes:
    body = b""
    if (answer.content_length or 0) <= LARGEST_ANSWER:
        async for part in answer.content.iter_any():
            body += part
            if len(body) > LARGEST_ANSWER:
                break
        else:
            return body
    answer.close()
    return b""


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
