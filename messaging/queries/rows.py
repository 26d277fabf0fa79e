"""Rows of the outbox that are named by their ids."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from core.sql import id_list, on_postgresql


def among(ids: Collection[int], column: str = "id") -> RawSQL:
    """Whether `column` of a message is one of `ids`: for `.filter()`, not inside of another query of the outbox.

    One literal: as five hundred parameters a list cost more to write and to read than the statement around it.
    """
    if on_postgresql():
        these = f"= ANY('{{{','.join(map(str, map(int, ids)))}}}'::bigint[])"
    else:
        these = f"IN {id_list(ids)}"
    return RawSQL(f"messaging_message.{column} {these}", [], output_field=BooleanField())  # noqa: S611
