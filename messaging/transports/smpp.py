"""SMS by SMPP 3.4 (`SMS_GATEWAY_URL=smpp://system_id:password@host:port`, smpps:// with TLS).

A batch is one bind as transmitter; receipts and answers of patients are fetched by a bind as transceiver (`receive`), so
that they come in also while nothing is being sent, and so that sending never waits for our database. The account must
allow two binds at a time. SMPP knows no key,
and a message can only be asked about by an id that came with the very answer which is missing: `dedupe = none`. What a
broken line or a silent SMSC leaves open is unknown, and a person decides.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from smpplib import client as smpplib
from smpplib import consts, smpp
from smpplib.exceptions import ConnectionError as LineLost
from smpplib.exceptions import PDUError

from messaging.rules.receipts import receipt
from messaging.rules.sms_parts import text_of
from messaging.transports.base import Deadline, Letter, LookUp, Outcome, Verdict
from messaging.transports.smpp_batch import HEADED, Batch, word

TIMEOUT = 10.0  # for one answer
BINDS = 3  # a batch connects again after a lost line, but not for ever
PER_READ = 2.0  # seconds without a word after which a receiver has everything
RECEIPT = 0x04  # bit of esm_class
LOGGER = "smpp"
logging.getLogger(LOGGER).setLevel(logging.ERROR)  # at DEBUG it would write passwords and texts, in hex


class _Client(smpplib.Client):
    """Names and IPv6 as addresses, TLS with the host's name checked."""

    def connect(self) -> None:
        try:
            plain = socket.create_connection((self.host, self.port), self.timeout)
            context = self._ssl_context
            self._socket = context.wrap_socket(plain, server_hostname=self.host) if context else plain
        except OSError as error:
            raise LineLost(type(error).__name__) from error
        self.state = consts.SMPP_CLIENT_STATE_OPEN


@dataclass
class Smpp:
    host: str
    port: int
    system_id: str
    password: str
    sender: str
    secure: bool = False
    batch: int = 200
    dedupe: str = "none"
    key_seconds: float = 0
    settle_seconds: float = 30
    call_seconds: float = TIMEOUT * 3

    @classmethod
    def from_settings(cls) -> Smpp:
        return cls.from_url(settings.SMS_GATEWAY_URL, settings.SMS_SENDER)

    @classmethod
    def from_url(cls, url: str, sender: str) -> Smpp:
        """Raises ValueError for anything that is not SMPP."""
        parts = urlsplit(url)
        if parts.scheme not in ("smpp", "smpps") or not parts.hostname or not parts.username:
            raise ValueError("SMS_GATEWAY_URL must look like smpp://system_id:password@host:2775")
        secure = parts.scheme == "smpps"
        words = unquote(parts.username), unquote(parts.password or "")
        return cls(parts.hostname, parts.port or (3550 if secure else 2775), *words, sender, secure)

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> list[Outcome]:
        run = Batch(self.sender, deadline)
        for letter in letters:
            run.add(letter)
        for _bind in range(BINDS):
            if not run.todo or deadline.passed():
                break
            try:
                with self._bound("transmitter") as client:
                    run.carry(client)
            except (LineLost, PDUError, OSError) as error:
                run.line_lost(error)
        run.give_up()
        return run.outcomes

    def look_up(self, asked: Mapping[str, str]) -> list[LookUp]:
        return [LookUp(client_id, Verdict.NO_ANSWER) for client_id in asked]

    def receive(self, take: Callable[[Mapping[str, Any]], None], *, seconds: float) -> int:
        """Fetch what the SMSC has kept for us: `take` gets each receipt and each patient's message (see `event_of`), and
        the SMSC its acknowledgement only after `take` came back, so that what we failed to write down comes again.

        Ends after `seconds`, or once nothing came for two. Returns how many came. Raises ConnectionError where the line
        cannot be had or is dead.
        """
        count, end = 0, time.monotonic() + seconds

        def taken(pdu: Any) -> None:
            nonlocal count
            event = event_of(pdu)
            if event is not None:
                take(event)
                count += 1

        try:
            with self._bound("transceiver") as client:
                client.set_message_received_handler(taken)
                client._socket.settimeout(PER_READ)
                while time.monotonic() < end and _heard(client):
                    pass
        except (LineLost, PDUError) as error:
            raise ConnectionError(*error.args[:1]) from error
        return count

    @contextmanager
    def _bound(self, kind: str) -> Iterator[Any]:
        context = ssl.create_default_context() if self.secure else None
        client = _Client(
            self.host, self.port, TIMEOUT, logger_name=LOGGER, ssl_context=context, allow_unknown_opt_params=True
        )
        client.set_error_pdu_handler(lambda pdu: None)  # the answer's own handler looks at its status
        try:
            client.connect()
            getattr(client, f"bind_{kind}")(system_id=self.system_id, password=self.password, interface_version=0x34)
            yield client
            _goodbye(client)
        finally:
            if client._socket is not None:
                client._socket.close()
                client._socket = None


def _heard(client: Any) -> bool:
    """Act on one message of the SMSC. After a silence ask whether it is still there: a dead line is no empty one."""
    try:
        client.read_once(auto_send_enquire_link=False)
        return True
    except TimeoutError:
        client._socket.settimeout(TIMEOUT)
        client.send_pdu(smpp.make_pdu("enquire_link", client=client))
    try:
        client.read_once(auto_send_enquire_link=False)
    except TimeoutError as error:
        raise LineLost("silent") from error
    return False


def _goodbye(client: Any) -> None:
    """Everything was handed over and written down; the farewell does not matter."""
    try:
        client.unbind()
    except (LineLost, PDUError, OSError):
        client.state = consts.SMPP_CLIENT_STATE_OPEN


def event_of(pdu: Any) -> dict[str, Any] | None:
    """What the SMSC delivered: a receipt {id, status, event_id} or a patient's message {from, text}. None for neither.

    The status of a message is one event, however often it is delivered: receipts carry no number of their own.
    """
    body = pdu.short_message or getattr(pdu, "message_payload", None) or b""
    tlv_id = word(getattr(pdu, "receipted_message_id", None)).rstrip("\0")
    if pdu.esm_class & RECEIPT or tlv_id:
        found = receipt(body.decode("latin-1"), tlv_id, getattr(pdu, "message_state", None))
        if found is None:
            return None
        id_, status, error = found
        return {"event_id": f"smpp:{id_[:100]}:{status}", "id": id_, "status": status, "detail": error}
    text = text_of(body, pdu.data_coding, headed=bool(pdu.esm_class & HEADED))
    sender = word(pdu.source_addr)
    return {"from": f"+{sender.lstrip('+')}", "text": text} if sender and text else None
