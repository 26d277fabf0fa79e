"""The safety net of every minute: visits that still lack a step, and patients whose value a fact has changed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from followup.actions.unknown import list_unknown
from followup.actions.unreachable import list_unreachable
from followup.actions.visits import follow_up
from followup.models import Cursor
from followup.queries import lines_after, paid_for, patients_of, roots_among, waiting, window_start
from funnel.actions.stages import advance_leads_of
from loyalty import actions as loyalty
from patients.models import Visit
from staff.queries.changes import settled_changes

BATCH = 500
HISTORY_BATCH = 20_000
ROUNDS = 40  # a sweep ends; the next minute has the next one


def sweep(*, now: datetime) -> int:
    """Follow up what waits, in bounded batches of their own transactions. Returns the number of visits."""
    done = skip_history(now=now)
    for _round in range(ROUNDS):
        ids = list(waiting().values_list("pk", flat=True)[:BATCH])
        if not ids:
            break
        follow_up(Visit.objects.filter(pk__in=ids), now=now)
        done += len(ids)
    refresh_changed(now=now)
    list_unknown(now=now)
    list_unreachable(now=now)
    return done


def skip_history(*, now: datetime) -> int:
    """Years of imported visits are marked at once: nothing follows from them but the value of their patients."""
    old = waiting().filter(start_at__lt=window_start(now)).order_by()
    total, patients = 0, set[int]()
    for _round in range(ROUNDS):
        found = dict(old.values_list("pk", "patient_id")[:HISTORY_BATCH])
        Visit.objects.filter(pk__in=list(found)).update(followed_up_at=now)
        total, patients = total + len(found), patients | set(found.values())
        if len(found) < HISTORY_BATCH:
            break
    if patients:
        loyalty.refresh_values(patients=patients, now=now)
    return total


NOT_BEGUN = -1  # the cursor stands before every line of the feed


def refresh_changed(*, now: datetime) -> int:
    """Work off the change feed from where we stopped, and whom an object has left since; then changed thresholds.

    Returns the number of patients whose value was worked out. One sweep at a time: behind one that lasts (the first of a
    large clinic, or a process that stands still) every minute would put one more worker to wait, until none is left to send.
    """
    Cursor.objects.get_or_create(name="values", defaults={"xact": NOT_BEGUN})
    with transaction.atomic():
        cursor = Cursor.objects.select_for_update(skip_locked=True).filter(name="values").first()
        return _from(cursor, now) if cursor else 0


def _from(cursor: Cursor, now: datetime) -> int:
    if cursor.xact == NOT_BEGUN:
        return _begin(cursor, now)
    changed: set[int] = set()
    for _round in range(ROUNDS):
        lines = lines_after((cursor.xact, cursor.change_id))
        if not lines:
            break
        changed |= patients_of(lines)
        cursor.xact, cursor.change_id = lines[-1].xact, lines[-1].pk
    cursor.save()
    changed |= loyalty.take_stale()
    if 0 < len(changed) <= loyalty.MANY:  # more of them, and everybody is done
        changed |= paid_for(changed)
    if changed:
        advance_leads_of(roots_among(changed))
        loyalty.refresh_values(patients=changed, now=now)
    loyalty.follow_rules(now=now)
    return len(changed)


def _begin(cursor: Cursor, now: datetime) -> int:
    """The first time: everybody, and the feed from its present end on."""
    last = settled_changes().reverse().first()
    cursor.xact, cursor.change_id = (last.xact, last.pk) if last else (0, 0)
    cursor.save()
    return loyalty.refresh_values(patients=None, now=now)
