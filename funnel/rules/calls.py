"""A call built from what a telephony provider said about it, in whatever order and however often it said it (R96, R115).

The events are kept; the call is folded from all of them anew. So a late or repeated event cannot spoil it, and one more
event only ever adds: who talked once has talked, whatever is said later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

IN, OUT, INTERNAL = "in", "out", "internal"
ANSWERED, MISSED, BUSY, REJECTED, FAILED = "answered", "missed", "busy", "rejected", "failed"
WEIGHT = {"": 0, MISSED: 1, FAILED: 2, BUSY: 3, REJECTED: 4, ANSWERED: 5}  # what is said more exactly weighs more


@dataclass(frozen=True)
class Said:
    """One event. `call_id` and `event_id` are the provider's; phones are E.164 or ""; `at` is when it happened.

    `outcome` is empty while the call goes on. `talk_seconds` None = not said.
    """

    call_id: str
    event_id: str
    at: datetime
    direction: str = ""
    from_number: str = ""
    to_number: str = ""
    called_number: str = ""
    extension: str = ""
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    talk_seconds: int | None = None
    outcome: str = ""
    recording: str = ""


@dataclass(frozen=True)
class Built:
    """The call as far as it is known; `outcome` is empty while it goes on."""

    direction: str
    from_number: str
    to_number: str
    called_number: str
    extension: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    talk_seconds: int | None
    outcome: str
    recording: str


def build_call(events: Iterable[Said]) -> Built:
    """The call that these events tell of (all of one call, at least one). Order and repeats do not matter."""
    told = sorted(set(events), key=lambda said: (said.at, said.event_id))
    answered_at = min((said.answered_at for said in told if said.answered_at), default=None)
    ended_at = max((said.ended_at for said in told if said.ended_at), default=None)
    talk = max((said.talk_seconds for said in told if said.talk_seconds is not None), default=None)
    return Built(
        direction=_first(said.direction for said in told),
        from_number=_first(said.from_number for said in told),
        to_number=_first(said.to_number for said in told),
        called_number=_first(said.called_number for said in told),
        extension=_operator(told),
        started_at=min(said.started_at or said.at for said in told),
        answered_at=answered_at,
        ended_at=ended_at,
        talk_seconds=talk,
        outcome=_outcome(told, answered_at is not None or bool(talk), ended_at is not None),
        recording=_first(said.recording for said in told),
    )


def _first(words: Iterable[str]) -> str:
    return next((word for word in words if word), "")


def _operator(told: list[Said]) -> str:
    """Who answered; where nobody did, whose phone rang first."""
    return _first(said.extension for said in told if said.answered_at) or _first(said.extension for said in told)


def _outcome(told: list[Said], talked: bool, ended: bool) -> str:
    if talked:
        return ANSWERED
    said = max((said.outcome for said in told), key=lambda word: WEIGHT[word])
    return said or (MISSED if ended else "")
