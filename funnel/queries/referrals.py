"""What became of referrals inside the clinic, from the facts (R54): booked, came, paid; by pair of doctors, by person.

A booking answers a referral when the person (any of his records) made it with that doctor, or with another doctor of
that speciality, from the referral on and before its 90 days are over. Of these: `booked` is the first one, whatever
became of it; `came` the earliest that was completed. The money of a visit counts once, for the earliest referral that
it answers.
"""

# ruff: noqa: S608 - the templates hold no input: integers, literals of core.sql, escaped text of a cursor

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet

from core.clock import day_end, day_start
from core.sql import epoch_of, instant_literal
from funnel.models import InternalReferral
from patients.metrics import Scope
from patients.metrics.facts import literal
from patients.models import Visit
from staff.access import Actor
from staff.models import Doctor

WINDOW = timedelta(days=90)
WHICH = ("made", "booked", "came", "waiting")


def _answers() -> str:
    """SQL: visit `v` (of a doctor `d`) is a booking that answers referral `r`; the patient is matched elsewhere."""
    seconds = int(WINDOW.total_seconds())
    return (
        "(v.doctor_id = r.to_doctor_id OR (r.to_doctor_id IS NULL AND d.speciality = r.to_speciality"
        " AND v.doctor_id <> r.from_doctor_id)) AND v.booked_at >= r.made_at"
        f" AND {epoch_of('v.booked_at')} - {epoch_of('r.made_at')} < {seconds}"
    )


def live_booking() -> str:
    """SQL: a booking that stands, or took place, answers referral `r`."""
    look = f"v.status NOT IN ('cancelled_patient', 'cancelled_clinic') AND {_answers()}"
    visits = "patients_visit v JOIN staff_doctor d ON d.id = v.doctor_id"
    person = "(SELECT COALESCE(p.canonical_id, p.id) FROM patients_patient p WHERE p.id = r.patient_id)"
    return (
        f"(EXISTS (SELECT 1 FROM {visits} WHERE v.patient_id = {person} AND {look})"
        f" OR EXISTS (SELECT 1 FROM {visits} JOIN patients_patient g ON g.id = v.patient_id"
        f" WHERE g.canonical_id = {person} AND {look}))"
    )


# From the referrals to the visits of their people, never the other way: the referrals are few.
REFERRED = """(SELECT r.*, COALESCE(p.canonical_id, p.id) AS person FROM funnel_internalreferral r
    JOIN patients_patient p ON p.id = r.patient_id WHERE r.made_at >= {since} AND r.made_at < {until})"""
RECORDS = """(SELECT r.id AS referral, r.person AS record FROM {referred} r
    UNION ALL SELECT r.id, g.id FROM {referred} r JOIN patients_patient g ON g.canonical_id = r.person)"""
ANSWERS = """(SELECT r.id AS referral, r.made_at, v.id AS visit, v.booked_at, v.start_at, v.day,
        CASE WHEN v.status = 'completed' AND v.start_at < {end} THEN 1 ELSE 0 END AS came
    FROM {referred} r JOIN {records} h ON h.referral = r.id JOIN patients_visit v ON v.patient_id = h.record
    JOIN staff_doctor d ON d.id = v.doctor_id WHERE v.booked_at < {end} AND {answers})"""
CTES = {
    "answer": "SELECT * FROM {answering} a",
    "came_first": """
        SELECT referral, visit, day, made_at FROM (
            SELECT a.*, ROW_NUMBER() OVER (PARTITION BY referral ORDER BY start_at, visit) AS place
            FROM answer a WHERE came = 1) c WHERE place = 1""",
    "came": """
        SELECT c.*, ROW_NUMBER() OVER (PARTITION BY visit ORDER BY made_at, referral) AS claim FROM came_first c""",
    "booked": "SELECT referral, MIN(booked_at) AS booked_at FROM answer GROUP BY referral",
    "fact": """
        SELECT r.id, r.person AS patient_id, r.from_doctor_id AS sender, COALESCE(r.to_doctor_id, 0) AS receiver,
            r.to_speciality AS speciality, r.made_at, b.booked_at, {day:c.day} AS came_on,
            CASE WHEN b.referral IS NULL THEN 0 ELSE 1 END AS booked,
            CASE WHEN c.referral IS NULL THEN 0 ELSE 1 END AS came,
            CASE WHEN b.referral IS NULL AND r.made_at >= {ripe} THEN 1 ELSE 0 END AS waiting,
            CASE WHEN c.claim = 1 THEN COALESCE(n.net, 0) ELSE 0 END AS revenue
        FROM {referred} r LEFT JOIN booked b ON b.referral = r.id LEFT JOIN came c ON c.referral = r.id
        LEFT JOIN net n ON n.id = c.visit
        WHERE r.made_at >= {begin} AND r.person NOT IN (SELECT record FROM hidden) {branch}""",
}
PAIR = ("sender", "receiver", "speciality")
TOTALS = """COUNT(*) AS made, COALESCE(SUM(booked), 0) AS booked, COALESCE(SUM(came), 0) AS came,
    COALESCE(SUM(waiting), 0) AS waiting, CAST(COALESCE(SUM(revenue), 0) AS BIGINT) AS revenue"""


