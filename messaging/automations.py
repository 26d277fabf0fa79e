"""The registry of automations, and those about visits. Adding one is adding one declaration in one file.

A room that knows who is due declares its own and calls `register` in `AppConfig.ready`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from messaging.queries.epoch import Epoch
from messaging.queries.visits import before_visit, newly_booked
from messaging.rules.automation import Automation
from patients.models.contact import Purpose

_registered: dict[str, Automation] = {}


def register(*automations: Automation) -> None:
    """Raises ValueError for a code that another automation has."""
    for automation in automations:
        if _registered.get(automation.code, automation) is not automation:
            raise ValueError(f"two automations are called {automation.code}")
        _registered[automation.code] = automation


def registered() -> list[Automation]:
    """In the order of registration."""
    return list(_registered.values())


def by_clock(automations: Iterable[Automation]) -> list[Automation]:
    return [automation for automation in automations if automation.by_clock]


PER_VISIT_AND_TIME = (F("pk"), Epoch(F("start_at")))

CONFIRMATION = Automation(
    code="confirmation",
    name=_("Confirmation of a booking"),
    explains=_("Right after booking; again when a visit was moved after the patient had been told its time."),
    purpose=Purpose.SERVICE,
    template="confirmation",
    who=newly_booked,
    until=F("start_at"),
    once_per=PER_VISIT_AND_TIME,
    by_clock=False,
)
REMINDER_24H = Automation(
    code="reminder_24h",
    name=_("Reminder a day before"),
    explains=_("24 hours before the visit, in the evening before when that falls into the night."),
    purpose=Purpose.SERVICE,
    template="reminder_24h",
    who=lambda now: before_visit(now, lead=timedelta(hours=24)),
    until=F("start_at") - timedelta(hours=6),
    once_per=PER_VISIT_AND_TIME,
)
REMINDER_2H = Automation(
    code="reminder_2h",
    name=_("Reminder two hours before"),
    explains=_("2 hours before the visit, in the evening before when that falls into the night."),
    purpose=Purpose.SERVICE,
    template="reminder_2h",
    who=lambda now: before_visit(now, lead=timedelta(hours=2)),
    until=F("start_at") - timedelta(minutes=20),
    once_per=PER_VISIT_AND_TIME,
)
