"""Writes of this room: the value facts of patients."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from django.db import connection, transaction

from core.clock import day_number
from core.sql import on_postgresql, roomy
from loyalty.metrics.facts import COLUMNS, CTES, FACTS, fact_values
from loyalty.models import PatientValue, RfmScale
from loyalty.queries import live_scope, records_of
from patients.metrics import Scope

MANY = 20_000  # from here on everybody is cheaper than these
TABLE = PatientValue._meta.db_table
NAMES = ", ".join(COLUMNS)


def refresh_values(*, patients: Collection[int] | None, now: datetime) -> int:
    """Make the value facts of these patients (any records of theirs), or with None of everybody, anew.

    One statement, with the same text in both cases. Ranks (RFM, segment) of a few are read off the scale of the last
    rebuild; where there has been none, everybody is done. Returns the number of patients that have facts now.
    """
    if patients is None or len(patients) > MANY or not PatientValue.objects.exists():
        return _rebuild(now)
    return _refresh(frozenset(patients), now)


@transaction.atomic
def _refresh(patients: frozenset[int], now: datetime) -> int:
    records = records_of(patients)
    if not records:
        return 0
    scope = live_scope(now, tuple(records))
    PatientValue.objects.filter(patient_id__in=list(records)).delete()
    # Danger: two workers may do the same patient at once; the second waits for the first and then overwrites it.
    update = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
    question = _question(scope, now, f" WHERE true ON CONFLICT (patient_id) DO UPDATE SET {update}")
    with connection.cursor() as cursor:
        cursor.execute(roomy(f"INSERT INTO {TABLE} ({NAMES}) {question}", whole=False))
        return int(cursor.rowcount)


@transaction.atomic
def _rebuild(now: datetime) -> int:
    """Everybody. Danger: readers must not wait for the work, so it is done beside and only then put in place; writers
    of single patients do wait, else an older figure would come over theirs.
    """
    question = _question(live_scope(now), now)
    with connection.cursor() as cursor:
        if on_postgresql():
            cursor.execute(f"LOCK TABLE {TABLE} IN SHARE ROW EXCLUSIVE MODE")
            beside = f"CREATE TEMP TABLE fresh_values AS {question}"
            cursor.execute(roomy(beside, whole=True, memory="256MB"))
            question = f"SELECT {NAMES} FROM fresh_values"
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks still to come cannot be emptied
        cursor.execute(f"TRUNCATE {TABLE}" if on_postgresql() else f"DELETE FROM {TABLE}")
        cursor.execute(f"INSERT INTO {TABLE} ({NAMES}) {question}")
        made = int(cursor.rowcount)
        if on_postgresql():
            cursor.execute("DROP TABLE fresh_values")
    _keep_scale()
    return made


def _question(scope: Scope, now: datetime, ending: str = "") -> str:
    """The statement, with the same text for some patients and for all."""
    return scope.sql(f"SELECT {NAMES} FROM facts{ending}", {**CTES, "facts": FACTS}, **fact_values(scope, now))


def _keep_scale() -> None:
    """Note where each score begins, so that one patient can be scored without ranking all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rfm, MIN(last_day), MIN(CASE WHEN year_days > 0 THEN year_days END), "
            f"MIN(CASE WHEN year_days > 0 THEN year_money END) FROM {TABLE} WHERE rfm <> '' GROUP BY rfm"
        )
        rows = cursor.fetchall()
    RfmScale.objects.all().delete()
    RfmScale.objects.bulk_create(mark for place, measure in enumerate("rfm") for mark in _marks(rows, place, measure))


def _marks(rows: list[Any], place: int, measure: str) -> list[RfmScale]:
    """Thresholds of one measure from (rfm, least last day, least visit-days, least money) of every cell."""
    least: dict[int, int] = {}
    for row in rows:
        value = row[place + 1]
        if value is not None:
            number = _as_number(value)
            score = int(row[0][place])
            least[score] = min(number, least.get(score, number))
    scores = sorted(least)
    return [
        RfmScale(measure=measure, score=score, steps=score - before, minimum=least[score])
        for before, score in pairwise(scores)
    ]


def _as_number(value: Any) -> int:
    """A date (text on SQLite) as a day number; a number as it is."""
    if isinstance(value, str):
        value = date.fromisoformat(value)
    return day_number(value) if isinstance(value, date) else int(value)
