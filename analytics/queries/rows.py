"""Drill-down rows as other systems read them: words for columns, codes for ids, decimal strings for money."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from analytics.metrics.columns import COLUMNS
from analytics.queries.answers import Question
from core.clock import from_day_number
from core.money import money_text
from patients.metrics import Facts
from patients.metrics.codes import codes_of

CODED = {"doctor": "doctor", "branch": "branch", "channel": "channel", "service": "service", "first_doctor": "doctor"}
BIGGEST = 2**63 - 1
TEXT_KEYS = ("kind", "grp")  # key columns that hold text; the others are integers


class BadCursor(Exception):
    """The cursor was not made by us for this metric."""


@dataclass(frozen=True)
class Page:
    """`after`: the cursor of the next page, None on the last one."""

    rows: list[dict[str, Any]]
    after: str | None


def page(asked: Question, cursor: str | None, size: int) -> Page:
    """At most `size` rows, in the order of their key. Raises BadCursor."""
    facts, columns = asked.metric.facts(asked.scope, asked.args), asked.metric.columns
    found = facts.page(read_cursor(facts.key, cursor) if cursor else None, size + 1)
    codes = {name: codes_of(what) for name, what in coded(columns, facts).items()}
    rows = [{name: shown(name, row, codes) for name in columns} for row in found[:size]]
    more = len(found) > size
    return Page(rows, write_cursor([found[size - 1][name] for name in facts.key]) if more else None)


def coded(columns: Sequence[str], facts: Facts) -> dict[str, str]:
    """{column: what its code is of} of the columns that come as ids."""
    return {name: CODED[name] for name in columns if name in CODED} | facts.codes


def shown(name: str, row: dict[str, Any], codes: dict[str, dict[int, str]]) -> Any:
    """The value of one column as JSON."""
    if name in CODED:
        return codes[name].get(row[f"{name}_id"])
    value = row[name]
    if name in codes:  # a group that is an id
        return codes[name].get(int(value), value) if value.isdigit() else value
    return None if value is None else CONVERT[COLUMNS[name].kind](value)


CONVERT: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "flag": bool,
    "money": lambda minor: money_text(int(minor)),
    "day": lambda number: from_day_number(number).isoformat(),
    "instant": lambda seconds: from_epoch(int(seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "text": str,
    "code": str,
}


def from_epoch(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def write_cursor(key: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


def read_cursor(names: Sequence[str], cursor: str) -> list[int | str]:
    """The key in a cursor. Danger: it comes from outside, so each part must have the type of its column."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise BadCursor from None
    if not isinstance(parts, list) or len(parts) != len(names):
        raise BadCursor
    if not all(fits(name, part) for name, part in zip(names, parts, strict=True)):
        raise BadCursor
    return parts


def fits(name: str, part: object) -> bool:
    if name in TEXT_KEYS:
        return (
            isinstance(part, str)
            and len(part) <= 200
            and "\x00" not in part
            and not any("\ud800" <= c <= "\udfff" for c in part)
        )
    return type(part) is int and abs(part) <= BIGGEST
