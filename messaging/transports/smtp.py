"""E-mail by SMTP (`EMAIL_URL`: smtp://user:password@host:port/?tls=true, smtps://…).

There is nothing to ask and no key: a connection that breaks after the body was sent leaves an unknown outcome
(RFC 1047). The Message-ID is made from the client_id, so that a mail client may fold a double.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid, parseaddr
from html import escape
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

from messaging.models.outbox import Reason
from messaging.rules.dsn import is_dead, status_in
from messaging.transports.base import Deadline, Letter, LookUp, Outcome, Result, Verdict

TIMEOUT = 10.0
LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,!?);]")
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
    return_path: str = ""  # the envelope sender: where bounces go; empty = the address of `sender`

    @classmethod
    def from_settings(cls) -> Smtp:
        made = cls.from_url(settings.EMAIL_URL, settings.EMAIL_FROM)
        made.return_path = settings.EMAIL_RETURN_PATH
        return made

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

    def look_up(self, client_ids: Mapping[str, str]) -> list[LookUp]:
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
            mail = self.mail(letter).as_bytes(policy=SMTP)  # lines end as SMTP wants them
        except (ValueError, LookupError) as error:  # a poison recipient: only his row fails
            return Outcome(letter, Result.REFUSED, Reason.BAD_MESSAGE, type(error).__name__), True
        try:
            for code, answer in self._envelope(server, letter):
                if code >= 400:
                    server.rset()
                    return _refusal(letter, code, answer, of_address=True), True
        except (smtplib.SMTPException, *Gone, UnicodeError) as error:
            return _later(letter, error), False
        return self._body(server, letter, mail)

    def _envelope(self, server: smtplib.SMTP, letter: Letter) -> list[tuple[int, bytes]]:
        sent = server.mail(self.return_path or parseaddr(self.sender)[1])
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
        return f"<{letter.client_id}@{domain_of(self.sender)}>"

    def mail(self, letter: Letter) -> EmailMessage:
        """Raises ValueError for an address or a subject that would inject a header."""
        mail = EmailMessage()
        mail["From"] = self.sender
        mail["To"] = letter.to
        mail["Subject"] = letter.subject
        mail["Message-ID"] = self.message_id(letter)
        mail["Auto-Submitted"] = "auto-generated"
        if letter.unsubscribe_url:
            _offer_the_way_out(mail, letter.unsubscribe_url)
        mail.set_content(letter.text, cte="quoted-printable")
        if letter.picture:
            _show(mail, letter)
        return mail


def domain_of(sender: str) -> str:
    """Of "Clinic <clinic@example.org>": what stands behind the @ of our Message-IDs."""
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _offer_the_way_out(mail: EmailMessage, url: str) -> None:
    """The button of the mail program (RFC 8058). One click may only POST, and only over https."""
    mail["List-Unsubscribe"] = f"<{url}>"
    if url.startswith("https://"):
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _show(mail: EmailMessage, letter: Letter) -> None:
    """The same words as HTML below an embedded picture: nothing is fetched from anywhere, so nothing tells that and
    where it was opened. The text is escaped: it may hold a patient's name, and that is no markup."""
    kind, _slash, subtype = (letter.picture_type or "image/png").partition("/")
    cid = make_msgid(domain=domain_of(str(mail["From"])))
    lines = "<br>\n".join(_linked(line) for line in letter.text.splitlines())
    page = f'<p><img src="cid:{cid[1:-1]}" alt="" width="600" style="max-width:100%;height:auto"></p>\n<p>{lines}</p>\n'
    mail.add_alternative(page, subtype="html", cte="quoted-printable")
    html = mail.get_payload()[1]  # type: ignore[index]
    html.add_related(bytes(letter.picture or b""), kind, subtype, cid=cid, disposition="inline")  # type: ignore[union-attr]


def _linked(line: str) -> str:
    """Escaped, with what is an address of ours made clickable."""
    return LINK.sub(r'<a href="\g<0>">\g<0></a>', escape(line))


def _quit(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()  # everything was handed over; the goodbye does not matter


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)


def _refusal(letter: Letter, code: int, answer: bytes | str, *, of_address: bool = False) -> Outcome:
    """5xx = for good, 4xx = not now: in both cases the server said that it did not take it.

    `of_address`: refused before the letter was shown, so the reason may be that there is no such address.
    """
    words = _text(answer)
    if code >= 500:
        dead = of_address and status_in(words) != "" and is_dead(status_in(words))
        return Outcome(letter, Result.REFUSED, Reason.BOUNCED if dead else Reason.GATEWAY, f"{code} {words}")
    return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, f"{code} {words}")


def _later(letter: Letter, error: BaseException) -> Outcome:
    return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, type(error).__name__)
