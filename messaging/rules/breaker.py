"""When a provider makes too many errors, sending on it rests, and begins again with a handful."""

from __future__ import annotations

from datetime import timedelta

from messaging.models.outbox import Reason
from messaging.transports.base import Outcome, Result

WINDOW = timedelta(minutes=5)  # of whose tries the share is counted
LEAST = 20  # tries: fewer say nothing
FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(minutes=15)
PROBE = 5  # messages that try whether it is well again
KEPT = timedelta(days=2)


def is_fault(outcome: Outcome) -> bool:
    """Whether this outcome speaks against the provider.

    Who names a pause is well and only sets the pace; a number that is blocked or a text that cannot be put together is
    the message's own fault; "the same text" is an answer.
    """
    if outcome.result in (Result.NOT_ACCEPTED, Result.UNKNOWN):
        return outcome.retry_after is None and outcome.reason != Reason.SAME_TEXT
    return outcome.result is Result.REFUSED and outcome.reason == Reason.GATEWAY


def is_too_much(tries: int, faults: int) -> bool:
    """At least half of enough tries."""
    return tries >= LEAST and 2 * faults >= tries


def is_well(tries: int, faults: int) -> bool:
    """What a probe must show, however small it was."""
    return tries > 0 and 2 * faults < tries


def rest(broken_for: timedelta) -> timedelta:
    """Until the next probe: as long as it has been broken already, so the rests double."""
    return min(max(broken_for, FIRST_REST), LONGEST_REST)
