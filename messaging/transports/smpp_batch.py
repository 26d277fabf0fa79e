"""One batch over SMPP lines: what is still to be handed over, what awaits an answer, what is known.

Several letters are on their way at once; each answer is told by its sequence number. A part that the SMSC puts off is
handed over again after a rest, under the same number of the long message.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from smpplib import consts

from messaging.models.outbox import Reason
from messaging.rules.sms_parts import Parts, parts_of
from messaging.transports.base import Deadline, Letter, Outcome, Result

WINDOW = 10  # letters whose answers are awaited at once
PATIENCE = 5  # tries of one part that the SMSC puts off
PAUSE = 1.0  # seconds of rest that a throttling SMSC gets
THROTTLED = frozenset({consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL})
# Refusals that another try cannot change: they are of this text or this number. All others may be ours, or pass.
FOR_GOOD = frozenset(
    {consts.SMPP_ESME_RINVMSGLEN, consts.SMPP_ESME_RINVDSTADR, consts.SMPP_ESME_RINVDSTTON, consts.SMPP_ESME_RINVDSTNPI}
)
HEADED = 0x40  # bit of esm_class: the body begins with a header


@dataclass
class Job:
    """One letter on its way: parts that have an answer, and how often one was put off."""

    letter: Letter
    parts: Parts
    open: list[int]  # numbers of parts that are still to be handed over
    awaited: int = 0
    taken: int = 0
    provider_id: str = ""
    tries: int = 0
    refusal: Outcome | None = None


@dataclass
class Batch:
    """One batch: what is still to be handed over, what awaits an answer, what is known."""

    sender: str
    deadline: Deadline
    todo: deque[Job] = field(default_factory=deque)
    awaited: dict[int, tuple[Job, int]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    rest_until: float = 0.0
    trouble: str = ""

    def add(self, letter: Letter) -> None:
        try:
            if not letter.to.lstrip("+").isdecimal():
                raise ValueError("not a phone")
            parts = parts_of(letter.text, letter.client_id)
        except ValueError as error:  # a poison recipient: only his row fails
            self.outcomes.append(Outcome(letter, Result.REFUSED, Reason.BAD_MESSAGE, str(error)))
            return
        self.todo.append(Job(letter, parts, list(range(len(parts.bodies)))))

    def carry(self, client: Any) -> None:
        self.trouble = ""
        client.set_message_sent_handler(self._answered)
        client.set_error_pdu_handler(self._nacked)
        while True:
            self._hand_over(client)
            if not self.awaited:
                if not self.todo or self.deadline.passed():
                    return
                time.sleep(max(self.rest_until - time.monotonic(), 0.05))
                continue
            client.read_once(auto_send_enquire_link=False)

    def _hand_over(self, client: Any) -> None:
        while (
            self.todo
            and len(self.awaited) < WINDOW
            and time.monotonic() >= self.rest_until
            and not self.deadline.passed()
        ):
            job = self.todo.popleft()
            while job.open:
                number = job.open[0]
                job.awaited += 1  # counted before the call: a line that breaks in the middle of it leaves it open
                self.awaited[-1] = (job, number)
                sequence = self._submit(client, job, number)
                del self.awaited[-1]
                self.awaited[sequence] = (job, number)
                job.open.pop(0)

    def _submit(self, client: Any, job: Job, number: int) -> int:
        """Hand over one part; the sequence number under which its answer will come. The last one asks for a receipt: a
        phone shows a long message once it has all of it."""
        body, last = job.parts.bodies[number], number == len(job.parts.bodies) - 1
        ton, npi = _kind_of(self.sender)
        pdu = client.send_message(
            source_addr=self.sender.lstrip("+"),
            source_addr_ton=ton,
            source_addr_npi=npi,
            dest_addr_ton=consts.SMPP_TON_INTL,
            dest_addr_npi=consts.SMPP_NPI_ISDN,
            destination_addr=job.letter.to.lstrip("+"),
            short_message=body,
            data_coding=job.parts.data_coding,
            esm_class=HEADED if job.parts.headed else 0,
            registered_delivery=1 if last else 0,
        )
        return int(pdu.sequence)

    def _nacked(self, pdu: Any) -> None:
        if pdu.command == "generic_nack":
            self._answered(pdu)

    def _answered(self, pdu: Any) -> None:
        job, number = self.awaited.pop(pdu.sequence, (None, 0))
        if job is None:
            return
        job.awaited -= 1
        if pdu.status == consts.SMPP_ESME_ROK:
            job.taken += 1
            if number == len(job.parts.bodies) - 1:
                job.provider_id = word(pdu.message_id)
        elif pdu.status in THROTTLED and job.tries < PATIENCE:
            job.tries += 1
            job.open.append(number)
            self.rest_until = time.monotonic() + PAUSE
        else:
            job.refusal = _refusal(job.letter, pdu.status)
        if job.awaited == 0:
            self._settle(job)

    def _settle(self, job: Job) -> None:
        if job.refusal is not None:
            self._partly(job, job.refusal)
        elif job.open:
            self.todo.append(job)
        else:
            self.outcomes.append(Outcome(job.letter, Result.ACCEPTED, provider_id=job.provider_id[:120]))

    def _partly(self, job: Job, otherwise: Outcome) -> None:
        """Of a long message some parts may be on their way: then nobody can say that it was not taken."""
        if job.taken:
            otherwise = Outcome(job.letter, Result.UNKNOWN, Reason.NO_ANSWER, f"a part was taken; {otherwise.detail}")
        self.outcomes.append(otherwise)

    def line_lost(self, error: BaseException) -> None:
        """What awaits an answer is unknown; what was not begun may go over the next line."""
        self.trouble = str(error.args[0]) if error.args else type(error).__name__
        lost = {id(job): job for job, _number in self.awaited.values()}
        self.awaited.clear()
        for job in lost.values():
            self.outcomes.append(Outcome(job.letter, Result.UNKNOWN, Reason.NO_ANSWER, self.trouble))

    def give_up(self) -> None:
        for job in self.todo:
            if job.tries:
                later = Outcome(job.letter, Result.NOT_ACCEPTED, Reason.BUSY, "throttled", retry_after=PAUSE)
                self._partly(job, later)
            elif self.trouble:
                self.outcomes.append(Outcome(job.letter, Result.NOT_ACCEPTED, Reason.BUSY, self.trouble))
            else:
                self.outcomes.append(Outcome(job.letter, Result.NOT_TRIED))


def _refusal(letter: Letter, status: int) -> Outcome:
    """An answer with an error says that this part was not taken."""
    words = consts.DESCRIPTIONS.get(status, f"0x{status:08X}")
    if status in FOR_GOOD:
        return Outcome(letter, Result.REFUSED, Reason.GATEWAY, words)
    pace = PAUSE if status in THROTTLED else None
    return Outcome(letter, Result.NOT_ACCEPTED, Reason.BUSY, words, retry_after=pace)


def _kind_of(sender: str) -> tuple[int, int]:
    """TON and NPI: a name, a short number, or a whole one."""
    digits = sender.lstrip("+")
    if not digits.isdecimal():
        return consts.SMPP_TON_ALNUM, consts.SMPP_NPI_UNK
    return (consts.SMPP_TON_INTL if len(digits) > 8 else consts.SMPP_TON_UNK), consts.SMPP_NPI_ISDN


def word(value: bytes | str | None) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""
