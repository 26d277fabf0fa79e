"""The registry of automations, and those about visits. Adding one is adding one declaration in one file.

A room that knows who is due declares its own and calls `register` in `AppConfig.ready`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from types import ModuleType

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from messaging.queries.epoch import Epoch
from messaging.queries.visits import before_visit, newly_booked
from messaging.rules import texts
from messaging.rules.automation import Automation, Delay
from patients.models.contact import Purpose

_registered: dict[str, Automation] = {}


def register(*automations: Automation) -> None:
    """Raises ValueError for a code that another automation has."""
    for automation in automations:
        if _registered.get(automation.code, automation) is not automation:
            raise ValueError(f"two automations are called {automation.code}")
        _registered[automation.code] = automation
        texts.declare(automation.template, automation.texts)


def register_all(module: ModuleType) -> None:
    """Every automation that stands in the module, in its order: so a new one touches that one file."""
    register(*[value for value in vars(module).values() if isinstance(value, Automation)])


def by_code(code: str) -> Automation | None:
    return _registered.get(code)


def registered() -> list[Automation]:
    """In the order of registration."""
    return list(_registered.values())


def by_clock(automations: Iterable[Automation]) -> list[Automation]:
    return [automation for automation in automations if automation.by_clock]


WEEKS_AHEAD = timedelta(days=14)
STILL_EARLY = timedelta(hours=36)  # nearer than that, the reminder of the day before says it
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
REMINDER_3D = Automation(
    code="reminder_3d",
    name=_("Reminder days before"),
    explains=_(
        "Only for visits that were booked two weeks ahead or more: early enough to give the time to somebody else."
    ),
    purpose=Purpose.SERVICE,
    template="reminder_3d",
    # R97: who booked weeks ago has forgotten most; a day before it is too late to fill the chair again.
    who=lambda now, offset: before_visit(now, lead=-offset, booked=WEEKS_AHEAD).filter(start_at__gt=now + STILL_EARLY),
    delay=Delay(timedelta(days=3), timedelta(days=2), timedelta(days=7), before=True),
    until=F("start_at") - timedelta(hours=30),
    once_per=PER_VISIT_AND_TIME,
)
REMINDER_24H = Automation(
    code="reminder_24h",
    name=_("Reminder a day before"),
    explains=_("24 hours before the visit, in the evening before when that falls into the night."),
    purpose=Purpose.SERVICE,
    template="reminder_24h",
    who=lambda now, offset: before_visit(now, lead=-offset),
    delay=Delay(timedelta(hours=24), timedelta(hours=12), timedelta(hours=47), before=True),
    until=F("start_at") - timedelta(hours=6),
    once_per=PER_VISIT_AND_TIME,
)
REMINDER_2H = Automation(
    code="reminder_2h",
    name=_("Reminder two hours before"),
    explains=_("2 hours before the visit, in the evening before when that falls into the night."),
    purpose=Purpose.SERVICE,
    template="reminder_2h",
    who=lambda now, offset: before_visit(now, lead=-offset),
    delay=Delay(timedelta(hours=2), timedelta(hours=1), timedelta(hours=6), before=True),
    until=F("start_at") - timedelta(minutes=20),
    once_per=PER_VISIT_AND_TIME,
)
