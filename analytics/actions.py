"""Writes of this room: kept answers, and the night's work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.core.cache import cache
from django.db import transaction

from analytics.models import MetricAnswer, Night
from analytics.queries.answers import Question, data_version, kept
from analytics.queries.board import board
from analytics.queries.kept import Sight, kept_page, sight_of
from analytics.queries.lens import Lens, lens_of
from core.clock import local_date, zone
from loyalty import actions as loyalty
from staff.access import SYSTEM
from staff.models import Clinic

KEEP = timedelta(days=3)
NIGHT_BEGINS = 2  # o'clock, local
RESTS = 9  # times as long as the last warming took: a busy clinic spends a tenth of a core on it
LONGEST = 30.0  # seconds; the branches that are left come next time
RESTING = "analytics.warm.resting"


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


def warm(*, now: datetime) -> int:
    """Work out the dashboard as it opens, of all branches and of each, where the data have changed since.

    Returns the number of pages that were made. Danger: figures change with every visit, and a large clinic's take
    seconds; so it rests between, and a manager who opens the page meanwhile may still be the first.
    """
    version, began, made = data_version(), monotonic(), 0
    if version is None or cache.get(RESTING):
        return 0
    for lens in _openings(now):
        sight = sight_of("dashboard", lens)
        if kept_page(sight, version) is None:
            page_figures(sight=sight, make=lambda lens=lens: asdict(board(lens)), now=now)  # type: ignore[misc]
            made += 1
        if monotonic() - began > LONGEST:
            break
    if made:
        cache.set(RESTING, True, RESTS * (monotonic() - began))
    return made


def _openings(now: datetime) -> Iterator[Lens]:
    """The dashboard without filters, then that of each branch, which those who are bound to it open."""
    everything = lens_of({}, now, SYSTEM)
    yield everything
    for choice in everything.options.branch:
        yield lens_of({"branch": choice.value}, now, SYSTEM)


def night(*, now: datetime) -> bool:
    """Once a local day, after two o'clock: turn the facts of all patients to the new day, forget old answers.

    Returns whether there was something to do. Run again on the same day it does nothing.
    """
    tz = Clinic.objects.get(pk=1).tz
    today = local_date(now, tz)
    if now.astimezone(zone(tz)).hour < NIGHT_BEGINS or Night.objects.filter(day=today).exists():
        return False
    loyalty.renew_values(now=now)
    with transaction.atomic():
        MetricAnswer.objects.filter(made_at__lt=now - KEEP).delete()
        Night.objects.filter(day__lt=today).delete()
        Night.objects.get_or_create(day=today, defaults={"finished_at": now})
    return True
