"""Writes of this room: the value facts of patients."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from core.sql import instant_literal, on_postgresql, roomy
from loyalty.metrics.facts import CHANGED, COLUMNS, CTES, FACTS, JUDGED, fact_values
from loyalty.metrics.turn import moved, scale
from loyalty.models import PatientValue, RfmScale, StaleValue, ValueBasis
from loyalty.queries import definition, live_scope, records_of, rules_in_force
from patients.metrics import Scope

MANY = 20_000  # from here on everybody is cheaper than these
WEEK = timedelta(days=7)
TABLE = PatientValue._meta.db_table
NAMES = ", ".join(COLUMNS)
# Danger: left to itself the planner walks the payments in the order of a key that they do not lie in, to spare a hash,
# and hashes what comes almost sorted.
NEAR = "SET LOCAL random_page_cost = 1.1"  # the rows of a thousand patients are not worth a walk over everybody's
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
DRAWN_TABLE = "loyalty_drawn"
TURN = f"""UPDATE {TABLE} SET {", ".join(f"{name} = n.{name}" for name in JUDGED)}, refreshed_at = {{now}}
    FROM ({{changed}}) n WHERE n.patient_id = {TABLE}.patient_id"""
INDEXES = """
    SELECT i.relname, pg_get_indexdef(i.oid), x.indisprimary FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    WHERE x.indrelid = to_regclass(%s) ORDER BY i.relname"""


def refresh_values(*, patients: Collection[int] | None, now: datetime) -> int:
    """Make the value facts of these patients (any records of theirs), or with None of everybody, from their raw rows.

    One statement, with the same text in both cases. Ranks (RFM, segment) of a few are read off the scale of the last
    ranking; where there has been none, everybody is done. Returns the number of patients that have facts now.
    """
    if patients is None or len(patients) > MANY:
        return _rebuild(now)
    with transaction.atomic():
        _hold("ROW EXCLUSIVE")
        if PatientValue.objects.exists():
            return _refresh(frozenset(patients), now)
    return _rebuild(now)


@transaction.atomic
def renew_values(*, now: datetime) -> int:
    """Turn the facts of everybody to today: the night's work. Returns the number of rows that changed.

    Only patients whom the calendar has moved are read from their raw rows; states, ranks and segments of all follow
    from the facts. Once a week, and when the facts stand on other definitions, everybody is read again.
    """
    _hold("SHARE ROW EXCLUSIVE")
    scope = live_scope(now)
    since = _turnable(scope, now)
    movers = moved(scope, since, now) if since else set()
    if since is None or len(movers) > max(MANY, PatientValue.objects.count() // 4):
        return _rebuild(now)
    ValueBasis.objects.update(as_of=scope.as_of, rules=rules_in_force())
    if movers:
        _refresh(frozenset(movers), now)
    _keep_scale(scope, now, "stored")
    with connection.cursor() as cursor:
        changed = scope.sql(CHANGED, CTES, **fact_values(scope, now, "stored"))
        cursor.execute(roomy(TURN.format(changed=changed, now=instant_literal(now)), whole=False))
        return int(cursor.rowcount)


def follow_rules(*, now: datetime) -> bool:
    """Reckon the states anew if somebody has changed a threshold or a doctor's speciality. Returns whether one had."""
    basis = ValueBasis.objects.filter(pk=1).first()
    if basis is None or basis.rules == rules_in_force():
        return False
    renew_values(now=now)
    return True


def take_stale() -> set[int]:
    """Records that have lost something since they were last taken: their facts must be made again, in this transaction.

    Danger: only rows that are seen may go; another transaction's come with the next call.
    """
    rows = dict(StaleValue.objects.order_by("id").values_list("id", "patient_id")[:MANY])
    StaleValue.objects.filter(pk__in=rows).delete()
    return set(rows.values())


def _turnable(scope: Scope, now: datetime) -> date | None:
    """The day as of which the facts stand; None when all must be made from raw rows."""
    basis = ValueBasis.objects.filter(pk=1, definition=definition(scope)).first()
    fits = basis and now - WEEK < basis.drawn_at <= now and basis.as_of <= scope.as_of  # else a clock was set back
    return basis.as_of if basis and fits else None


