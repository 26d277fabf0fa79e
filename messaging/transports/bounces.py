"""The mailbox in which bounces arrive (`BOUNCES_URL`: imaps://user:password@host:993/INBOX, imap://, pop3s://, pop3://).

What was dealt with is marked as read (IMAP) or deleted (POP3, which has no marks). Everything else stays as it was: the
mailbox may also hold what people wrote. One visit looks at a bounded number of mails, newest first.
"""

from __future__ import annotations

import imaplib
import poplib
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

TIMEOUT = 20.0
MOST = 200  # mails a visit
LARGEST = 1024 * 1024
REPORT = re.compile(rb"^content-type:\s*multipart/report\b", re.I | re.M)
PORTS = {"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995}
# Some servers fold no lines; the size of a mail is bounded anyway.
poplib._MAXLINE = 1024 * 1024  # type: ignore[attr-defined]
Broken = (imaplib.IMAP4.error, poplib.error_proto, OSError, EOFError, ValueError)
Handle = Callable[[bytes], bool]  # a raw mail → whether it was one that is dealt with now


class MailboxAway(Exception):
    """The mailbox cannot be read now; the text is the kind of the error."""


@dataclass(frozen=True)
class BounceBox:
    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str = "INBOX"

    @classmethod
    def from_url(cls, url: str) -> BounceBox:
        """Raises ValueError for another scheme."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(
                "BOUNCES_URL must look like imaps://user:password@host/INBOX or pop3s://user:password@host"
            )
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        port = parts.port or PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname, port, user, password, unquote(parts.path.strip("/")) or "INBOX")

    def read(self, handle: Handle) -> int:
        """Show every new notification to `handle`. Returns how many were dealt with. Raises MailboxAway."""
        try:
            return self._imap(handle) if self.scheme.startswith("imap") else self._pop(handle)
        except Broken as error:
            raise MailboxAway(type(error).__name__) from error

    def _imap(self, handle: Handle) -> int:
        box: imaplib.IMAP4
        if self.scheme == "imaps":
            box = imaplib.IMAP4_SSL(self.host, self.port, ssl_context=ssl.create_default_context(), timeout=TIMEOUT)
        else:
            box = imaplib.IMAP4(self.host, self.port, timeout=TIMEOUT)
        with box:
            box.login(self.user, self.password)
            chosen, _said = box.select(f'"{self.folder}"')
            if chosen != "OK":
                raise imaplib.IMAP4.error("no such folder")
            _ok, found = box.uid("SEARCH", "UNSEEN")
            numbers = bytes(found[0] or b"").split()[-MOST:]
            return sum(self._look(box, number.decode(), handle) for number in reversed(numbers))

    def _look(self, box: imaplib.IMAP4, number: str, handle: Handle) -> bool:
        head = _fetched(box.uid("FETCH", number, "(BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE)])"))
        if not REPORT.search(head):
            return False
        raw = _fetched(box.uid("FETCH", number, f"(BODY.PEEK[]<0.{LARGEST}>)"))
        if not handle(raw):
            return False
        box.uid("STORE", number, "+FLAGS.SILENT", "(\\Seen)")
        return True

    def _pop(self, handle: Handle) -> int:
        box: poplib.POP3
        if self.scheme == "pop3s":
            context = ssl.create_default_context()
            box = poplib.POP3_SSL(self.host, self.port, timeout=TIMEOUT, context=context)
        else:
            box = poplib.POP3(self.host, self.port, timeout=TIMEOUT)
        try:
            box.user(self.user)
            box.pass_(self.password)
            sizes = [line.split() for line in box.list()[1]]
            newest = [int(number) for number, size in reversed(sizes) if int(size) <= LARGEST][:MOST]
            done = [number for number in newest if self._take(box, number, handle)]
            box.quit()  # only now the server deletes: a connection that broke before leaves everything there
            return len(done)
        finally:
            box.close()

    def _take(self, box: poplib.POP3, number: int, handle: Handle) -> bool:
        if not REPORT.search(b"\n".join(box.top(number, 0)[1])) or not handle(b"\n".join(box.retr(number)[1])):
            return False
        box.dele(number)
        return True


def _fetched(answer: Any) -> bytes:
    """The bytes that a FETCH brought; empty for a mail that is gone."""
    return b"".join(part[1] for part in answer[1] if isinstance(part, tuple) and isinstance(part[1], bytes))
