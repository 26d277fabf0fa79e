"""The interface of every transport.

`send` hands over a batch and says for each letter what is known. The words matter: NOT_ACCEPTED means that the
provider has surely not taken it, UNKNOWN that nobody can tell. `dedupe` says what the provider gives against doubles:
`key` (it honours our client_id), `lookup` (it can be asked by client_id), `window` or `none`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

# Goes on while a virtual machine sleeps or a process is stopped: a zombie must see that its lease is over.
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Deadline:
    """No call may start after it: the lease would run out under it and another worker would act."""

    def __init__(self, seconds: float) -> None:
        self.at = time.clock_gettime(CLOCK) + seconds

    def passed(self) -> bool:
        return time.clock_gettime(CLOCK) >= self.at


class Result(Enum):
    ACCEPTED = "accepted"
    REFUSED = "refused"  # for good
    NOT_ACCEPTED = "not_accepted"  # surely not taken: try again later
    UNKNOWN = "unknown"
    NOT_TRIED = "not_tried"  # no call was made


@dataclass(frozen=True)
class Letter:
    """One message as a transport sees it. `id` and `attempt` name the row and the try; `unsure_at` = an earlier try had
    no known outcome. `kind` is the purpose; the rest is for mail: where one click unsubscribes, a picture of a type."""

    id: int
    attempt: int
    client_id: str
    to: str
    subject: str
    text: str
    unsure_at: datetime | None = None
    kind: str = ""
    unsubscribe_url: str = ""
    picture: bytes | None = None
    picture_type: str = ""


@dataclass(frozen=True)
class Outcome:
    """`reason` is a code of `Reason`, `detail` the provider's words; `retry_after` in seconds (given = the provider is
    well and only sets the pace); `cost` in minor units where the provider names it."""

    letter: Letter
    result: Result
    reason: str = ""
    detail: str = ""
    provider_id: str = ""
    retry_after: float | None = None
    cost: int | None = None


class Verdict(Enum):
    """What a look-up tells about a client_id."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True)
class LookUp:
    client_id: str
    verdict: Verdict
    provider_id: str = ""
    status: str = ""
    cost: int | None = None


class Transport(Protocol):
    dedupe: str
    batch: int  # letters handed over under one lease
    call_seconds: float  # the longest that one call may take
    key_seconds: float  # how long the provider remembers a key
    settle_seconds: float  # how long it may still work on a call whose answer was lost

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> list[Outcome]: ...

    def look_up(self, asked: Mapping[str, str], /) -> list[LookUp]:
        """`asked`: client_id → address. One answer each."""
        ...


class Listener(Protocol):
    """A transport whose provider keeps receipts and answers until it is asked for them."""

    def receive(self, take: Callable[[Mapping[str, Any]], None], *, seconds: float) -> int: ...