@transaction.atomic
def _refresh(patients: frozenset[int], now: datetime) -> int:
    records = records_of(patients)
    if not records:
        return 0
    scope = live_scope(now, tuple(records))
    scope = replace(scope, as_of=_not_behind(scope.as_of))
    PatientValue.objects.filter(patient_id__in=list(records)).delete()
    # Danger: two workers may do the same patient at once; the second waits for the first and then overwrites it.
    update = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
    question = _question(scope, now, "drawn", f" WHERE true ON CONFLICT (patient_id) DO UPDATE SET {update}")
    with connection.cursor() as cursor:
        if on_postgresql():
            cursor.execute(NEAR)
        cursor.execute(roomy(f"INSERT INTO {TABLE} ({NAMES}) {question}", whole=False))
        return int(cursor.rowcount)


@transaction.atomic
def _rebuild(now: datetime) -> int:
    """Everybody from raw rows. These are drawn once, beside, since the ranks need all before the first can be scored."""
    _hold("SHARE ROW EXCLUSIVE")
    scope = live_scope(now)
    with connection.cursor() as cursor:
        if on_postgresql():
            cursor.execute(ROAD)
        drawn = scope.sql("SELECT * FROM drawn", CTES, **fact_values(scope, now))
        cursor.execute(roomy(f"CREATE TEMPORARY TABLE {DRAWN_TABLE} AS {drawn}", whole=True, memory="256MB"))
        _keep_scale(scope, now, DRAWN_TABLE)
        question = _question(scope, now, DRAWN_TABLE)
        made = _swap(cursor, question) if on_postgresql() else _replace(cursor, question)
        cursor.execute(f"DROP TABLE {DRAWN_TABLE}")
    basis = {"as_of": scope.as_of, "drawn_at": now, "definition": definition(scope), "rules": rules_in_force()}
    ValueBasis.objects.update_or_create(pk=1, defaults=basis)
    return made


def _keep_scale(scope: Scope, now: datetime, source: str) -> None:
    """Note where each score begins, so that one patient can be scored without ranking all."""
    marks = scale(scope, now, source)
    RfmScale.objects.all().delete()
    RfmScale.objects.bulk_create(marks)


def _not_behind(today: date) -> date:
    """Today, or the day to which everybody has been turned: midnight may pass while a worker is about to write."""
    turned = ValueBasis.objects.filter(pk=1).values_list("as_of", flat=True).first()
    return max(today, turned or today)


def _hold(mode: str) -> None:
    """Danger: readers must not wait for the work on everybody, so it is done beside and only then put in place; writers
    of single patients do wait, else an older figure would come over theirs. They ask for the table before they read it:
    who had read it already would wait for us while we wait for him.
    """
    if on_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {TABLE} IN {mode} MODE")


def _replace(cursor: Any, question: str) -> int:
    """SQLite, where writers queue and readers do not wait."""
    cursor.execute(f"DELETE FROM {TABLE}")
    cursor.execute(f"INSERT INTO {TABLE} ({NAMES}) {question}")
    return int(cursor.rowcount)


def _swap(cursor: Any, question: str) -> int:
    """Fill a new table, give it the old one's indexes under their names, and let it take the old one's place.

    Rows without indexes first, indexes after: a tenth of the cost of filling a table that has them. What waits for the
    old table's lock looks its name up again and finds the new one.
    """
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks still to come cannot be dropped
    cursor.execute(f"CREATE TABLE {FRESH} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    cursor.execute(roomy(f"INSERT INTO {FRESH} ({NAMES}) {question}", whole=True, memory="256MB"))
    made = int(cursor.rowcount)
    cursor.execute(INDEXES, [TABLE])
    for name, built, primary in cursor.fetchall():
        cursor.execute(f"ALTER INDEX {name} RENAME TO {name[:59]}_old")
        cursor.execute(re.sub(rf"\b{TABLE}(?= USING)", FRESH, built))
        if primary:
            cursor.execute(f"ALTER TABLE {FRESH} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {name}")
    cursor.execute(
        f"DROP TABLE {TABLE}; ALTER TABLE {FRESH} RENAME TO {TABLE}; ANALYZE {TABLE} (patient_id, state, segment)"
    )
    return made


def _question(scope: Scope, now: datetime, source: str, ending: str = "") -> str:
    """The statement, with the same text for some patients and for all."""
    return scope.sql(f"SELECT {NAMES} FROM facts{ending}", {**CTES, "facts": FACTS}, **fact_values(scope, now, source))
