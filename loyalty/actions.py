"""Writes of this room: the value facts of patients."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

import re
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
# Danger: left to itself the planner walks the payments in the order of a key that they do not lie in, to spare a hash,
# and hashes what comes almost sorted.
ROAD = "; ".join(
    f"SET LOCAL {setting}"
    for setting in (
        "random_page_cost = 1.1",
        "enable_mergejoin = off",
        "enable_hashagg = off",
        "maintenance_work_mem = '256MB'",
    )
)
FRESH = f"{TABLE}_fresh"
INDEXES = """
    SELECT i.relname, pg_get_indexdef(i.oid), x.indisprimary FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    WHERE x.indrelid = to_regclass(%s) ORDER BY i.relname"""


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
            made = _swap(cursor, question)
        else:
            cursor.execute(f"DELETE FROM {TABLE}")
            cursor.execute(f"INSERT INTO {TABLE} ({NAMES}) {question}")
            made = int(cursor.rowcount)
    _keep_scale()
    return made


def _swap(cursor: Any, question: str) -> int:
    """Fill a new table, give it the old one's indexes under their names, and let it take the old one's place.

    Rows without indexes first, indexes after: a tenth of the cost of filling a table that has them. What waits for the
    old table's lock looks its name up again and finds the new one.
    """
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks still to come cannot be dropped
    cursor.execute(f"LOCK TABLE {TABLE} IN SHARE ROW EXCLUSIVE MODE")
    cursor.execute(f"CREATE TABLE {FRESH} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    cursor.execute(ROAD)
    cursor.execute(roomy(f"INSERT INTO {FRESH} ({NAMES}) {question}", whole=True, memory="256MB"))
    made = int(cursor.rowcount)
    cursor.execute(INDEXES, [TABLE])
    for name, definition, primary in cursor.fetchall():
        cursor.execute(f"ALTER INDEX {name} RENAME TO {name[:59]}_old")
        cursor.execute(re.sub(rf"\b{TABLE}(?= USING)", FRESH, definition))
        if primary:
            cursor.execute(f"ALTER TABLE {FRESH} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {name}")
    cursor.execute(f"DROP TABLE {TABLE}; ALTER TABLE {FRESH} RENAME TO {TABLE}; ANALYZE {TABLE}")
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
