"""The change feed in the order in which a reader can trust it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import BigIntegerField, Q, QuerySet
from django.db.models.expressions import RawSQL

from staff.models import Change

# The oldest transaction of THIS database that still runs (or the next number). PostgreSQL's own horizon, the xmin of the
# snapshot, is of the whole cluster: another product's long transaction beside us would hold our feed back for hours.
# Whoever cannot be told to be of another database counts as ours, so this errs towards waiting.
HORIZON = """(SELECT LEAST(
        COALESCE(MIN(running::text::bigint), MAX(pg_snapshot_xmax(seen)::text::bigint)),
        MAX(COALESCE(pg_current_xact_id_if_assigned()::text::bigint, 9223372036854775807)))
    FROM (SELECT pg_current_snapshot() AS seen) AS moment
    LEFT JOIN LATERAL pg_snapshot_xip(seen) AS running ON NOT EXISTS (
        SELECT 1 FROM pg_stat_activity AS other
        WHERE other.datname <> current_database()
            AND other.backend_xid::text::bigint = running::text::bigint % 4294967296))"""
OLDEST_RUNNING = RawSQL(HORIZON.replace("%", "%%"), [], BigIntegerField())  # noqa: S611 - nothing is put into it


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
