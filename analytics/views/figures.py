"""How figures of results are written for people: text by kind, the change between two, the line of a tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core import formats
from core.charts import Spark, sparkline
from core.charts.scale import Number

Text = Callable[[Any], str]


def value_of(figure: Any) -> Number | None:
    """The number behind a figure: a count or minor units as they are, of {num, den, value} the value."""
    if isinstance(figure, dict):
        return None if figure["value"] is None else Decimal(figure["value"])
    return figure if isinstance(figure, int | Decimal | float) else None


def written(kind: str, currency: str = "RUB") -> Text:
    """The function that writes a value of this kind of column (`analytics.rules.sheet`) or tile."""
    kinds: dict[str, Text] = {
        "money": partial(formats.money_whole, currency=currency),
        "percent": formats.percent,
        "count": formats.number,
        "number": partial(formats.number, digits=2),
        "months": partial(formats.number, digits=1),
        "day": _day,
        "text": _text,
    }
    return kinds[kind]


def on_axis(kind: str, currency: str = "RUB") -> Text:
    """The same, shorter."""
    short: dict[str, Text] = {
        "money": partial(formats.compact_money, currency=currency),
        "percent": partial(formats.percent, digits=0),
        "count": formats.compact,
    }
    return short.get(kind) or written(kind, currency)


def _day(value: date | None) -> str:
    return formats.day(value)


def _text(value: object) -> str:
    return formats.DASH if value in (None, "") else str(value)


@dataclass(frozen=True)
class Change:
    """Inputs of components/change.html; empty text: nothing to compare with."""

    text: str = ""
    trend: str = "flat"


def change_of(now: Any, before: Any, kind: str) -> Change:
    """Shares change by percentage points, everything else by percent of the value before."""
    new, old = value_of(now), value_of(before)
    if new is None or old is None or (kind != "percent" and old == 0):
        return Change()
    if kind == "percent":
        delta = (formats.exact(new) - formats.exact(old)) * 100
        points = formats.rounded(delta, 1)
        return Change(_("%(points)s pp") % {"points": formats.number(points, 1, plus=True)}, _trend(points))
    share = (formats.exact(new) - formats.exact(old)) / abs(formats.exact(old))
    return Change(formats.percent(share, plus=True), _trend(formats.rounded(share, 3)))


def _trend(delta: Decimal) -> str:
    return "up" if delta > 0 else "down" if delta < 0 else "flat"


def spark_of(values: list[Any]) -> Spark | None:
    """A line of the months; none where fewer than two are known."""
    known = [value_of(value) for value in values]
    return sparkline(known) if sum(value is not None for value in known) > 1 else None


def month_name(key: int, *, long: bool = False) -> str:
    """24297 -> 'сен 24' ('сентябрь 2024' if long): year * 12 + month."""
    year, month0 = divmod(key - 1, 12)
    day = date(year, month0 + 1, 1)
    return str(date_format(day, "F Y" if long else "M y"))
