"""The API's visits: what follows from one visit is done in its request, as at the desk. A batch is left to the sweep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import transaction

from funnel.actions.intake import VISITS_OF_LEADS, book_row, record_visits
from messaging.tasks import wake
from patients.api import VISIT_DOOR as FACTS
from patients.api.care import make, record
from reception import actions
from staff.actions.intake import FAILED, UNCHANGED, RowResult


def make_followed(**call: Any) -> int:
    """`patients.api.care.make` and the follow-up; the confirmation leaves on commit. Raises Problem."""
    return actions.followed(make, lambda pk: _leaving([pk]), work=book_row, **call)


def record_followed(*, rows: list[Any], **call: Any) -> list[RowResult]:
    """`patients.api.care.record`; a row that comes alone is followed up. Raises Problem."""
    if len(rows) != 1:
        return record(record_visits, rows=rows, **call)
    return actions.followed(record, lambda results: _leaving(_written(results)), work=record_visits, rows=rows, **call)


def _written(results: list[RowResult]) -> list[int]:
    return [one.id for one in results if one.id is not None and one.status not in (FAILED, UNCHANGED)]


def _leaving(ids: list[int]) -> list[int]:
    if ids:
        transaction.on_commit(wake)  # messages leave now, not at the next tick
    return ids


DOORS = (replace(FACTS, resource=VISITS_OF_LEADS, make=make_followed, record=record_followed),)
