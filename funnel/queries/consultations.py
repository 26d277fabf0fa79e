"""Motivational consultations: a patient's own, and what they led to by doctor, said and in fact (R51).

In fact = within 90 days of the consultation the person (any of his records) completed a later visit with a core or
tripwire service for which money came in (net of refunds). The visit of the consultation itself is no conversion.
"""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from core.sql import date_literal
from funnel.models import Checklist, Consultation
from patients.metrics import Scope
from patients.metrics.facts import literal
from patients.models import Visit
from patients.queries import visible_visits
from staff.access import Actor
from staff.models import Doctor

WITHIN = 90  # days
LITTLE = 30  # fewer consultations than that give no share
SHOWN = 20  # visits of one patient
HELD = (Visit.Status.ARRIVED, Visit.Status.COMPLETED)


def current_checklist() -> Checklist:
    """The version in force. The first one comes with the product."""
    return Checklist.objects.latest("id")


def of_visits(by: Actor, record_ids: list[int]) -> list[tuple[Visit, Consultation | None]]:
    """The last visits to which the person came, with what was filled in. Two queries."""
    visits = visible_visits(by).filter(patient__in=record_ids, status__in=HELD).select_related("doctor")
    shown = list(visits.order_by("-start_at", "-id")[:SHOWN])
    found = {one.visit_id: one for one in Consultation.objects.filter(visit__in=[visit.pk for visit in shown])}
    return [(visit, found.get(visit.pk)) for visit in shown]


# The people of the consultations first, then their later visits: consultations are few.
TALKS = """(SELECT t.id, t.visit_id, t.outcome, v.doctor_id, v.branch_id, v.start_at, v.day,
        COALESCE(p.canonical_id, p.id) AS person
    FROM funnel_consultation t JOIN patients_visit v ON v.id = t.visit_id JOIN patients_patient p ON p.id = v.patient_id
    WHERE v.status = 'completed' AND v.day BETWEEN {first} AND {last} {branch})"""
LATER = """(SELECT t.id AS talk, n.id AS visit, n.start_at
    FROM {talks} t JOIN (
        SELECT u.id AS talk, u.person AS record FROM {talks} u
        UNION ALL SELECT u.id, g.id FROM {talks} u JOIN patients_patient g ON g.canonical_id = u.person) h
        ON h.talk = t.id
    JOIN patients_visit n ON n.patient_id = h.record
    WHERE n.status = 'completed' AND n.start_at > t.start_at AND n.id <> t.visit_id
        AND {day_n} BETWEEN {day_t} AND {day_t} + {within} AND EXISTS (
            SELECT 1 FROM patients_visititem i JOIN patients_service s ON s.id = i.service_id
            WHERE i.visit_id = n.id AND s.tier IN ('core', 'tripwire')))"""
CTES = {
    "later": "SELECT * FROM {going_on} l",
    "bought": """
        SELECT l.talk, MIN(v.day) AS bought_on, COUNT(*) AS visits FROM later l JOIN net n ON n.id = l.visit
        JOIN visited v ON v.id = l.visit WHERE n.net > 0 GROUP BY l.talk""",
    "fact": """
        SELECT t.id, t.person AS patient_id, t.visit_id, t.doctor_id AS doctor, {day_t} AS day, t.outcome, b.bought_on,
            CASE WHEN t.outcome IN ('core', 'tripwire') THEN 1 ELSE 0 END AS said,
            CASE WHEN b.talk IS NULL THEN 0 ELSE 1 END AS bought
        FROM {talks} t LEFT JOIN bought b ON b.talk = t.id WHERE t.person NOT IN (SELECT record FROM hidden)""",
}


@dataclass(frozen=True)
class Window:
    """Days of visits, inclusive. `young`: those after it, whose 90 days still run."""

    first: date
    last: date


def ripe_window(today: date, days: int) -> Window:
    """As many days of visits, the last of which has had its whole 90 days."""
    last = today - timedelta(days=WITHIN + 1)
    return Window(last - timedelta(days=days - 1), last)


def _ask(scope: Scope, by: Actor, window: Window, question: str) -> list[dict[str, Any]]:
    branch = "" if by.branch_id is None else f"AND v.branch_id = {int(by.branch_id)}"
    talks = TALKS.format(first=date_literal(window.first), last=date_literal(window.last), branch=branch)
    day = scope.values["day"]
    days = {"day_n": f"{day:n.day}", "day_t": f"{day:t.day}"}
    going_on = LATER.format(talks=talks, within=WITHIN, **days)
    narrow = f"AND v.id IN (SELECT l.visit FROM {going_on} l)"
    return scope.ask(question, CTES, talks=talks, going_on=going_on, visit_window=narrow, **days)


@dataclass(frozen=True)
class Line:
    """Consultations of one doctor. `said`: ended in a core or tripwire sale by the form; `bought`: in fact."""

    doctor: Doctor | None
    held: int
    core: int
    tripwire: int
    thinks: int
    declined: int
    bought: int

    @property
    def said(self) -> int:
        return self.core + self.tripwire

    @property
    def said_share(self) -> float | None:
        """None: too few to speak of a share."""
        return self.said / self.held if self.held >= LITTLE else None

    @property
    def bought_share(self) -> float | None:
        return self.bought / self.held if self.held >= LITTLE else None


COUNTS = ("held", *Consultation.Outcome.values, "bought")
SUMS = ", ".join(
    ["COUNT(*) AS held", "SUM(bought) AS bought"]
    + [f"SUM(CASE WHEN outcome = '{one}' THEN 1 ELSE 0 END) AS {one}" for one in Consultation.Outcome.values]
)


def by_doctor(scope: Scope, by: Actor, window: Window, after: int, size: int) -> tuple[list[Line], bool]:
    """A page of doctors past the id `after`, and whether more follow. Two queries."""
    rows = _ask(
        scope, by, window,
        f"SELECT doctor, {SUMS} FROM fact WHERE doctor > {int(after)} GROUP BY doctor ORDER BY doctor "
        f"LIMIT {int(size) + 1}",
    )  # fmt: skip
    doctors = Doctor.objects.in_bulk([row["doctor"] for row in rows])
    lines = [Line(doctors[row["doctor"]], **{name: int(row[name]) for name in COUNTS}) for row in rows[:size]]
    return lines, len(rows) > size


def whole(scope: Scope, by: Actor, window: Window) -> Line:
    """Of all doctors."""
    row = _ask(scope, by, window, f"SELECT {SUMS} FROM fact")[0]
    return Line(None, **{name: int(row[name] or 0) for name in COUNTS})


def young(scope: Scope, by: Actor, window: Window) -> int:
    """Consultations after the window: their 90 days still run."""
    after = Window(window.last + timedelta(days=1), scope.as_of)
    return int(_ask(scope, by, after, "SELECT COUNT(*) AS n FROM fact")[0]["n"])


def people(
    scope: Scope, by: Actor, window: Window, where: Mapping[str, int | str], after: int, size: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Consultations behind a number, the newest first, past the id `after` (0 = from the newest); the next key."""
    limits = [f"f.{name} = {literal(value)}" for name, value in where.items()]
    if after:
        limits.append(f"f.id < {int(after)}")
    told = f"WHERE {' AND '.join(limits)}" if limits else ""
    rows = _ask(scope, by, window, f"SELECT f.* FROM fact f {told} ORDER BY f.id DESC LIMIT {int(size) + 1}")
    return rows[:size], rows[size - 1]["id"] if len(rows) > size else None
