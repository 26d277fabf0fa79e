"""Is sending alive? Red when the last tick or the oldest due message is over three minutes old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from messaging.models import Heartbeat, Message, TransportSetting
from messaging.models.outbox import State
from messaging.queries.verdict import not_paused

RED = timedelta(minutes=3)


def beat_age(name: str, now: datetime) -> timedelta | None:
    """None = it never happened."""
    at = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    return None if at is None else now - at


def oldest_due_age(now: datetime) -> timedelta:
    """How long the oldest message that may go out has been waiting; what a person paused does not count, nor what rests
    because of its provider."""
    broken = TransportSetting.objects.filter(broken_until__gt=now).exclude(broken_at=None)
    due = not_paused(Message.objects.due(now)).exclude(transport__in=broken.values("transport"))
    oldest = due.aggregate(at=Min("not_before"))["at"]
    return timedelta(0) if oldest is None else now - oldest


def overdue(now: datetime) -> bool:
    """Due messages stand still: the oldest is over three minutes old and no worker has moved any for as long."""
    moved = beat_age("sent", now)
    return oldest_due_age(now) > RED and (moved is None or moved > RED)


@dataclass(frozen=True)
class Health:
    """Seconds; `tick_age` None = there never was a tick."""

    tick_age: float | None
    oldest_due: float
    unknown: int

    @property
    def tick_ok(self) -> bool:
        return self.tick_age is not None and self.tick_age <= RED.total_seconds()

    @property
    def due_ok(self) -> bool:
        return self.oldest_due <= RED.total_seconds()


def health(now: datetime) -> Health:
    tick = beat_age("tick", now)
    return Health(
        tick_age=None if tick is None else round(tick.total_seconds(), 1),
        oldest_due=round(oldest_due_age(now).total_seconds(), 1),
        unknown=Message.objects.filter(state=State.UNKNOWN).count(),
    )
