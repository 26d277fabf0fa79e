"""Switches, and what the automations did in the last 30 days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from messaging.models import AutomationSetting, Message, TransportSetting
from messaging.models.outbox import Reason, State
from messaging.rules.automation import Automation
from staff.models import Clinic

STATISTICS = timedelta(days=30)
GONE_OUT = (State.SENT, State.DELIVERED, State.UNDELIVERED)


def sending_paused() -> bool:
    return Clinic.objects.filter(sending_paused=True).exists()


def paused_transports() -> set[str]:
    return set(TransportSetting.objects.filter(paused=True).values_list("transport", flat=True))


def switched_off() -> set[str]:
    return set(AutomationSetting.objects.filter(is_on=False).values_list("code", flat=True))


@dataclass(frozen=True)
class AutomationRow:
    """`reasons`: (label, count) of what did not go out, most frequent first."""

    automation: Automation
    is_on: bool
    due: int
    sent: int
    waiting: int
    unknown: int
    reasons: list[tuple[str, int]]


def automation_rows(automations: Iterable[Automation], *, now: datetime) -> list[AutomationRow]:
    """Each automation with its last 30 days: due = sent + waiting + unknown + those of `reasons`, always."""
    counted = (
        Message.objects.filter(created_at__gt=now - STATISTICS)
        .exclude(automation="")
        .values_list("automation", "state", "reason")
        .annotate(n=Count("id"))
        .order_by()
    )
    off, table = switched_off(), list(counted)
    return [_row(auto, auto.code not in off, [row[1:] for row in table if row[0] == auto.code]) for auto in automations]


def _row(automation: Automation, is_on: bool, counts: list[tuple[str, str, int]]) -> AutomationRow:
    def total(*states: str) -> int:
        return sum(n for state, _reason, n in counts if state in states)

    ended = (State.SKIPPED, State.REFUSED, State.EXPIRED)
    reasons: dict[str, int] = {}
    for state, reason, n in counts:
        if state in ended:
            label = str(Reason(reason).label if reason else State(state).label)
            reasons[label] = reasons.get(label, 0) + n
    return AutomationRow(
        automation,
        is_on,
        due=sum(n for *_rest, n in counts),
        sent=total(*GONE_OUT),
        waiting=total(State.QUEUED, State.CLAIMED, State.INFLIGHT),
        unknown=total(State.UNKNOWN),
        reasons=sorted(reasons.items(), key=lambda pair: -pair[1]),
    )
