"""Answers that were worked out before: are they still true?"""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from analytics.metrics import Metric, question
from analytics.metrics.params import Args, branch_code
from analytics.models import MetricAnswer
from core.sql import on_postgresql
from patients.metrics import Scope
from staff.access import Actor
from staff.queries.changes import HORIZON

# What every write leaves behind: a line in the change feed, and a new id even if somebody forgot that line.
GROWING = (
    "patients_patient",
    "patients_visit",
    "patients_visititem",
    "patients_payment",
    "patients_allocation",
    "funnel_spend",
    "funnel_lead",
    "funnel_leadbooking",
    "staff_shift",
)


@dataclass(frozen=True)
class Question:
    """One request to a metric. `params`: as they are echoed in the answer, with the as_of and branch that were used."""

    metric: Metric
    scope: Scope
    args: Args
    params: dict[str, Any]

    @property
    def key(self) -> str:
        text = json.dumps([self.metric.slug, self.metric.version, self.params], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def asked(slug: str, params: dict[str, str], now: datetime, by: Actor | None) -> Question:
    """Raises KeyError for an unknown slug, and what `analytics.metrics.question` raises."""
    metric, scope, args, values = question(slug, params, now, by)
    shown = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    shown["as_of"] = scope.as_of.isoformat()
    if scope.branch:
        shown["branch"] = branch_code(scope)
    return Question(metric, scope, args, shown)


def data_version() -> str | None:
    """A digest that differs after every write that a figure may depend on; None while it cannot be told.

    Danger: on PostgreSQL a transaction that is still running may hold a lower number than one that is committed. While
    there is such a line, no version is sure, and nothing is kept.
    """
    unsure = f"MAX(xact) >= {HORIZON}" if on_postgresql() else "0"
    ids = ", ".join(f"(SELECT MAX(id) FROM {table})" for table in GROWING)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT {unsure} FROM staff_change), (SELECT MAX(xact) FROM staff_change), "
            f"(SELECT MAX(id) FROM staff_change), (SELECT updated_at FROM staff_clinic WHERE id = 1), {ids}"
        )
        row = cursor.fetchone()
    return None if row[0] else hashlib.sha256(repr(row[1:]).encode()).hexdigest()


def kept(asked: Question, version: str | None) -> MetricAnswer | None:
    """The kept answer if the data are still those from which it was made."""
    if version is None:
        return None
    return MetricAnswer.objects.filter(slug=asked.metric.slug, key=asked.key, version=version).first()
