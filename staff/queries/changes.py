"""The change feed in the order in which a reader can trust it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import BigIntegerField, Q, QuerySet
from django.db.models.expressions import RawSQL

from staff.models import Change

OLDEST_RUNNING = RawSQL("(SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint)", [], BigIntegerField())


def settled_changes(after: Sequence[int] = ()) -> QuerySet[Change]:
    """Lines behind `after` = (xact, id) that no running transaction can still precede, in order.

    Danger: ids are taken before the commit. A reader that went by ids alone would pass a slow writer's lines for ever;
    so on PostgreSQL lines wait until every older transaction has ended. SQLite's writers queue: ids are in order there.
    """
    lines = Change.objects.order_by("xact", "id")
    if connection.vendor == "postgresql":
        lines = lines.filter(xact__lt=OLDEST_RUNNING)
    if after:
        xact, pk = after
        lines = lines.filter(Q(xact__gt=xact) | Q(id__gt=pk), xact__gte=xact)
    return lines
