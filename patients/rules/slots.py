"""Free time = shifts minus what holds the doctor's time. Half-open spans: back-to-back is no overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

Span = tuple[datetime, datetime]


def gaps(shift: Span, busy: Iterable[Span]) -> Iterator[Span]:
    """The parts of `shift` that no span of `busy` (sorted by start, may overlap one another) covers."""
    at, end = shift
    for start, stop in busy:
        if start >= end:
            break
        if start > at:
            yield at, start
        at = max(at, stop)
    if at < end:
        yield at, end


def rounded_up(moment: datetime, step: timedelta) -> datetime:
    """The next whole `step` of the hour at or after `moment`."""
    past = timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond) % step
    return moment + (step - past) if past else moment


def cut(gap: Span, length: timedelta, step: timedelta, not_before: datetime) -> Iterator[Span]:
    """Slots of `length` inside `gap`, starting at whole steps, none before `not_before`."""
    at = rounded_up(max(gap[0], not_before), step)
    while at + length <= gap[1]:
        yield at, at + length
        at += step
