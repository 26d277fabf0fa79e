"""E-mail against a real local SMTP server."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from messaging.models import Message
from messaging.transports.base import Deadline, Letter, Result
from messaging.transports.smtp import Smtp
from tests.messaging.outbox import free_port, queued, send


class Box:
    """Takes mail; a local part says how it misbehaves."""

    def __init__(self) -> None:
        self.mails: list = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 no such user"
        if address.startswith("full"):
            return "452 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        address = envelope.rcpt_tos[0]
        if address.startswith("gone"):
            self.mails.append(envelope)
            server.transport.close()  # the 250 after the final dot is lost (RFC 1047)
            await asyncio.sleep(0)
        if address.startswith("spam"):
            return "554 rejected"
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def box():
    handler = Box()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


def letter(n: int, to: str, subject: str = "Ждём вас", text: str = "Привет\nстрока") -> Letter:
    return Letter(n, 1, f"client{n}", to, subject, text)


def test_each_letter_gets_what_the_server_said_of_it(box):
    mail = Smtp.from_url(f"smtp://127.0.0.1:{box.port}", "Клиника <clinic@example.org>")
    people = [
        "a@example.org",
        "nobody@example.org",
        "full@example.org",
        "spam@example.org",
        "gone@example.org",
        "b@x.org",
    ]
    letters = [letter(n, to) for n, to in enumerate(people)]
    letters.append(letter(9, "evil@example.org", "two\nBcc: all@example.org"))
    results = [outcome.result for outcome in mail.send(letters, Deadline(30))]
    assert results == [
        Result.ACCEPTED, Result.REFUSED, Result.NOT_ACCEPTED, Result.REFUSED,
        Result.UNKNOWN, Result.ACCEPTED, Result.REFUSED,
    ]  # fmt: skip
    first = message_from_bytes(box.mails[0].content, policy=policy.default)
    assert first["Message-ID"] == "<client0@example.org>" and first["Subject"] == "Ждём вас"
    assert first.get_content().split() == ["Привет", "строка"]


def test_no_call_starts_after_the_deadline_and_an_absent_server_took_nothing(box):
    mail = Smtp.from_url(f"smtp://127.0.0.1:{box.port}", "clinic@example.org")
    assert mail.send([letter(1, "a@example.org")], Deadline(-1))[0].result is Result.NOT_TRIED
    absent = Smtp.from_url("smtp://127.0.0.1:9", "clinic@example.org")
    assert absent.send([letter(1, "a@example.org")], Deadline(9))[0].result is Result.NOT_ACCEPTED


def test_addresses_of_the_server_are_read():
    mail = Smtp.from_url("smtps://us%40er:p%3Aw@mail.example.org", "x@y.z")
    assert (mail.host, mail.port, mail.user, mail.password, mail.encryption) == (
        "mail.example.org", 465, "us@er", "p:w", "tls",
    )  # fmt: skip
    assert Smtp.from_url("smtp://h/?tls=true", "x@y.z").encryption == "starttls"
    with pytest.raises(ValueError, match="EMAIL_URL"):
        Smtp.from_url("http://h", "x@y.z")


@pytest.mark.django_db
def test_mail_goes_out_through_the_outbox_and_a_lost_answer_is_listed(box, settings):
    settings.EMAIL_URL, settings.EMAIL_FROM = f"smtp://127.0.0.1:{box.port}", "clinic@example.org"
    queued(transport="email", address="a@example.org", subject="Ждём вас")
    queued(transport="email", address="gone@example.org", subject="Ждём вас")
    send(transport="email")
    rows = list(Message.objects.order_by("id").values_list("state", "reason"))
    assert rows == [("sent", ""), ("unknown", "no_answer")]
    send(transport="email")
    assert len(box.mails) == 2