def _ask(scope: Scope, by: Actor, first: date, question: str) -> list[dict[str, Any]]:
    """`fact`: a row a referral made from local day `first` to the scope's day. Outcomes of every branch count."""
    begin = day_start(first, scope.tz)
    referred = REFERRED.format(since=instant_literal(begin - WINDOW), until=instant_literal(scope.t_end))
    records = RECORDS.format(referred=referred)
    end = instant_literal(scope.t_end)
    answering = ANSWERS.format(referred=referred, records=records, end=end, answers=_answers())
    return scope.ask(
        question,
        CTES,
        referred=referred,
        answering=answering,
        begin=instant_literal(begin),
        ripe=instant_literal(day_end(scope.as_of, scope.tz) - WINDOW),
        branch="" if by.branch_id is None else f"AND r.branch_id = {int(by.branch_id)}",
        visit_window=f"AND v.id IN (SELECT a.visit FROM {answering} a WHERE a.came = 1)",
    )


@dataclass(frozen=True)
class Line:
    """Referrals of one pair. `receiver`: None = any doctor of `speciality`; `revenue`: minor units."""

    sender: Doctor
    receiver: Doctor | None
    speciality: str
    made: int
    booked: int
    came: int
    waiting: int
    revenue: int

    @property
    def key(self) -> tuple[int, int, str]:
        return self.sender.pk, self.receiver.pk if self.receiver else 0, self.speciality

    @property
    def booked_share(self) -> float:
        return self.booked / self.made

    @property
    def came_share(self) -> float:
        return self.came / self.made


def totals(scope: Scope, by: Actor, first: date) -> dict[str, int]:
    """{made, booked, came, waiting, revenue} of all pairs."""
    return {name: int(value) for name, value in _ask(scope, by, first, f"SELECT {TOTALS} FROM fact")[0].items()}


def pairs(
    scope: Scope, by: Actor, first: date, after: tuple[int, int, str] | None, size: int
) -> tuple[list[Line], bool]:
    """A page of pairs past the key `after`, and whether more follow. Two queries."""
    names = ", ".join(PAIR)
    start = f"WHERE ({names}) > ({', '.join(literal(part) for part in after)})" if after else ""
    rows = _ask(
        scope, by, first,
        f"SELECT {names}, {TOTALS} FROM fact {start} GROUP BY {names} ORDER BY {names} LIMIT {int(size) + 1}",
    )  # fmt: skip
    doctors = Doctor.objects.in_bulk({row[end] for row in rows for end in ("sender", "receiver")})
    lines = [
        Line(
            doctors[row["sender"]], doctors.get(row["receiver"]), row["speciality"],
            *(int(row[name]) for name in ("made", "booked", "came", "waiting", "revenue")),
        )
        for row in rows[:size]
    ]  # fmt: skip
    return lines, len(rows) > size


def people(
    scope: Scope, by: Actor, first: date, where: Mapping[str, int | str], after: int, size: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Referrals behind a number, the newest first, past the id `after` (0 = from the newest); and the next key."""
    limits = [f"f.{name} = {literal(value)}" for name, value in where.items()]
    if after:
        limits.append(f"f.id < {int(after)}")
    told = f"WHERE {' AND '.join(limits)}" if limits else ""
    rows = _ask(scope, by, first, f"SELECT f.* FROM fact f {told} ORDER BY f.id DESC LIMIT {int(size) + 1}")
    return rows[:size], rows[size - 1]["id"] if len(rows) > size else None


def visit_of(record_ids: list[int], doctor: Doctor, day: date) -> Visit | None:
    """The visit of that day to the doctor who refers: the referral is made at it."""
    held = Visit.objects.filter(patient__in=record_ids, doctor=doctor, day=day)
    return held.filter(status__in=(Visit.Status.ARRIVED, Visit.Status.COMPLETED)).order_by("-start_at").first()


def visible_referrals(by: Actor) -> QuerySet[InternalReferral]:
    found = InternalReferral.objects.select_related("from_doctor", "to_doctor")
    return found if by.branch_id is None else found.filter(branch=by.branch_id)
