"""The connections of the pooled client: what is kept, what is cut off, what is trusted, and that nothing leaves twice."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress

import pytest

from messaging.transports import pooled_http
from messaging.transports.pooled_http import Call, Failure, Origin, exchange
from tests.messaging.scripted_http import CLOSE, CREATED, EMPTY, KINDS, OTHER, bodies, never, said, server


def pause_at(turn: int, seconds: float = 0.2):
    """A `late` that is never late, but on its n-th call (two a request: before connecting, before leaving) lets time pass."""
    turns: list[int] = []

    def late() -> bool:
        turns.append(1)
        if len(turns) == turn:
            time.sleep(seconds)
        return False

    return late


def reset(link: socket.socket) -> None:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()


# Nothing leaves twice


@pytest.mark.parametrize("call", KINDS, ids=lambda call: call.method)
@pytest.mark.parametrize("end", [CLOSE, reset], ids=["closed", "reset"])
def test_what_a_kept_connection_loses_is_unknown_and_not_asked_again(call, end):
    with server(CREATED, end, CREATED) as (url, came):
        assert said(exchange(Origin.of(url), [call] * 2, never, 1)) == [*bodies(CREATED), True] and len(came) == 2


@pytest.mark.parametrize("call", KINDS, ids=lambda call: call.method)
@pytest.mark.parametrize("end", [CLOSE, reset], ids=["closed", "reset"])
def test_what_a_new_connection_loses_is_unknown_and_not_asked_again(call, end):
    with server(end, CREATED) as (url, came):
        assert said(exchange(Origin.of(url), [call], never)) == [True] and len(came) == 1


def test_a_kept_connection_that_was_closed_before_carries_nothing_more():
    def answer_and_leave(link: socket.socket) -> None:
        link.sendall(CREATED)
        link.close()

    with server(answer_and_leave, OTHER) as (url, came):
        found = exchange(Origin.of(url), KINDS[:1] * 2, pause_at(3), 1)
    assert said(found) == bodies(CREATED, OTHER) and len(came) == 2


@pytest.mark.parametrize("status", [b"302 Found", b"307 Same", b"308 For good"])
def test_no_redirect_is_followed(status):
    moved = (EMPTY % status).replace(b"\r\n\r\n", b"\r\nLocation: /elsewhere\r\n\r\n")
    with server(moved, CREATED) as (url, came):
        assert exchange(Origin.of(url), KINDS[:1], never)[0].status == int(status[:3]) and len(came) == 1


# An answer counts for the call that it answers


@pytest.mark.parametrize(
    ("more", "together"),
    [(OTHER, CREATED), (OTHER[:20], CREATED), (b"\r\n\r\nrubbish", None)],
    ids=["whole", "begun", "rubbish"],
)
def test_what_comes_unasked_counts_for_no_later_call(more, together):
    """Once in one piece with the answer (rubbish makes that uncertain, too), once while the connection is idle."""

    def later(link: socket.socket) -> None:
        link.sendall(CREATED)
        time.sleep(0.05)
        link.sendall(more)

    last = CREATED.replace(b'"g"', b'"l"')
    with server(CREATED + more, last) as (url, _came):
        found = exchange(Origin.of(url), KINDS[:1] * 2, never, 1)
    assert said(found) == [bodies(together)[0] if together else True, *bodies(last)]
    with server(later, last) as (url, _came):
        assert said(exchange(Origin.of(url), KINDS[:1] * 2, pause_at(3), 1)) == bodies(CREATED, last)


def test_who_speaks_before_it_is_asked_gets_no_letter(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as door:
        links: list[socket.socket] = []
        greeted = threading.Event()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    link, _address = door.accept()
                    links.append(link)
                    link.sendall(CREATED)
                    greeted.set()

        silent = pooled_http._silent

        async def greeted_and_silent(connection) -> bool:
            greeted.wait(5)
            greeted.clear()
            return await silent(connection)

        monkeypatch.setattr(pooled_http, "_silent", greeted_and_silent)
        threading.Thread(target=serve, daemon=True).start()
        found = exchange(Origin.of(f"http://127.0.0.1:{door.getsockname()[1]}"), KINDS[:1], never)
    assert said(found) == [False] and len(links) == 2
    for link in links:
        with link, suppress(ConnectionError):
            assert link.recv(1000) == b""


# Time


def drip(text: bytes):
    def drop(link: socket.socket) -> None:
        with suppress(OSError):
            for at in range(len(text)):
                link.sendall(text[at : at + 1])
                time.sleep(0.05)

    return drop


@pytest.mark.parametrize(
    "text",
    [CREATED, EMPTY % b"200 OK" + b"x" * 99, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99, b"HTTP/1.1 103 Hint\r\n\r\n" * 9],
    ids=["answer", "answer and more", "head", "hints"],
)
def test_a_server_that_drips_is_cut_off(monkeypatch, text):
    monkeypatch.setattr(pooled_http, "ANSWER_SECONDS", 0.4)
    with server(drip(text)) as (url, _came):
        began = time.monotonic()
        assert exchange(Origin.of(url), KINDS[:1], never) == [Failure(sent=True, kind="TimeoutError")]
        assert 0.4 <= time.monotonic() - began < 2


def test_a_body_that_drips_is_cut_off(monkeypatch):
    monkeypatch.setattr(pooled_http, "ANSWER_SECONDS", 0.4)

    def slowly(link: socket.socket) -> None:
        link.sendall(CREATED[:-11])
        drip(CREATED[-11:])(link)

    with server(slowly) as (url, _came):
        assert exchange(Origin.of(url), KINDS[:1], never) == [Failure(sent=True, kind="TimeoutError")]


def test_who_does_not_read_is_left_in_time(monkeypatch):
    monkeypatch.setattr(pooled_http, "ANSWER_SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as door:
        origin = Origin.of(f"http://127.0.0.1:{door.getsockname()[1]}")
        began = time.monotonic()
        assert said(exchange(origin, [Call("POST", "/", json={"text": "x" * 20_000_000})], never)) == [True]
        assert time.monotonic() - began < 5


def test_a_host_that_does_not_answer_the_call_gets_nothing(monkeypatch):
    """Its queue is full: the kernel drops what knocks."""
    monkeypatch.setattr(pooled_http, "CONNECT_SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as door, socket.socket() as first, socket.socket() as second:
        for knock in (first, second):
            knock.setblocking(False)
            knock.connect_ex(door.getsockname())
        time.sleep(0.1)
        began = time.monotonic()
        found = exchange(Origin.of(f"http://127.0.0.1:{door.getsockname()[1]}"), KINDS[:1], never)
        assert found == [Failure(sent=False, kind="TimeoutError")] and time.monotonic() - began < 2


def test_lateness_is_asked_after_connecting_right_before_the_call_leaves():
    answers = iter([False, True])
    with server(CREATED) as (url, came):
        assert exchange(Origin.of(url), KINDS[:1], lambda: next(answers)) == [None] and came == []


# Size and number


def flood(text: bytes, went: list[int]):
    def pour(link: socket.socket) -> None:
        with suppress(OSError):
            link.sendall(text)
            while sum(went) < 200_000_000:
                went.append(link.send(b"10000\r\n" + b"x" * 65536 + b"\r\n"))

    return pour


@pytest.mark.parametrize(
    "head",
    [b"Transfer-Encoding: chunked\r\n", b"Content-Length: 300000000\r\n", b"Connection: close\r\n"],
    ids=["chunked", "length", "until it closes"],
)
def test_a_huge_answer_is_not_read_but_its_status_counts(head):
    went: list[int] = []
    with server(flood(b"HTTP/1.1 503 Away\r\n%bRetry-After: 9\r\n\r\n" % head, went), CREATED) as (url, _came):
        first, second = exchange(Origin.of(url), KINDS[:1] * 2, never, 1)
    assert (first.status, first.body, first.headers["retry-after"]) == (503, b"", "9")
    assert second.status == 201 and sum(went) < 20_000_000


def test_an_answer_of_64_kib_is_whole():
    text = b"x" * 65536
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + text) as (url, _came):
        assert said(exchange(Origin.of(url), KINDS[:1], never)) == [text]


def test_a_head_without_end_is_no_answer():
    with server(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 100_000, hold=True) as (url, _came):
        began = time.monotonic()
        assert said(exchange(Origin.of(url), KINDS[:1], never)) == [True]
        assert time.monotonic() - began < pooled_http.ANSWER_SECONDS / 2


def test_sixteen_connections_are_open_at_most():
    open_now, most, lock = [0], [0], threading.Lock()

    def one(link: socket.socket) -> None:
        with lock:
            open_now[0] += 1
            most[0] = max(most[0], open_now[0])
        with link, suppress(OSError):
            while link.recv(65536):
                time.sleep(0.02)
                link.sendall(EMPTY % b"200 OK")
        with lock:
            open_now[0] -= 1

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(door.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=200) as door:
        threading.Thread(target=serve, daemon=True).start()
        found = exchange(Origin.of(f"http://127.0.0.1:{door.getsockname()[1]}"), KINDS[:1] * 100, never)
    assert all(answer.status == 200 for answer in found) and most == [16]
