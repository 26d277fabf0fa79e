"""The portable SQL against Python's own calendar, on the database at hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from core.clock import add_months, day_number, local_date, month_index
from core.sql import MACROS, Macro, fetch, instant_literal, local_day, with_clause

pytestmark = pytest.mark.django_db


def asked(expressions: list[str]) -> list[object]:
    """The value of each expression, in one question."""
    columns = ", ".join(f"{text} AS c{i}" for i, text in enumerate(expressions))
    return list(fetch(f"SELECT {columns}")[0].values())


def corners(seed: int, count: int = 60) -> list[date]:
    rng = Random(seed)
    ends = [
        date(2024, 1, 31),
        date(2024, 2, 29),
        date(2023, 2, 28),
        date(2020, 12, 31),
        date(2024, 3, 1),
        date(1969, 12, 30),
    ]
    return ends + [date(2000, 1, 1) + timedelta(days=rng.randrange(12000)) for _ in range(count)]


def test_months_after_a_day_are_those_of_the_clock():
    days = corners(1)
    for months in (1, 12, 36, 60):
        found = asked([MACROS["after"].function(f"{day_number(day)}|{months}") for day in days])
        assert found == [day_number(add_months(day, months)) for day in days]


def test_the_month_index_is_that_of_the_clock():
    starts, days = corners(2), corners(3)
    pairs = [
        *zip(starts, days, strict=True),
        (date(2024, 1, 31), date(2024, 2, 29)),
        (date(2024, 2, 29), date(2025, 2, 28)),
    ]
    month, dom, index = (MACROS[name].function for name in ("month", "dom", "index"))
    found = asked([index(f"{day_number(x)}|{month(str(day_number(d)))}|{dom(str(day_number(d)))}") for d, x in pairs])
    assert found == [month_index(x, d) for d, x in pairs]


@pytest.mark.parametrize(
    "tz", ["Asia/Almaty", "America/New_York", "America/Havana", "Pacific/Apia", "Asia/Kathmandu", "Europe/Moscow"]
)
def test_the_local_day_has_the_offset_in_force_at_that_instant(tz):
    rng = Random(tz)
    starts = [datetime(2024, 2, 29, 19, 0, tzinfo=UTC), datetime(2011, 12, 30, 9, 59, 59, tzinfo=UTC)]
    starts += [datetime(2008, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(20 * 365 * 86400)) for _ in range(60)]
    day = local_day(tz, 2030)
    assert asked([day(instant_literal(at)) for at in starts]) == [day_number(local_date(at, tz)) for at in starts]


def test_only_the_ctes_that_are_named_stand_before_a_question():
    ctes = {"a": "SELECT 1 AS x", "b": "MATERIALIZED SELECT x FROM a", "c": "SELECT 3 AS x"}
    text = with_clause(ctes, "SELECT x FROM b")
    assert text.startswith("WITH a AS  (") and "c AS" not in text
    assert fetch(text) == [{"x": 1}]
    assert with_clause(ctes, "SELECT 5 AS x") == "SELECT 5 AS x"


def test_a_macro_takes_its_argument_from_the_template():
    assert "{twice:x}".format_map({"twice": Macro(lambda x: f"({x} * 2)")}) == "(x * 2)"
