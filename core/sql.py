"""SQL that runs on SQLite and PostgreSQL with one text.

A day is an INTEGER: days since 1970-01-01. So all arithmetic of days is plain integers on both databases. What differs
between them stands in this file alone, and templates call it by name: `{day:v.day}`, `{local:v.booked_at}`,
`{month:a.d0}`. The zone's changes come from Python's tzdata (`core.clock.offset_spans`), never from the database's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from core.clock import offset_spans

FIRST_YEAR = 1970
HINT = re.compile(r"\s*((?:NOT )?MATERIALIZED\b)?(.*)", re.DOTALL)
SHIFT = 200_000  # days added before a division and taken off after it: both databases truncate towards zero


def on_postgresql() -> bool:
    return connection.vendor == "postgresql"


class Macro:
    """A function for templates: `{month:a.d0}` writes what `function("a.d0")` returns."""

    def __init__(self, function: Callable[[str], str]) -> None:
        self.function = function

    def __format__(self, argument: str) -> str:
        return self.function(argument)


def date_literal(day: date) -> str:
    return f"DATE '{day.isoformat()}'" if on_postgresql() else f"'{day.isoformat()}'"


def instant_literal(instant: datetime) -> str:
    """As the column stores it, so that an index on it serves. UTC, microseconds only where there are some."""
    text = str(instant.astimezone(UTC).replace(tzinfo=None))
    return f"TIMESTAMPTZ '{text}+00'" if on_postgresql() else f"'{text}'"


def day_of(column: str) -> str:
    """Day number of a column of dates."""
    if on_postgresql():
        return f"({column} - DATE '1970-01-01')"
    return f"CAST(julianday({column}) - 2440587.5 AS INTEGER)"


def _as_date(number: str) -> str:
    return f"DATE '1970-01-01' + ({number})" if on_postgresql() else f"({number}) + 2440587.5"


def _part(number: str, postgresql: str, sqlite: str) -> str:
    if on_postgresql():
        # date_part counts in floats, which is exact here and twice as fast as EXTRACT, which counts in decimals
        return f"CAST(date_part('{postgresql}', {_as_date(number)}) AS INTEGER)"
    return f"CAST(strftime('{sqlite}', {_as_date(number)}) AS INTEGER)"


def date_of(number: str) -> str:
    """The date, as columns of dates keep it, of a day number."""
    return f"({_as_date(number)})" if on_postgresql() else f"date({_as_date(number)})"


def month_of(number: str) -> str:
    """year * 12 + month of a day number: months that follow each other differ by 1."""
    return f"({_part(number, 'year', '%Y')} * 12 + {_part(number, 'month', '%m')})"


def day_of_month(number: str) -> str:
    return _part(number, "day", "%d")


def month_index(arguments: str) -> str:
    """`x|m0|dom0`: month index of day number x after the day whose month_of is m0 and whose day of month is dom0.

    Largest k >= 0 with add_months(d0, k) <= x: the month counts as full on its last day, whatever dom0 is.
    """
    x, month, dom = (part.strip() for part in arguments.split("|"))
    full = f"{day_of_month(x)} >= {dom} OR {day_of_month(f'{x} + 1')} = 1"
    k = f"{month_of(x)} - {month} - CASE WHEN {full} THEN 0 ELSE 1 END"
    return f"{'GREATEST' if on_postgresql() else 'MAX'}({k}, 0)"


def months_after(arguments: str) -> str:
    """`x|k`: day number of add_months(x, k), clamped to the end of its month."""
    x, months = (part.strip() for part in arguments.split("|"))
    if on_postgresql():
        return f"(CAST({_as_date(x)} + INTERVAL '{months} months' AS DATE) - DATE '1970-01-01')"
    first = f"julianday({_as_date(x)}, 'start of month', '+{months} months')"
    last = f"julianday({_as_date(x)}, 'start of month', '+{int(months) + 1} months', '-1 day')"
    return f"CAST(MIN({first} + {day_of_month(x)} - 1, {last}) - 2440587.5 AS INTEGER)"


def local_day(tz: str, last_year: int) -> Callable[[str], str]:
    """A function from a column of instants to the day number of its local date in `tz`, at the offset then in force."""
    spans = offset_spans(tz, FIRST_YEAR, last_year)

    def day(column: str) -> str:
        # Newest first: almost every fact is decided by the first comparisons.
        late = [f"WHEN {column} >= {instant_literal(s.start)} THEN {s.seconds}" for s in reversed(spans) if s.start]
        offset = f"CASE {' '.join(late)} ELSE {spans[0].seconds} END" if late else str(spans[0].seconds)
        return f"CAST(({epoch_of(column)} + {offset} + {SHIFT * 86400}) / 86400 - {SHIFT} AS INTEGER)"

    return day


def epoch_of(column: str) -> str:
    """Whole seconds since 1970-01-01 UTC of a column of instants."""
    if on_postgresql():
        return f"CAST(FLOOR(EXTRACT(EPOCH FROM {column})) AS BIGINT)"
    return f"CAST(strftime('%s', {column}) AS INTEGER)"


def text_order(column: str) -> str:
    """Codes compare by code point on both databases, whatever language the server speaks."""
    return f'{column} COLLATE "C"' if on_postgresql() else column


MACROS: dict[str, Any] = {
    "day": Macro(day_of),
    "month": Macro(month_of),
    "dom": Macro(day_of_month),
    "index": Macro(month_index),
    "date": Macro(date_of),
    "after": Macro(months_after),
    "text": Macro(text_order),
}


def id_list(ids: Collection[int]) -> str:
    """`(1, 2, 3)` for IN; `(NULL)`, which matches nothing, for none."""
    return f"({', '.join(str(int(i)) for i in sorted(ids)) or 'NULL'})"


def with_clause(ctes: Mapping[str, str], body: str) -> str:
    """`body` with the CTEs that it names, and those that these name, before it. `ctes` are in order of dependence.

    A text may begin with MATERIALIZED or NOT MATERIALIZED.
    """
    needed, words = [], set(re.findall(r"\w+", body))
    for name, text in reversed(list(ctes.items())):
        if name in words:
            words |= set(re.findall(r"\w+", text))
            hint, query = HINT.fullmatch(text).groups()  # type: ignore[union-attr]
            needed.append(f"{name} AS {hint or ''} ({query})")
    return f"WITH {', '.join(reversed(needed))} {body}" if needed else body


# For one statement. Sorting on disk, or compiling a text that runs once, costs seconds.
ROOMY = "SET LOCAL work_mem = '{memory}'; SET LOCAL jit = off; SET LOCAL enable_nestloop = {nestloop}; "


def roomy(sql: str, whole: bool, memory: str = "64MB") -> str:
    """The statement with room to sort in memory (PostgreSQL).

    `whole`: it reads all of the tables. Danger: the planner takes the result of a CTE for a handful of rows, and a
    nested loop over two of a million each never ends; so there are none then.
    """
    if not on_postgresql():
        return sql
    return ROOMY.format(memory=memory, nestloop="off" if whole else "on") + sql


def fetch(sql: str, whole: bool = False) -> list[dict[str, Any]]:
    """All rows as dicts. The text holds its values: integers, and literals made by this file."""
    with connection.cursor() as cursor:
        cursor.execute(roomy(sql, whole))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
