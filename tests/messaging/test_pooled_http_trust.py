"""Whom the pooled client trusts, and what of its surroundings it does not look at."""

from __future__ import annotations

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from messaging.transports import pooled_http
from messaging.transports.base import Verdict
from messaging.transports.pooled_http import Failure, Origin, exchange
from messaging.transports.sms_gateway import SmsGateway
from tests.messaging.scripted_http import CLOSE, CREATED, KINDS, OTHER, bodies, never, said, server


def test_proxies_netrc_and_cookies_mean_nothing(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with server(CREATED.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n"), CREATED) as (url, came):
        assert said(exchange(Origin.of(url.replace("127.0.0.1", "localhost")), KINDS[:1] * 2, never, 1))

    assert len(came) == 2 and all(b"authorization" not in one.lower() and b"cookie" not in one.lower() for one in came)


def test_a_caller_that_stands_in_a_running_loop_is_served():
    async def send() -> list:
        return exchange(Origin.of(url), KINDS[:1], never)

    with (
        server(CREATED) as (url, _came),
        ThreadPoolExecutor(1) as thread,
    ):  # browser tests leave a running loop in this one
        assert said(thread.submit(asyncio.run, send()).result()) == bodies(CREATED)


def test_the_host_names_that_dns_cannot_hold_are_no_address_or_never_connected():
    for host in ("a" * 70 + ".ru", "a..b", "[::1", "127.0.0.1:99999", "x y"):
        assert SmsGateway(f"http://{host}", "").look_up({"k": "+7"})[0].verdict is Verdict.NO_ANSWER
        try:
            origin = Origin.of(f"http://{host}")
        except ValueError:
            continue
        assert said(exchange(origin, KINDS[:1], never)) == [False]


@pytest.fixture
def signed(tmp_path, monkeypatch):
    """A context of a server named "localhost", whose root is in the place of certifi's."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "t")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.2"))]
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    both, root = tmp_path / "both.pem", tmp_path / "root.pem"
    root.write_bytes(made.public_bytes(pem))
    both.write_bytes(root.read_bytes() + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    yield context, root
    pooled_http._trusted.cache_clear()


def trust(monkeypatch, root) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(root))
    pooled_http._trusted.cache_clear()


def test_a_server_that_certifi_knows_is_written_to_over_kept_tls(signed, monkeypatch):
    context, root = signed
    trust(monkeypatch, root)
    with server(CREATED, OTHER, tls=context) as (url, came):
        found = exchange(Origin.of(url.replace("127.0.0.1", "localhost")), KINDS[:1] * 2, never, 1)
    assert said(found) == bodies(CREATED, OTHER) and len(came) == 2


def test_an_unknown_root_and_another_name_get_nothing(signed, monkeypatch):
    context, root = signed
    with server(CREATED, tls=context) as (url, came):
        unknown = exchange(Origin.of(url.replace("127.0.0.1", "localhost")), KINDS[:1], never)
        trust(monkeypatch, root)
        other_name = exchange(Origin.of(url), KINDS[:1], never)
    assert said(unknown + other_name) == [False, False] and came == []


def test_a_handshake_without_end_is_no_connection(monkeypatch):
    monkeypatch.setattr(pooled_http, "CONNECT_SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as door:
        origin = Origin.of(f"https://127.0.0.1:{door.getsockname()[1]}")
        assert exchange(origin, KINDS[:1], never) == [Failure(sent=False, kind="TimeoutError")]


def test_a_reset_over_tls_after_the_letter_left_is_unknown(signed, monkeypatch):
    context, root = signed
    trust(monkeypatch, root)
    with server(CLOSE, tls=context) as (url, came):
        found = SmsGateway(url.replace("127.0.0.1", "localhost"), "").look_up({"k": "+7"})
    assert found[0].verdict is Verdict.NO_ANSWER and len(came) == 1
