"""An SMSC that is not ours: the independent implementation `smpp34`, on a port, in a thread of its own.

By the last digits of a number: …81 is put off twice (throttled), …82 has no room (queue full) for ever, …83 does not exist,
…84 gets its first part taken and the others put off for ever. Everything else is taken, and gets a receipt where asked for.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from contextlib import contextmanager

import smpp34

from tests.drills.clinic import free_port


class Simulator:
    """`taken`: the parts that it accepted, as they came. `receipts`: what it still has to deliver to a receiver."""

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: list[dict] = []
        self.tries: Counter[str] = Counter()
        self.receipts: list[dict] = []
        self.acknowledged: list[int] = []
        self.binds = 0
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        assert self.ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self.server = smpp34.Server(host="127.0.0.1", port=self.port, system_id="SIM")
        await self.server.start()
        self.ready.set()
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.binds += 1
                if event.can_receive:
                    self.waiting = asyncio.ensure_future(self._deliver(event))
            elif isinstance(event, smpp34.SubmitSmEvent):
                self._answer(event)

    def _answer(self, event) -> None:
        to, number = event.destination_addr, len(self.taken)
        self.tries[to] += 1
        first = not event.esm_class & 0x40 or event.short_message[5] == 1
        if (to.endswith("9900081") and self.tries[to] <= 2) or (to.endswith("9900084") and not first):
            return event.reject(smpp34.ESME_RTHROTTLED)
        if to.endswith("9900082"):
            return event.reject(smpp34.ESME_RMSGQFUL)
        if to.endswith("9900083"):
            return event.reject(smpp34.ESME_RINVDSTADR)
        self.taken.append(
            {"to": to, "from": event.source_addr, "body": event.short_message, "coding": event.data_coding,
             "esm": event.esm_class, "ton": event.source_addr_ton, "receipt": event.registered_delivery,
             "id": f"m{number}"}
        )  # fmt: skip
        return event.accept(f"m{number}")

    async def _deliver(self, esme) -> None:
        while self.receipts:
            said = self.receipts.pop(0)
            answer = await asyncio.wait_for(asyncio.ensure_future(esme.deliver_sm(**said)), 5)
            self.acknowledged.append(answer.command_status)

    def will_deliver(self, id_: str, stat: str, *, tlv: bool = False) -> None:
        text = f"id:{id_} sub:001 dlvrd:001 submit date:2611251000 done date:2611251001 stat:{stat} err:000 text:x"
        states = {"DELIVRD": 2, "UNDELIV": 5}
        tlvs = [smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, id_.encode() + b"\0"),
                smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes((states[stat],)))]  # fmt: skip
        said = {"tlvs": tlvs} if tlv else {"short_message": text.encode()}
        self.receipts.append({"destination_addr": "CLINIC", "source_addr": "79160000001", "esm_class": 4, **said})

    def will_say(self, sender: str, text: str) -> None:
        self.receipts.append(
            {"destination_addr": "CLINIC", "source_addr": sender, "data_coding": 8,
             "short_message": text.encode("utf-16-be")}
        )  # fmt: skip

    def stop(self) -> None:
        async def stop() -> None:
            await self.server.stop()

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(10)


@contextmanager
def simulator():
    found = Simulator()
    try:
        yield found
    finally:
        found.stop()


@contextmanager
def broken_line(answers: int):
    """An SMSC that binds, answers `answers` submits, reads one more and hangs up. Yields (port, PDUs seen)."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[int] = []

    def read(line: socket.socket) -> tuple[int, int]:
        head = b""
        while len(head) < 16:
            more = line.recv(16 - len(head))
            if not more:
                raise EOFError
            head += more
        length, command, _status, sequence = struct.unpack(">LLLL", head)
        rest = length - 16
        while rest:
            rest -= len(line.recv(rest))
        seen.append(command)
        return command, sequence

    def serve() -> None:
        left = answers
        while True:
            try:
                line, _peer = listener.accept()
            except OSError:
                return
            with line:
                try:
                    while True:
                        command, sequence = read(line)
                        if command == 4 and left == 0:
                            break
                        left -= command == 4
                        body = b"x1\0" if command != 6 else b""
                        line.sendall(struct.pack(">LLLL", 16 + len(body), command | 0x80000000, 0, sequence) + body)
                except (EOFError, OSError):
                    pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        listener.close()
