"""Quiet hours in the addressee's zone. They go by a named zone, never by an offset: laws change offsets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from core.clock import zone

CLOSES = time(21, 0)
OPENS = time(9, 0)
# Who has booked this moment is awake and waits for the answer, whatever the hour.
AWAKE = timedelta(minutes=15)
ANSWERS = ("confirmation",)
EVENING = time(20, 0)  # when that what falls into the night goes out: before it, not after


@dataclass(frozen=True)
class Span:
    """Half-open [start, end) of instants in UTC."""

    start: datetime
    end: datetime


def is_quiet(instant: datetime, tz: str) -> bool:
    local = instant.astimezone(zone(tz)).time()
    return local >= CLOSES or local < OPENS


def opening(instant: datetime, tz: str) -> datetime:
    """The first moment at or after `instant` that is not quiet (UTC)."""
    if not is_quiet(instant, tz):
        return instant
    local = instant.astimezone(zone(tz))
    day = local.date() + timedelta(days=1 if local.time() >= CLOSES else 0)
    return datetime.combine(day, OPENS, tzinfo=zone(tz)).astimezone(UTC)


def opening_for(instant: datetime, tz: str, lasts: timedelta) -> datetime:
    """The first moment at or after `instant` from which on it is not quiet for as long as the thing `lasts`: what is
    begun at one minute to nine in the evening would otherwise end after it."""
    opens = opening(instant, tz)
    return opening(opens + lasts, tz) if is_quiet(opens + lasts, tz) else opens


def night_ahead(now: datetime, tz: str) -> Span | None:
    """The coming night, once its evening has begun: what is due inside it goes out now. None earlier in the day."""
    local = now.astimezone(zone(tz))
    if local.time() < EVENING:
        return None
    day = local.date()
    closes = datetime.combine(day, CLOSES, tzinfo=zone(tz))
    opens = datetime.combine(day + timedelta(days=1), OPENS, tzinfo=zone(tz))
    return Span(closes.astimezone(UTC), opens.astimezone(UTC))


def due_spans(now: datetime, tz: str, lead: timedelta) -> list[Span]:
    """Starts of the visits of zone `tz` whose reminder, `lead` before the visit, is to go out by `now`.

    A reminder that falls into quiet hours goes out in the evening before them.
    """
    spans = [Span(now, now + lead + timedelta(microseconds=1))]
    night = night_ahead(now, tz)
    if night is not None:
        spans.append(Span(max(night.start + lead, now), night.end + lead))
    return spans
