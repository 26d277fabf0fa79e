"""Keyset pages: a growing list neither skips nor repeats a row, and the thousandth page costs as the first."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
PAGE = 50
MOST = 2**62


def page_after(rows: QuerySet[Row], after: str, size: int = PAGE) -> tuple[list[Row], int | None]:
    """Up to `size` rows past the id `after` of a queryset ordered by `id` or `-id`; and the key of the next page.

    A key that is no number is taken for the beginning.
    """
    if after.isdecimal() and int(after) <= MOST:
        down = rows.query.order_by == ("-id",)
        rows = rows.filter(**{"id__lt" if down else "id__gt": int(after)})
    found = list(rows[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None
