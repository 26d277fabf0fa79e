"""What messages cost, by what they were for and by when they went out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Sum

from messaging.models import Message, TransportSetting
from messaging.models.outbox import State

PAID = (State.SENT, State.DELIVERED, State.UNDELIVERED)


@dataclass(frozen=True)
class Cost:
    """`automation` empty = what no automation asked for; `cost` in minor units; `parts` of SMS."""

    automation: str
    transport: str
    messages: int
    parts: int
    cost: int


def price_of(transport: str) -> int:
    """Of one message (SMS: of one part) by our price list, minor units."""
    price = TransportSetting.objects.filter(transport=transport).values_list("price", flat=True).first()
    return price or 0


def costs(*, since: datetime, until: datetime) -> list[Cost]:
    """What was planned in [since, until) and went out, by automation and transport; dearest first. One grouped query
    over the index of the days."""
    rows = (
        Message.objects.filter(created_at__gte=since, created_at__lt=until, state__in=PAID)
        .values_list("automation", "transport")
        .annotate(n=Count("id"), parts=Sum("segments"), money=Sum("cost"))
        .order_by("-money", "automation", "transport")
    )
    return [Cost(*row) for row in rows]


def cost_by_automation(*, since: datetime, until: datetime) -> dict[str, int]:
    """Minor units of each automation in the period."""
    totals: dict[str, int] = {}
    for row in costs(since=since, until=until):
        totals[row.automation] = totals.get(row.automation, 0) + row.cost
    return totals
