"""E-mail against a real local SMTP server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from messaging.models import Message, Suppression
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
        if address.lower().startswith("dead"):
            return "550 5.1.1 no such user"
        if address.startswith("policy"):
            return "550 5.7.1 not from you"
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


def taken(box, letter: Letter, **changes):
    """The mail as it arrived, and its envelope."""
    mail = Smtp.from_url(f"smtp://127.0.0.1:{box.port}", "Клиника <clinic@example.org>")
    for name, value in changes.items():
        setattr(mail, name, value)
    assert mail.send([letter], Deadline(30))[0].result is Result.ACCEPTED
    envelope = box.mails[-1]
    return message_from_bytes(envelope.content, policy=policy.default), envelope


def test_an_advertisement_carries_the_way_out_of_rfc_8058(box):
    url = "https://crm.example.org/u/abc/"
    mail, _envelope = taken(box, replace(letter(1, "a@example.org"), kind="marketing", unsubscribe_url=url))
    assert mail["List-Unsubscribe"] == f"<{url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, _envelope = taken(box, replace(letter(2, "a@example.org"), unsubscribe_url="http://127.0.0.1:8000/u/abc/"))
    assert plain["List-Unsubscribe"] and plain["List-Unsubscribe-Post"] is None  # one click only over https
    service, _envelope = taken(box, letter(3, "a@example.org"))
    assert service["List-Unsubscribe"] is None


def test_an_address_with_a_line_break_cannot_bring_a_header_of_its_own(box):
    evil = replace(letter(1, "a@example.org"), unsubscribe_url="https://x/\nBcc: all@example.org")
    mail = Smtp.from_url(f"smtp://127.0.0.1:{box.port}", "clinic@example.org")
    assert mail.send([evil], Deadline(30))[0].result is Result.REFUSED


def test_a_picture_is_embedded_and_the_words_stand_beside_it_as_text(box):
    picture = b"\x89PNG" + bytes(range(256)) * 20
    text = "Привет, <b>Мария</b>!\nПодробнее: https://example.org/c/x?a=1&b=2."
    made = replace(letter(1, "a@example.org", text=text), picture=picture, picture_type="image/png")
    mail, _envelope = taken(box, made)
    assert mail.get_content_type() == "multipart/alternative"
    words, related = mail.iter_parts()
    assert words.get_content().splitlines()[0] == "Привет, <b>Мария</b>!"
    assert related.get_content_type() == "multipart/related"
    html, image = related.iter_parts()
    page = html.get_content()
    assert f'src="cid:{image["Content-ID"][1:-1]}"' in page
    assert "&lt;b&gt;Мария&lt;/b&gt;" in page and "<b>" not in page
    assert '<a href="https://example.org/c/x?a=1&amp;b=2">' in page
    assert (image.get_content(), image.get_content_type()) == (picture, "image/png")


def test_bounces_go_to_the_return_path(box):
    _mail, envelope = taken(box, letter(1, "a@example.org"), return_path="bounces@example.org")
    assert envelope.mail_from == "bounces@example.org"
    _mail, envelope = taken(box, letter(2, "a@example.org"))
    assert envelope.mail_from == "clinic@example.org"


@pytest.mark.django_db
def test_an_address_that_the_server_does_not_know_is_closed_and_one_that_it_distrusts_is_not(box, settings):
    settings.EMAIL_URL, settings.EMAIL_FROM = f"smtp://127.0.0.1:{box.port}", "clinic@example.org"
    queued(transport="email", address="Dead@example.org", subject="Ждём вас")
    queued(transport="email", address="policy@example.org", subject="Ждём вас")
    send(transport="email")
    assert list(Message.objects.order_by("id").values_list("state", "reason")) == [
        ("refused", "bounced"), ("refused", "gateway"),
    ]  # fmt: skip
    assert list(Suppression.objects.values_list("transport", "address", "kind")) == [
        ("email", "dead@example.org", "bounced")
    ]
