"""A POP3 and an IMAP server on loopback, as small as the protocols allow: what our reader asks of them and no more."""

from __future__ import annotations

import re
import socketserver
import threading
from contextlib import contextmanager

USER, PASSWORD = "bounces@clinic.example.org", "p:w/1"


class Box:
    """`mails` by number from 1; `deleted` and `seen` are what the client did to them for good."""

    def __init__(self, mails: list[bytes]) -> None:
        self.mails = dict(enumerate(mails, start=1))
        self.deleted: set[int] = set()
        self.seen: set[int] = set()
        self.fetched: list[str] = []
        self.port = 0
        self.drop_before_quit = False

    @property
    def left(self) -> dict[int, bytes]:
        return {number: raw for number, raw in self.mails.items() if number not in self.deleted}


class Pop3(socketserver.StreamRequestHandler):
    box: Box

    def handle(self) -> None:
        user, marked = "", set()
        self._say("+OK ready")
        for line in self.rfile:
            word, *rest = line.decode().split()
            number = int(rest[0]) if rest and rest[0].isdigit() else 0
            if word == "USER":
                user = rest[0]
                self._say("+OK")
            elif word == "PASS":
                self._say("+OK" if (user, rest[0]) == (USER, PASSWORD) else "-ERR no")
            elif word == "LIST":
                self._lines("+OK", [f"{n} {len(raw)}".encode() for n, raw in self.box.left.items()])
            elif word in ("TOP", "RETR"):
                self.box.fetched.append(f"{word} {number}")
                raw = self.box.left[number]
                self._lines("+OK", (raw.split(b"\r\n\r\n")[0] if word == "TOP" else raw).split(b"\r\n"))
            elif word == "DELE":
                marked.add(number)
                self._say("+OK")
            elif word == "QUIT":
                if not self.box.drop_before_quit:
                    self.box.deleted |= marked
                    self._say("+OK bye")
                return

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def _lines(self, first: str, lines: list[bytes]) -> None:
        body = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
        self.wfile.write(first.encode() + b"\r\n" + body + b".\r\n")


class Imap(socketserver.StreamRequestHandler):
    box: Box

    def handle(self) -> None:
        self._say("* OK IMAP4rev1 ready")
        for line in self.rfile:
            tag, word, rest = [*line.decode().strip().split(" ", 2), ""][:3]
            done = getattr(self, f"do_{word.lower()}", None)
            if done is None:
                self._say(f"{tag} BAD what")
            elif done(tag, rest) == "bye":
                return

    def do_capability(self, tag: str, _rest: str) -> None:
        self._say("* CAPABILITY IMAP4rev1")
        self._say(f"{tag} OK done")

    def do_login(self, tag: str, rest: str) -> None:
        good = rest == f'{USER} "{PASSWORD}"' or rest == f'"{USER}" "{PASSWORD}"'
        self._say(f"{tag} OK done" if good else f"{tag} NO wrong")

    def do_select(self, tag: str, rest: str) -> None:
        if rest != '"INBOX"':
            self._say(f"{tag} NO no such folder")
            return
        self._say(f"* {len(self.box.mails)} EXISTS")
        self._say(f"{tag} OK [READ-WRITE] done")

    def do_uid(self, tag: str, rest: str) -> None:
        word, arguments = rest.split(" ", 1)
        if word == "SEARCH":
            self._say("* SEARCH " + " ".join(str(n) for n in self.box.mails if n not in self.box.seen))
        elif word == "FETCH":
            number = int(arguments.split()[0])
            raw = self.box.mails[number]
            self.box.fetched.append(arguments)
            head = raw.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
            body = head if "HEADER" in arguments else raw
            self.wfile.write(f"* 1 FETCH (UID {number} BODY[] {{{len(body)}}}\r\n".encode() + body + b")\r\n")
        elif word == "STORE" and re.search(r"\\Seen", arguments):
            self.box.seen.add(int(arguments.split()[0]))
        self._say(f"{tag} OK done")

    def do_logout(self, tag: str, _rest: str) -> str:
        self._say("* BYE")
        self._say(f"{tag} OK done")
        return "bye"

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def mailbox(kind: type[socketserver.StreamRequestHandler], mails: list[bytes]):
    box = Box(mails)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), type("Handler", (kind,), {"box": box}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    box.port = server.server_address[1]
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
