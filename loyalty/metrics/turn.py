"""What the calendar alone does to the value facts: whose raw rows must be read again, and where the scores now begin.

Between two nights a patient's visits and payments change nothing but: what falls out of the 365 days (M28), what was
dated ahead and has come due, a booking that has passed, a natural reason whose date has come. All else is arithmetic on
the facts themselves. Changes of rows are not this file's matter: the sweep follows the change feed.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from core.clock import day_end
from core.sql import date_literal, fetch, id_list, instant_literal, with_clause
from loyalty.metrics.facts import CTES, SCORED, fact_values
from loyalty.models import RfmScale
from patients.metrics import Scope

YEAR = timedelta(days=365)
# Money pays for visits of others, too: whoever paid, and whoever came, both have a figure that moves.
MOVED = """
    SELECT patient_id FROM patients_visit WHERE status = 'completed' AND (day {leaving} OR day {due})
    UNION SELECT patient_id FROM patients_visit
        WHERE booked_at > start_at AND booked_at >= {since} AND booked_at < {until}
    UNION SELECT patient_id FROM patients_payment WHERE day {leaving} OR day {due}
    UNION SELECT r.patient_id FROM patients_payment y JOIN patients_payment r ON r.refund_of_id = y.id
        WHERE y.day {leaving}
    UNION SELECT v.patient_id FROM patients_payment y JOIN patients_visit v ON v.id = y.visit_id WHERE y.day {due}
    UNION SELECT v.patient_id FROM patients_payment r JOIN patients_payment y ON y.id = r.refund_of_id
        JOIN patients_visit v ON v.id = y.visit_id WHERE r.day {due}
    UNION SELECT v.patient_id FROM patients_payment y JOIN patients_allocation a ON a.payment_id = y.id
        JOIN patients_visit v ON v.id = a.visit_id WHERE y.day {due}
    UNION SELECT id FROM patients_patient WHERE natural_churn_date {due}
    UNION SELECT patient_id FROM loyalty_patientvalue WHERE booked_at < {now}"""


def moved(scope: Scope, since: date, now: datetime) -> set[int]:
    """Records whose raw rows give other facts at the end of `scope.as_of` than they gave at the end of `since`."""
    text = MOVED.format(
        leaving=_between(since - YEAR, scope.as_of - YEAR),
        due=_between(since, scope.as_of),
        since=instant_literal(day_end(since, scope.tz)),
        until=instant_literal(scope.t_end),
        now=instant_literal(now),
    )
    return {row["patient_id"] for row in fetch(text)}


def _between(after: date, last: date) -> str:
    """SQL: behind the one day, up to the other."""
    return f"BETWEEN {date_literal(after + timedelta(days=1))} AND {date_literal(last)}"


# Days repeat themselves, so they are counted and not sorted; hardly two patients brought the same money.
COUNTED = "SELECT {column} AS value, COUNT(*) AS n FROM {source} WHERE {who} > 0 GROUP BY {column} ORDER BY {column}"
PLACED = """SELECT value, place FROM (
        SELECT {column} AS value, ROW_NUMBER() OVER (ORDER BY {column}) AS place FROM {source} WHERE {who} > 0) x
    WHERE place IN {places}"""


def scale(scope: Scope, now: datetime, source: str) -> list[RfmScale]:
    """Where the scores of M28 begin in `source` (as in `fact_values`), unsaved.

    score = 1 + floor(5 x smaller / n) is at least s when ceil((s - 1) n / 5) others are smaller, that is, when the
    value is above the one at that place of the sorted. All values are whole numbers, so "above" begins one higher.
    """
    values = scope.values | fact_values(scope, now, source)
    ctes = {name: text.format_map(values) for name, text in CTES.items()}

    def ask(text: str, measure: str, places: str = "") -> list[dict[str, Any]]:
        column, who = SCORED[measure]
        return fetch(with_clause(ctes, text.format(column=column, who=who, source=source, places=places)))

    recency, visits = ask(COUNTED, "r"), ask(COUNTED, "f")
    places = _places(sum(row["n"] for row in visits))  # F and M are ranked among the same patients
    money = {row["place"]: row["value"] for row in ask(PLACED, "m", id_list(set(places.values())))}
    return [
        *_marks("r", _at_places(recency)),
        *_marks("f", _at_places(visits)),
        *_marks("m", {score: money[place] for score, place in places.items() if money}),
    ]


def _places(n: int) -> dict[int, int]:
    """{score: ceil((score - 1) n / 5)}"""
    return {score: -(-(score - 1) * n // 5) for score in range(2, 6)}


def _at_places(rows: list[dict[str, Any]]) -> dict[int, int]:
    """{score: the value at its place} from (value, n) in order of the value."""
    below = list(accumulate(row["n"] for row in rows))
    places = _places(below[-1]) if below else {}
    return {score: rows[bisect_left(below, place)]["value"] for score, place in places.items()}


def _marks(measure: str, values: dict[int, int]) -> list[RfmScale]:
    return [RfmScale(measure=measure, score=score, steps=1, minimum=value + 1) for score, value in values.items()]
