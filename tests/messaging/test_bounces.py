"""Mails that come back: read from real POP3 and IMAP servers, believed only when they quote a mail of ours."""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import actions, tasks
from messaging.models import DeliveryEvent, Heartbeat, Message, Suppression
from messaging.rules.dsn import bounces_of, is_dead
from messaging.transports.bounces import BounceBox, MailboxAway
from staff.models import AuditEntry
from tests import make
from tests.messaging.dsn import CLIENT, SAMPLES, TO, notification
from tests.messaging.mailboxes import PASSWORD, USER, Imap, Pop3, mailbox
from tests.messaging.outbox import NOON, queued

DOMAIN = "clinic.example.org"
PERSON = b"From: maria@example.org\r\nTo: clinic@clinic.example.org\r\nSubject: hello\r\n\r\nWhen do you open?\r\n"


@pytest.fixture(autouse=True)
def ours(settings):
    settings.EMAIL_FROM = f"Клиника <clinic@{DOMAIN}>"


def sent(address: str = TO, client: str = CLIENT) -> Message:
    return queued(transport="email", address=address, subject="hello", client_id=client, state="sent")


@pytest.mark.parametrize("server", SAMPLES)
def test_the_notification_of_each_server_is_read(server):
    [bounce] = bounces_of(notification(server), DOMAIN)
    assert bounce.client_id == CLIENT
    assert bounce.recipients == {TO}
    assert bounce.failed and bounce.dead


@pytest.mark.parametrize(
    ("status", "words", "dead"),
    [
        ("5.1.1", "", True), ("5.4.4", "", True), ("5.2.1", "", True), ("5.2.2", "mailbox full", False),
        ("5.7.1", "550 spam", False), ("5.3.4", "too large", False), ("5.0.0", "550 unknown user", True),
        ("5.0.0", "retry timeout exceeded", False), ("4.4.1", "550", False), ("", "550 no such user", True),
    ],
)  # fmt: skip
def test_only_what_is_wrong_with_the_address_closes_it(status, words, dead):
    assert is_dead(status, words) is dead


def test_what_is_not_about_a_mail_of_ours_says_nothing():
    assert bounces_of(PERSON, DOMAIN) == []
    assert bounces_of(notification(domain="other.example.org"), DOMAIN) == []
    assert bounces_of(notification(client="0123"), DOMAIN) == []
    quoted_in_text = notification().replace(b"Content-Type: message/rfc822", b"Content-Type: text/plain")
    assert bounces_of(quoted_in_text, DOMAIN) == []
    assert bounces_of(b"x" * 2_000_000, DOMAIN) == []


@given(st.binary(max_size=2000), st.integers(0, 1_000_000))
def test_however_broken_a_mail_is_it_breaks_nothing(noise, seed):
    raw, chance = bytearray(notification("exim")), random.Random(seed)
    for _each in range(20):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    cut = chance.randrange(len(raw))
    for mail in (noise, bytes(raw), bytes(raw[:cut]), bytes(raw[:cut]) + noise):
        for bounce in bounces_of(mail, DOMAIN):
            assert len(bounce.client_id) == 32


@pytest.mark.django_db
class TestWhatItDoes:
    def test_a_dead_address_is_closed_and_its_message_undelivered_once(self):
        row = sent()
        assert actions.take_bounce(raw=notification(), now=NOON)
        assert actions.take_bounce(raw=notification(), now=NOON)
        row.refresh_from_db()
        assert row.state == "undelivered"
        closed = Suppression.objects.get()
        assert (closed.transport, closed.address, closed.kind) == ("email", TO, "bounced")
        assert DeliveryEvent.objects.count() == 1
        assert AuditEntry.objects.filter(deed="suppress_addresses").count() == 1

    def test_a_full_mailbox_fails_the_message_and_keeps_the_address(self):
        row = sent()
        actions.take_bounce(raw=notification(status="5.2.2"), now=NOON)
        row.refresh_from_db()
        assert row.state == "undelivered" and not Suppression.objects.exists()

    def test_a_delay_changes_nothing(self):
        row = sent()
        assert actions.take_bounce(raw=notification(status="4.4.1", action="delayed"), now=NOON)
        row.refresh_from_db()
        assert row.state == "sent" and not DeliveryEvent.objects.exists() and not Suppression.objects.exists()

    def test_an_address_to_which_the_patient_forwards_is_not_his(self):
        row = sent(address="maria@forwarding.example")
        actions.take_bounce(raw=notification(), now=NOON)
        row.refresh_from_db()
        assert row.state == "undelivered" and not Suppression.objects.exists()

    def test_a_forged_notification_closes_nobody(self):
        row = sent()
        assert not actions.take_bounce(raw=notification(client="f" * 32), now=NOON)
        row.refresh_from_db()
        assert row.state == "sent" and not Suppression.objects.exists()


def mixed() -> list[bytes]:
    return [PERSON, notification(), notification("exim", client="e" * 32), b"\xff\xfe not a mail", PERSON]


def box_of(scheme: str, port: int, folder: str = "") -> BounceBox:
    return BounceBox.from_url(f"{scheme}://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/{folder}")


def test_pop3_deletes_what_was_dealt_with_and_leaves_what_people_wrote():
    with mailbox(Pop3, mixed()) as box:
        handled = box_of("pop3", box.port).read(lambda raw: CLIENT.encode() in raw)
        assert handled == 1
        assert set(box.left) == {1, 3, 4, 5}
        assert "RETR 1" not in box.fetched  # the letters of people are not even fetched
        assert box_of("pop3", box.port).read(lambda raw: True) == 1


def test_a_pop3_connection_that_breaks_deletes_nothing():
    with mailbox(Pop3, mixed()) as box:
        box.drop_before_quit = True
        with pytest.raises(MailboxAway):
            box_of("pop3", box.port).read(lambda raw: True)
        assert len(box.left) == 5


def test_imap_marks_as_read_what_was_dealt_with():
    with mailbox(Imap, mixed()) as box:
        assert box_of("imap", box.port).read(lambda raw: CLIENT.encode() in raw) == 1
        assert box.seen == {2}
        assert box_of("imap", box.port).read(lambda raw: CLIENT.encode() in raw) == 0
        with pytest.raises(MailboxAway):
            box_of("imap", box.port, "Elsewhere").read(lambda raw: True)


def test_a_mailbox_that_is_away_or_refuses_us_is_said_to_be_away():
    with pytest.raises(MailboxAway):
        box_of("imap", 9).read(lambda raw: True)
    with mailbox(Pop3, []) as box, pytest.raises(MailboxAway):
        BounceBox.from_url(f"pop3://nobody:no@127.0.0.1:{box.port}/").read(lambda raw: True)
    with pytest.raises(ValueError, match="BOUNCES_URL"):
        BounceBox.from_url("https://mail.example.org")


@pytest.mark.django_db
@pytest.mark.parametrize(("scheme", "kind"), [("pop3", Pop3), ("imap", Imap)])
def test_the_tick_reads_the_mailbox_and_not_at_every_tick(settings, scheme, kind):
    row = sent()
    with mailbox(kind, mixed()) as box:
        settings.BOUNCES_URL = f"{scheme}://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1:{box.port}/"
        tasks.read_bounces()
        row.refresh_from_db()
        assert row.state == "undelivered"
        looked = len(box.fetched)
        tasks.read_bounces()  # a moment later: its turn has not come
        assert len(box.fetched) == looked
    Heartbeat.objects.all().delete()
    tasks.read_bounces()  # the server is away: logged, and tried again next time
    assert make.patient().pk
