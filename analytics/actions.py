"""Writes of this room: kept answers, and the night's work."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from analytics.models import MetricAnswer, Night
from analytics.queries.answers import Question, data_version, kept
from analytics.queries.kept import Sight, kept_page
from core.clock import local_date, zone
from loyalty import actions as loyalty
from staff.models import Clinic

KEEP = timedelta(days=3)
NIGHT_BEGINS = 2  # o'clock, local


def answer(*, asked: Question, now: datetime) -> Any:
    """The result of a metric: the kept one if the data have not changed since, else worked out and kept."""
    version = data_version()
    old = kept(asked, version)
    if old is not None:
        return old.result
    result = asked.metric.compute(asked.scope, asked.args)
    if version is not None:
        _keep(asked, version, result, now)
    return result


def _keep(asked: Question, version: str, result: Any, now: datetime) -> None:
    MetricAnswer.objects.update_or_create(
        slug=asked.metric.slug,
        key=asked.key,
        defaults={"params": asked.params, "version": version, "result": result, "made_at": now},
    )


def page_figures(*, sight: Sight, make: Callable[[], dict[str, Any]], now: datetime) -> dict[str, Any]:
    """The figures of a page, as JSON: the kept ones if the data have not changed since, else made and kept."""
    version = data_version()
    old = kept_page(sight, version)
    if old is not None:
        return dict(old.result or {})
    result: dict[str, Any] = json.loads(json.dumps(make(), default=str))
    if version is not None:
        fresh = {"params": sight.params, "version": version, "result": result, "made_at": now}
        MetricAnswer.objects.bulk_create(
            [MetricAnswer(slug=sight.name, key=sight.key, **fresh)],
            update_conflicts=True,
            unique_fields=["slug", "key"],
            update_fields=list(fresh),
        )
    return result


def night(*, now: datetime) -> bool:
    """Once a local day, after two o'clock: rebuild the facts of all patients, forget old answers.

    Returns whether there was something to do. Run again on the same day it does nothing.
    """
    tz = Clinic.objects.get(pk=1).tz
    today = local_date(now, tz)
    if now.astimezone(zone(tz)).hour < NIGHT_BEGINS or Night.objects.filter(day=today).exists():
        return False
    loyalty.refresh_values(patients=None, now=now)
    with transaction.atomic():
        MetricAnswer.objects.filter(made_at__lt=now - KEEP).delete()
        Night.objects.filter(day__lt=today).delete()
        Night.objects.get_or_create(day=today, defaults={"finished_at": now})
    return True
