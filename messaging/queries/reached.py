"""How some patients can be reached, for rows that name them one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from core.sql import id_list
from messaging.queries.reach import FIELDS, choice_sql, reachable_params, reachable_sql
from messaging.queries.routes import routes
from patients.models.contact import Purpose

QUESTION = """WITH due (patient_id, branch_tz) AS (
    SELECT p.id, b.tz FROM patients_patient p JOIN staff_branch b ON b.id = p.branch_id WHERE p.id IN {ids}),{reached}
SELECT patient_id, tz, language, {best}, {columns} FROM reached"""


@dataclass(frozen=True)
class Reach:
    """`best`: the transport that the product would choose; `addresses`: transport → address or None."""

    best: str
    tz: str
    language: str
    addresses: dict[str, str | None]


def reach_of(patient_ids: Sequence[int], *, now: datetime) -> dict[int, Reach]:
    """By the ids that were asked for; a child's addresses are those of the responsible adult. One query."""
    if not patient_ids:
        return {}
    best = choice_sql(routes(Purpose.SERVICE), of_address=False)
    names = list(FIELDS)
    sql = QUESTION.format(
        ids=id_list(patient_ids), reached=reachable_sql(), best=best, columns=", ".join(FIELDS[name] for name in names)
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, reachable_params(now))
        rows = cursor.fetchall()
    return {
        row[0]: Reach(best=row[3], tz=row[1], language=row[2], addresses=dict(zip(names, row[4:], strict=True)))
        for row in rows
    }
