"""A server that says exactly what a test gives it, and what a test asks of the client."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress

from messaging.transports.pooled_http import Answer, Call

CREATED = b'HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{"id": "g"}'
EMPTY = b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n"
CLOSE = b""  # close without a word
OTHER = CREATED.replace(b'"g"', b'"x"')
KINDS = [Call("POST", "/v1/messages", json={"n": 1}), Call("GET", "/v1/messages")]
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

Says = bytes | Callable[[socket.socket], None]


def never() -> bool:
    return False


def said(answers) -> list:
    """Of each: the body of an answer, or whether the call may have left; None = not tried."""
    return [one.body if isinstance(one, Answer) else one and one.sent for one in answers]


def bodies(*texts: bytes) -> list[bytes]:
    return [text.partition(b"\r\n\r\n")[2] for text in texts]


def request_of(link: socket.socket) -> bytes:
    """One whole request; b"" when there is no other."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := link.recv(65536)):
            return b""
        data += more
    head, _gap, body = data.partition(b"\r\n\r\n")
    size = LENGTH.search(head)
    while size and len(body) < int(size[1]):
        if not (more := link.recv(65536)):
            return b""
        body, data = body + more, data + more
    return data


def ends(said: Says) -> bool:
    """Nothing may follow on the same connection."""
    return isinstance(said, bytes) and (said == CLOSE or (b"Content-Length" not in said and b"chunked" not in said))


@contextmanager
def server(*says: Says, hold: bool = False, tls: ssl.SSLContext | None = None):
    """One connection after another; a request a line of `says`, bytes or a function that gets the connection. Yields
    (address, the requests as they came). `hold`: nothing is closed before the end."""
    came: list[bytes] = []
    held: list[socket.socket] = []
    words = list(says)

    def talk(link: socket.socket) -> None:
        while words and (data := request_of(link)):
            came.append(data)
            said = words.pop(0)
            if callable(said):
                said(link)
            else:
                link.sendall(said)
            if not hold and ends(said):
                break
        if not hold:
            link.close()

    def serve() -> None:
        with suppress(OSError):  # the end of the test
            while words:
                link, _address = door.accept()
                with suppress(OSError):  # the client hung up, or a function did
                    link = tls.wrap_socket(link, server_side=True) if tls else link
                    held.append(link)
                    talk(link)

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, daemon=True).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{door.getsockname()[1]}", came
    for link in held:
        link.close()
