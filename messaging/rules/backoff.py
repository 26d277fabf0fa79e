"""How long to wait after the provider said "not now", and when to stop."""

from __future__ import annotations

from datetime import timedelta

MOST_ATTEMPTS = 40
LONGEST_WAIT = timedelta(minutes=10)
LONGEST_ASKED = timedelta(hours=1)  # a Retry-After of a day would outlive the message


def wait(attempt: int, asked: float | None) -> timedelta:
    """`asked` = the provider's Retry-After in seconds. Otherwise 2, 4, 8 … seconds, at most ten minutes."""
    if asked is not None:
        return min(timedelta(seconds=max(asked, 1.0)), LONGEST_ASKED)
    return min(timedelta(seconds=2.0 ** min(attempt, 12)), LONGEST_WAIT)


def recheck(checks: int) -> timedelta:
    """Between two questions about a message whose outcome is unknown: 5, 10, 20 … seconds, at most ten minutes."""
    return min(timedelta(seconds=5.0 * 2.0 ** min(checks, 10)), LONGEST_WAIT)
