"""No provider is set up: refuse and say so, instead of pretending or waiting for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from messaging.models.outbox import Reason
from messaging.transports.base import Deadline, Letter, LookUp, Outcome, Result, Verdict


class Sink:
    dedupe = "lookup"  # it never accepts anything, and knows it
    batch = 500
    call_seconds = 1.0
    key_seconds = 0.0
    settle_seconds = 0.0

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> list[Outcome]:
        return [Outcome(letter, Result.REFUSED, Reason.NOT_CONFIGURED) for letter in letters]

    def look_up(self, client_ids: Mapping[str, str]) -> list[LookUp]:
        return [LookUp(client_id, Verdict.NOT_FOUND) for client_id in client_ids]
