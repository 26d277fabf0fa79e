"""How many wrong passwords came lately: by address over all names, and by name over all addresses (threat 39)."""

from __future__ import annotations

from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.db.models import QuerySet, Sum
from django.db.models.functions import Least

WINDOW = timedelta(minutes=15)
FROM_ONE_ADDRESS = 30  # a whole clinic sits behind one address: twenty people who each mistype once pass
FOR_ONE_NAME = 15
COUNTED = 5  # at most so many of one name from one address: then that pair is closed by itself


def _lately(attempts: QuerySet[AccessAttempt], now: datetime) -> int:
    wrong = Sum(Least("failures_since_start", COUNTED))
    return int(attempts.filter(attempt_time__gt=now - WINDOW).aggregate(n=wrong)["n"] or 0)


def too_many_failures(*, name: str, address: str, now: datetime) -> bool:
    """Whether a browser that nobody has signed in from before must wait. The name need not exist."""
    return (
        _lately(AccessAttempt.objects.filter(ip_address=address), now) >= FROM_ONE_ADDRESS
        or _lately(AccessAttempt.objects.filter(username=name), now) >= FOR_ONE_NAME
    )
