"""E-mail by SMTP (`EMAIL_URL`: smtp://user:password@host:port/?tls=true, smtps://…).

There is nothing to ask and no key: a connection that breaks after the body was sent leaves an unknown outcome
(RFC 1047). The Message-ID is made from the client_id, so that a mail client may fold a double.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

from messaging.models.outbox import Reason
from messaging.transports.base import Deadline, Letter, LookUp, Outcome, Result, Verdict

TIMEOUT = 10.0
Gone = (smtplib.SMTPServerDisconnected, OSError)


@dataclass
class Smtp:
    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    encryption: str = ""  # "", starttls or tls
    dedupe: str = "none"
    batch: int = 100
    call_seconds: float = TIMEOUT * 4
    key_seconds: float = 0
    settle_seconds: float = 30

    @classmethod
    def from_settings(cls) -> Smtp:
        return cls.from_url(settings.EMAIL_URL, settings.EMAIL_FROM)

    @classmethod
    def from_url(cls, url: str, sender: str) -> Smtp:
        """Raises ValueError for a scheme that is not SMTP."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps", "smtp+tls") or not parts.hostname:
            raise ValueError("EMAIL_URL must look like smtp://user:password@host:587/?tls=true")
        options = parse_qs(parts.query)
        starttls = parts.scheme == "smtp+tls" or options.get("tls", [""])[0].lower() in ("1", "true", "yes")
        encryption = "tls" if parts.scheme == "smtps" else "starttls" if starttls else ""
        port = parts.port or {"tls": 465, "starttls": 587}.get(encryption, 25)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, sender, user, password, encryption)

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> list[Outcome]:
        outcomes: list[Outcome] = []
        server: smtplib.SMTP | None = None
        for letter in letters:
            if deadline.passed():
                outcomes.append(Outcome(letter, Result.NOT_TRIED))
                continue
            try:
                server = server or self._connect()
            except (smtplib.SMTPException, *Gone) as error:
                outcomes.append(_later(letter, error))
                continue
            outcome, alive = self._send_one(server, letter)
            outcomes.append(outcome)
            server = server if alive else None
        if server is not None:
            _quit(server)
        return outcomes

    def look_up(self, client_ids: Sequence[str]) -> list[LookUp]:
        return [LookUp(client_id, Verdict.NO_ANSWER) for client_id in client_ids]

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.encryption == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
        if self.encryption == "starttls":
            server.starttls(context=context)
        if self.user:
            server.login(self.user, self.password)
        server.ehlo_or_helo_if_needed()
        return server

    def _send_one(self, server: smtplib.SMTP, letter: Letter) -> tuple[Outcome, bool]:
        """The outcome, and whether the connection can be used again."""
        try:
            mail = self.mail(letter).as_bytes()
        except (ValueError, LookupError) as error:  # a poison recipient: only his row fails
            return Outcome(letter, Result.REFUSED, Reason.BAD_MESSAGE, type(error).__name__), True
        try:
            for code, answer in self._envelope(server, letter):
                if code >= 400:
                    server.rset()
                    return _refusal(letter, code, answer), True
        except (smtplib.SMTPException, *Gone, UnicodeError) as error:
            return _later(letter, error), False
        return self._body(server, letter, mail)

    def _envelope(self, server: smtplib.SMTP, letter: Letter) -> list[tuple[int, bytes]]:
        sent = server.mail(parseaddr(self.sender)[1])
        return [sent] if sent[0] >= 400 else [sent, server.rcpt(letter.to)]

    def _body(self, server: smtplib.SMTP, letter: Letter, mail: bytes) -> tuple[Outcome, bool]:
        try:
            code, answer = server.data(mail)
        except smtplib.SMTPDataError as error:  # refused before the body was sent
            return _refusal(letter, error.smtp_code, error.smtp_error), True
        except (smtplib.SMTPException, *Gone) as error:
            return Outcome(letter, Result.UNKNOWN, Reason.NO_ANSWER, type(error).__name__), False
        if code >= 400:
            return _refusal(letter, code, answer), True
        return Outcome(letter, Result.ACCEPTED, provider_id=self.message_id(letter)[:120]), True

    def message_id(self, letter: Letter) -> str:
        domain = parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"
        return f"<{letter.client_id}@{domain}>"

    def mail(self, letter: Letter) -> EmailMessage:
        """Raises ValueError for an address or a subject that would inject a header."""
        mail = EmailMessage()
        mail["From"] = self.sender
        mail["To"] = letter.to
        mail["Subject"] = letter.subject
        mail["Message-ID"] = self.message_id(letter)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text, cte="quoted-printable")
        return mail


def _quit(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()  # everything was handed over; the goodbye does not matter


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)


def _refusal(letter: Letter, code: int, answer: bytes | str) -> Outcome:
    """5xx = for good, 4xx = not now: in both cases the server said that it did not take it."""
    if code >= 500:
        return Outcome(letter, Result.REFUSED, Reason.GATEWAY, f"{code} {_text(answer)}")
    return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, f"{code} {_text(answer)}")


def _later(letter: Letter, error: BaseException) -> Outcome:
    return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, type(error).__name__)
