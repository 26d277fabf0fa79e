"""How sending does, for the page "Health" and for `/metrics`: numbers only, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Sum

from messaging.models import Message, TransportMinute, TransportSetting
from messaging.models.outbox import State
from messaging.queries.health import Health, health
from messaging.queries.routes import is_allowed, is_broken, transport_settings
from messaging.queries.settings import sending_paused
from messaging.transports import NAMES, configured
from patients.models.contact import Purpose
from patients.models.person import Transport

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GROUPS = {
    "waiting": (State.QUEUED, State.CLAIMED, State.INFLIGHT),
    "sent": (State.SENT, State.DELIVERED, State.UNDELIVERED),
    "not_sent": (State.SKIPPED, State.REFUSED, State.EXPIRED),
    "unknown": (State.UNKNOWN,),
}


@dataclass(frozen=True)
class Flow:
    """Messages planned in a period and where they are now: due = waiting + sent + not_sent + unknown, always."""

    due: int
    waiting: int
    sent: int
    not_sent: int
    unknown: int


@dataclass(frozen=True)
class Line:
    """One transport. `due` may go out now and waits, the oldest for `oldest` seconds; `tries` and `faults` of an hour.
    `breaker`: closed, open or half_open."""

    name: str
    label: str
    setting: TransportSetting
    ready: bool
    breaker: str
    due: int
    oldest: int
    unknown: int
    tries: int
    faults: int

    @property
    def adverts(self) -> bool:
        return is_allowed(self.setting, Purpose.MARKETING)


@dataclass(frozen=True)
class Operations:
    health: Health
    paused: bool
    lines: list[Line]
    hour: Flow
    day: Flow


def operations(now: datetime) -> Operations:
    """A handful of queries, each over an index of what is open or recent."""
    return Operations(health(now), sending_paused(), transport_lines(now), flow(now - HOUR, now), flow(now - DAY, now))


def flow(since: datetime, until: datetime) -> Flow:
    rows = Message.objects.filter(created_at__gt=since, created_at__lte=until).values_list("state")
    found = dict(rows.annotate(n=Count("id")).order_by())
    counts = {name: sum(found.get(state, 0) for state in states) for name, states in GROUPS.items()}
    return Flow(due=sum(found.values()), **counts)


def transport_lines(now: datetime) -> list[Line]:
    given, ready = transport_settings(), configured()
    waiting = Message.objects.due(now).values_list("transport")
    due = {name: (n, at) for name, n, at in waiting.annotate(n=Count("id"), at=Min("not_before")).order_by()}
    unknown = dict(
        Message.objects.filter(state=State.UNKNOWN).values_list("transport").annotate(n=Count("id")).order_by()
    )
    minutes = TransportMinute.objects.filter(minute__gt=now - HOUR).values_list("transport")
    tries = {name: (n, f) for name, n, f in minutes.annotate(n=Sum("tries"), f=Sum("faults")).order_by()}
    return [
        Line(
            name=name,
            label=str(Transport(name).label),
            setting=given[name],
            ready=name in ready,
            breaker=breaker_state(given[name], now),
            due=due.get(name, (0, now))[0],
            oldest=int((now - due[name][1]).total_seconds()) if name in due else 0,
            unknown=unknown.get(name, 0),
            tries=tries.get(name, (0, 0))[0],
            faults=tries.get(name, (0, 0))[1],
        )
        for name in NAMES
    ]


def breaker_state(setting: TransportSetting, now: datetime) -> str:
    if setting.broken_at is None:
        return "closed"
    return "open" if is_broken(setting, now) else "half_open"


def broken_transports() -> list[str]:
    """Labels of those whose breaker is not closed: for the banner."""
    names = TransportSetting.objects.exclude(broken_at=None).values_list("transport", flat=True)
    return [str(Transport(name).label) for name in names]
