"""What the pages of sources show: the tree of channels, and traffic by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from core.names import folded
from funnel.models import ChannelMark, Traffic
from patients.models import Channel

Key = tuple[date, int]


@dataclass(frozen=True)
class Leaf:
    """A channel in the order of the tree. `depth`: 0 for one that is part of nothing; `marks`: how many signs it has."""

    channel: Channel
    depth: int
    marks: int

    @property
    def indent(self) -> str:
        return "— " * self.depth


def channel_tree() -> list[Leaf]:
    """All channels, each below what it is part of. One query: a clinic has dozens."""
    marks = ChannelMark.objects.filter(channel=OuterRef("pk")).order_by().values("channel").annotate(n=Count("pk"))
    rows = (
        Channel.objects.select_related("parent")
        .annotate(signs=Coalesce(Subquery(marks.values("n")), 0))
        .order_by("name", "id")
    )
    below: dict[int | None, list[Channel]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    found: list[Leaf] = []
    waiting = [(channel, 0) for channel in reversed(below.get(None, []))]
    while waiting:
        channel, depth = waiting.pop()
        found.append(Leaf(channel, depth, channel.signs))  # type: ignore[attr-defined]
        waiting.extend((child, depth + 1) for child in reversed(below.get(channel.pk, [])))
    return found


def channels_named() -> dict[str, Channel | None]:
    """{folded name or code: channel}; None for what two channels are called."""
    found: dict[str, Channel | None] = {}
    for channel in Channel.objects.order_by("id"):
        for word in {folded(channel.name), folded(channel.external_id)}:
            found[word] = None if word in found else channel
    return found


@dataclass(frozen=True)
class Days:
    """`after`: (day, id) from which the next page goes on; None on the last one."""

    rows: list[Traffic]
    after: Key | None


def traffic_days(*, after: Key | None = None, size: int = 50) -> Days:
    """Latest day first."""
    found = Traffic.objects.select_related("channel", "source")
    if after:
        day, pk = after
        found = found.filter(date__lte=day).exclude(date=day, id__gte=pk)
    rows = list(found.order_by("-date", "-id")[: size + 1])
    last = rows[size - 1] if len(rows) > size else None
    return Days(rows[:size], (last.date, last.pk) if last else None)
