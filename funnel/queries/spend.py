"""What was spent, and what a new patient cost: one page's reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncMonth

from funnel.metrics import cac
from funnel.models import Spend
from patients.metrics import Period, Scope
from patients.metrics.codes import codes_of
from patients.models import Channel

Key = tuple[date, int]


@dataclass(frozen=True)
class Lines:
    """`after`: (day, id) from which the next page goes on; None on the last one."""

    rows: list[Spend]
    after: Key | None


def spend_lines(period: Period, *, channel: int | None = None, after: Key | None = None, size: int = 50) -> Lines:
    """Lines of the period, latest day first; each knows whether it was taken back."""
    found = _of(period, channel).select_related("channel", "reversal", "source")
    if after:
        day, pk = after
        found = found.filter(date__lte=day).exclude(date=day, id__gte=pk)
    rows = list(found.order_by("-date", "-id")[: size + 1])
    last = rows[size - 1] if len(rows) > size else None
    return Lines(rows[:size], (last.date, last.pk) if last else None)


def _of(period: Period, channel: int | None) -> QuerySet[Spend]:
    lines = Spend.objects.filter(date__range=(period.first, period.last))
    return lines if channel is None else lines.filter(channel_id=channel)


def spend_by_month(period: Period, purpose: str = Spend.Purpose.ACQUISITION) -> dict[tuple[date, int | None], int]:
    """{(first day of the month, channel id): minor units}."""
    rows = (
        Spend.objects.filter(date__range=(period.first, period.last), purpose=purpose)
        .annotate(month=TruncMonth("date"))
        .values_list("month", "channel_id")
        .annotate(total=Sum("amount"))
    )
    return {(month, channel): int(total) for month, channel, total in rows}


@dataclass(frozen=True)
class ChannelCost:
    """M09 of one channel; `name` empty = no channel. Money as in the metric: decimal strings."""

    code: str
    name: str
    kind: str
    spend: str
    new_patients: int
    cac: str | None


def channel_costs(scope: Scope, period: Period) -> tuple[list[ChannelCost], dict[str, Any]]:
    """Rows of M09 with names, and the metric itself for `blended` and `paid`."""
    found = cac(scope, period)
    named = _named()
    rows = [ChannelCost(code, *named.get(code, ("", "")), **row) for code, row in found["channels"].items()]
    return sorted(rows, key=lambda row: (-float(row.spend), row.code)), found


def _named() -> dict[str, tuple[str, str]]:
    codes = codes_of("channel")
    rows: Iterable[Channel] = Channel.objects.all()
    return {codes[channel.pk]: (channel.name, channel.get_kind_display()) for channel in rows}
