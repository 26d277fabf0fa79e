"""The pooled client against a server that says exactly what a test gives it."""

from __future__ import annotations

import pytest

from messaging.models.outbox import Reason
from messaging.transports import pooled_http
from messaging.transports.base import Deadline, Letter, Result, Verdict
from messaging.transports.pooled_http import Call, Failure, Origin, exchange
from messaging.transports.sms_gateway import SmsGateway
from tests.drills.clinic import free_port
from tests.messaging.scripted_http import CLOSE, CREATED, server


def letters(number: int = 1, **fields) -> list[Letter]:
    made = {"client_id": "k1", "to": "+79160000000", "subject": "", "text": "Ждём"} | fields
    return [Letter(id=n, attempt=1, **made) for n in range(number)]


def said_of(*says: bytes, number: int = 1, hold: bool = False):
    with server(*says, hold=hold) as (url, _came):
        return [(one.result, one.reason) for one in SmsGateway(url, "Clinic").send(letters(number), Deadline(60))]


OUTCOMES = {
    "accepted": (CREATED, Result.ACCEPTED, ""),
    "chunked": (
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{"id":\r\n6;a=b\r\n "g1"}\r\n0\r\nX: y\r\n\r\n',
        Result.ACCEPTED, "",
    ),
    "until it closes": (b'HTTP/1.0 200 OK\r\n\r\n{"id": 5}', Result.ACCEPTED, ""),
    "after an interim answer": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + CREATED, Result.ACCEPTED, ""),
    "cut off": (CREATED[:-1].replace(b"11", b"10"), Result.UNKNOWN, Reason.NO_ANSWER),
    "not HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", Result.UNKNOWN, Reason.NO_ANSWER),
    "a page": (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", Result.UNKNOWN, Reason.NO_ANSWER),
    "nothing": (CLOSE, Result.UNKNOWN, Reason.NO_ANSWER),
    "busy": (b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", Result.NOT_ACCEPTED, Reason.BUSY),
    "busy with a huge page": (b"HTTP/1.1 503 Away\r\nContent-Length: 99999\r\n\r\n", Result.NOT_ACCEPTED, Reason.BUSY),
    "blocked": (
        b'HTTP/1.1 422 No\r\nContent-Length: 17\r\n\r\n{"error_code": 8}', Result.REFUSED, Reason.BLOCKED,
    ),
    "said before": (b"HTTP/1.1 409 Twice\r\nContent-Length: 0\r\n\r\n", Result.UNKNOWN, Reason.SAME_TEXT),
    "moved": (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", Result.UNKNOWN, Reason.NO_ANSWER),
    "error": (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", Result.UNKNOWN, Reason.NO_ANSWER),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTCOMES)
def test_an_answer_says_what_it_proves(case):
    said, result, reason = OUTCOMES[case]
    assert said_of(said) == [(result, reason)]


def test_the_wait_that_was_asked_for_is_kept():
    with server(OUTCOMES["busy"][0]) as (url, _came):
        assert SmsGateway(url, "").send(letters(), Deadline(60))[0].retry_after == 7.0


def test_silence_is_unknown_and_ends_in_time(monkeypatch):
    monkeypatch.setattr(pooled_http, "ANSWER_SECONDS", 0.2)
    assert said_of(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", hold=True) == [(Result.UNKNOWN, Reason.NO_ANSWER)]


def test_after_a_lost_answer_the_next_request_goes_over_a_new_connection(monkeypatch):
    monkeypatch.setattr(pooled_http, "CONNECTIONS", 1)
    found = said_of(CREATED, CLOSE, CREATED, CREATED, number=4)
    assert [result for result, _reason in found] == [Result.ACCEPTED, Result.UNKNOWN, Result.ACCEPTED, Result.ACCEPTED]


def test_an_answer_nobody_asked_for_is_given_to_no_letter(monkeypatch):
    """Two answers to one request: the second must not count as the answer to the next letter."""
    monkeypatch.setattr(pooled_http, "CONNECTIONS", 1)
    with server(CREATED + CREATED.replace(b'"g"', b'"h"'), CREATED.replace(b'"g"', b'"i"')) as (url, _came):
        found = SmsGateway(url, "").send(letters(2), Deadline(60))
    assert [one.provider_id for one in found] == ["g", "i"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "https://127.0.0.1:{port}", "http://no.such.invalid"])
def test_what_never_connected_was_never_accepted(url):
    found = SmsGateway(url.format(port=free_port()), "").send(letters(3), Deadline(60))
    assert {(one.result, one.reason) for one in found} == {(Result.NOT_ACCEPTED, Reason.BUSY)}


def test_a_server_without_tls_gets_no_letter_over_https():
    with server(b"HTTP/1.1 400 Bad\r\n\r\n") as (url, _came):
        found = SmsGateway(url.replace("http:", "https:"), "").send(letters(), Deadline(60))
    assert found[0].result is Result.NOT_ACCEPTED


@pytest.mark.parametrize("url", ["", "gateway", "ftp://x", "http://", "http://x\r\nHost: y"])
def test_a_setting_that_is_no_address_sends_nothing(url):
    assert SmsGateway(url, "").send(letters(), Deadline(60))[0].result is Result.NOT_ACCEPTED


def test_past_the_deadline_no_request_leaves():
    with server(CREATED) as (url, came):
        found = SmsGateway(url, "").send(letters(40), Deadline(-1))
    assert {one.result for one in found} == {Result.NOT_TRIED} and len(found) == 40 and came == []


def test_a_key_that_would_end_its_header_is_refused_alone():
    with server(CREATED) as (url, came):
        found = SmsGateway(url, "").send(letters(client_id="a\r\nX: y") + letters(), Deadline(60))
    assert sorted(one.result.value for one in found) == ["accepted", "refused"] and len(came) == 1


def test_the_request_keeps_path_port_and_password_of_the_address():
    with server(CREATED) as (url, came):
        SmsGateway(url.replace("//", "//us%40er:pass@") + "/api/", "Clinic").send(letters(), Deadline(60))
        head, _gap, body = came[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /api/v1/messages HTTP/1.1" and f"Host: {url[7:]}" in lines
    assert "Authorization: Basic dXNAZXI6cGFzcw==" in lines and "Idempotency-Key: k1" in lines
    assert f"Content-Length: {len(body)}" in lines and b"+79160000000" in body


def test_looking_up_finds_misses_and_does_not_know():
    words = [CREATED.replace(b"201", b"200"), b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", CLOSE]
    for said, verdict in zip(words, (Verdict.FOUND, Verdict.NOT_FOUND, Verdict.NO_ANSWER), strict=True):
        with server(said) as (url, came):
            assert SmsGateway(url, "").look_up(["a b&c"])[0].verdict is verdict
        assert came[0].startswith(b"GET /v1/messages?client_id=a%20b%26c HTTP/1.1\r\n")


def test_many_requests_share_few_connections_and_each_gets_its_own_answer():
    from tests.messaging.outbox import gateway

    with gateway() as (url, judge):
        origin = Origin.of(url)
        bodies = [{"to": "+7", "text": "x", "client_id": f"c{n}"} for n in range(100)]
        calls = [
            Call("POST", "/v1/messages", json=said, headers={"Idempotency-Key": said["client_id"]}) for said in bodies
        ]
        found = exchange(origin, calls, lambda: False)
        assert not any(isinstance(one, Failure) for one in found)
        assert all(f'-c{n}"'.encode() in one.body for n, one in enumerate(found)) and judge()["accepted"] == 100
