"""What an automation is: who is due, what goes out, until when it makes sense, once per what.

Declared in the room that knows who is due and registered in its `AppConfig.ready`. `who` is a queryset of visits, of
patients, or of any model with a `patient`; `until` and `once_per` are expressions over that model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.rules.priority import priority_of
from messaging.rules.texts import Wording
from patients.models.contact import ADVERTISES

KINDS = {
    "visits": _("Visits"),
    "care": _("Care"),
    "feedback": _("Feedback"),
    "advertising": _("Advertising"),
}


@dataclass(frozen=True)
class Delay:
    """How long before or after its event a message is due, and within which limits a person may choose otherwise."""

    default: timedelta
    least: timedelta
    most: timedelta
    before: bool = False

    def offset(self, minutes: int | None) -> timedelta:
        """From the event: negative = before it. `minutes` = what the clinic chose, None = as declared."""
        chosen = self.default if minutes is None else timedelta(minutes=minutes)
        chosen = min(max(chosen, self.least), self.most)
        return -chosen if self.before else chosen


@dataclass(frozen=True)
class Automation:
    """`code` stands in keys, settings and statistics and never changes. `template` is a code of `rules.texts`.

    who(now), or with a `delay` who(now, offset): the subjects whose event lay `offset` before `now`. Whoever answers
    bounds the past himself, so that a clinic's first day does not write to everybody of the last ten years.
    `attempts` are planned `every` so often from the first on, each once. `until`: an expression, or how long after it was
    planned a message still makes sense. `by_clock`: planned by every tick; False = by `followup` when a fact arrives.
    `about_time`: the text speaks of the visit's time, so that a visit that moves or begins ends the message.
    `rests`: the tick asks no more often than that who is due, where the answer changes by the day and is dear.
    `stops_when_booked`: whoever booked meanwhile gets no more of it. `transports`: the only ones it may take; () = all.
    `texts`: the default wording by (transport, language), where it does not stand in `rules.texts`.
    `priority`: follows from the purpose; named only by a service message that is of another kind.
    """

    code: str
    name: str | Promise
    explains: str | Promise
    purpose: str
    template: str
    who: Callable[..., Any]
    until: Any
    once_per: tuple[Any, ...]
    by_clock: bool = True
    priority: int | None = None
    kind: str = "visits"
    delay: Delay | None = None
    attempts: int = 1
    every: timedelta = timedelta(0)
    about_time: bool = True
    stops_when_booked: bool = False
    transports: tuple[str, ...] = ()
    rests: timedelta = timedelta(0)
    texts: dict[tuple[str, str], Wording] = field(default_factory=dict, compare=False)

    @property
    def urgency(self) -> int:
        return priority_of(self.purpose, self.priority)

    @property
    def advertises(self) -> bool:
        """It needs consent, a named person's approval for the day, the medical warning and a way to unsubscribe."""
        return self.purpose in ADVERTISES

    @property
    def subject(self) -> str:
        """What an `Approval` of it is called."""
        return f"automation:{self.code}"

    def due(self, now: datetime, minutes: int | None = None) -> list[tuple[int, Any]]:
        """(attempt from 1, its subjects). `minutes`: the delay that the clinic chose."""
        if self.delay is None:
            return [(1, self.who(now))]
        first = self.delay.offset(minutes)
        return [(n + 1, self.who(now, first + self.every * n)) for n in range(self.attempts)]
