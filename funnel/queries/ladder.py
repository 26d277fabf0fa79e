"""The product ladder from the facts: positions, ways from step to step, gaps, and what may be proposed.

A person's way in a speciality is the order in which he first reached its steps, by day and, on one day, from the bottom
up. Free items count, completed visits alone, canonical patients, no test person (metrics.md 1).
"""

# ruff: noqa: S608 - the templates hold no input: integers, the tiers of the ladder, an escaped speciality

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from funnel.models import Indication, LadderRules, TierMark
from funnel.rules.ladder import LADDER, PLACE, Step, matrix
from patients.metrics import Facts, Period, Scope
from patients.metrics.facts import days, literal
from patients.models import Service

MATURE_DAYS = 180  # N of M23
PLACES = " ".join(f"WHEN '{tier}' THEN {place}" for tier, place in PLACE.items())
WAY = {
    "reached": f"""
        SELECT v.person, s.speciality, s.tier, MIN(v.day) AS day, CASE s.tier {PLACES} END AS place
        FROM visited v JOIN patients_visititem i ON i.visit_id = v.id JOIN patients_service s ON s.id = i.service_id
        WHERE s.tier <> 'other' GROUP BY v.person, s.speciality, s.tier""",
    "way": """
        SELECT person, speciality, tier, day, place, LEAD(tier) OVER w AS later, LEAD(day) OVER w AS later_day,
            ROW_NUMBER() OVER (PARTITION BY person, speciality ORDER BY place DESC) AS from_top
        FROM reached WINDOW w AS (PARTITION BY person, speciality ORDER BY day, place)""",
}
STEPS = """
    SELECT person AS patient_id, speciality, tier, day, CASE WHEN day + {n} <= {D} THEN 1 ELSE 0 END AS mature,
        CASE WHEN later_day <= day + {n} THEN later ELSE 'none' END AS later,
        CASE WHEN later_day <= day + {n} THEN later_day - day END AS days
    FROM way"""
AHEAD = """
    SELECT DISTINCT a.person FROM appointment a
    WHERE a.start_at >= {t_end} AND a.cancelled_at IS NULL AND a.status = 'scheduled'"""
INCOME = """
    SELECT v.person AS patient_id, s.speciality, s.tier, COUNT(*) AS items, CAST(SUM(i.amount) AS BIGINT) AS amount,
        CAST(SUM(i.cost) AS BIGINT) AS cost
    FROM visited v JOIN patients_visititem i ON i.visit_id = v.id JOIN patients_service s ON s.id = i.service_id
    WHERE v.day BETWEEN {first} AND {last} GROUP BY v.person, s.speciality, s.tier"""
BEFORE_CORE = {
    "first_core": """
        SELECT v.person, MIN(v.start_at) AS start_at, MIN(v.day) AS day
        FROM visited v JOIN patients_visititem i ON i.visit_id = v.id JOIN patients_service s ON s.id = i.service_id
        WHERE s.tier = 'core' GROUP BY v.person""",
    "before_core": """
        SELECT f.person, COUNT(*) AS n FROM patients_touchpoint t {whose:t}
        JOIN first_core f ON f.person = {person:t} AND t.at < f.start_at
        WHERE t.at < {t_end} {counted:t} GROUP BY f.person""",
}
TOUCHES = """
    SELECT f.person AS patient_id, f.day, c.channel_id, COALESCE(b.n, 0) AS touches
    FROM first_core f LEFT JOIN before_core b ON b.person = f.person LEFT JOIN touch c ON c.person = f.person
    WHERE f.day BETWEEN {first} AND {last}"""
POSITIONS = "SELECT person AS patient_id, speciality, tier, day FROM way WHERE from_top = 1"


def positions(scope: Scope) -> Facts:
    """The highest step of each person in each speciality and the day he first reached it; keyset by person."""
    return Facts(scope, POSITIONS, ("patient_id", "speciality"), ctes=WAY)


def steps(scope: Scope, window: int = MATURE_DAYS) -> Facts:
    """Each step that a person reached, with the next one within `window` days: the people behind the matrix."""
    return Facts(scope, STEPS, ("patient_id", "speciality", "tier"), ctes=WAY, values={"n": window})


def transitions(scope: Scope, window: int = MATURE_DAYS) -> tuple[dict[str, dict[str, list[Step]]], dict[str, int]]:
    """({speciality: {tier: ways}}, {speciality: people-steps whose window still runs, in no share})."""
    rows = steps(scope, window).ask(
        "SELECT speciality, tier, later, days, mature, COUNT(*) AS n FROM fact "
        "GROUP BY speciality, tier, later, days, mature"
    )
    names = sorted({row["speciality"] for row in rows})
    ripe = {name: [row for row in rows if row["mature"] and row["speciality"] == name] for name in names}
    young = {name: sum(row["n"] for row in rows if not row["mature"] and row["speciality"] == name) for name in names}
    found = {name: matrix((r["tier"], r["later"], r["days"], r["n"]) for r in part) for name, part in ripe.items()}
    return found, young


def standing(scope: Scope, speciality: str, usual: Mapping[str, int]) -> Facts:
    """People by the step on which they stand; `stuck`: for more than its usual days, no booking ahead, not gone.

    `usual`: {tier of the ladder: days}. Gone are those of whom a reason of natural churn is known.
    """
    limits = " ".join(f"WHEN '{tier}' THEN {int(usual[tier])}" for tier in LADDER)
    text = (
        f"SELECT w.person AS patient_id, w.tier, w.day, CASE WHEN w.day + CASE w.tier {limits} END < {{D}} "
        "AND h.person IS NULL AND r.natural_churn_reason = '' THEN 1 ELSE 0 END AS stuck "
        "FROM way w JOIN patients_patient r ON r.id = w.person LEFT JOIN ahead h ON h.person = w.person "
        f"WHERE w.from_top = 1 AND w.speciality = {literal(speciality)}"
    )
    return Facts(scope, text, ("patient_id",), ctes=WAY | {"ahead": AHEAD})


def income(scope: Scope, period: Period) -> Facts:
    """What each person was charged on each step in the period, and its direct cost (minor units): margin by step."""
    return Facts(scope, INCOME, ("patient_id", "speciality", "tier"), values=days(period))


def touches(scope: Scope, period: Period) -> Facts:
    """How many touchpoints each person had before his first core visit, when that was in the period (R43).

    The visit's own touchpoint is none of them; `channel_id` is that of the person's first touch.
    """
    return Facts(scope, TOUCHES, ("patient_id",), ctes=BEFORE_CORE, values=days(period))


def people(
    facts: Facts, where: Mapping[str, int | str | None], after: int, size: int
) -> tuple[list[dict[str, Any]], int | None]:
    """A page of the people behind a number: rows past the patient id `after`, and the key of the next page.

    `where`: columns and their values (None = empty); with them each person stands there once.
    """
    limits = [f"f.{name} IS NULL" if v is None else f"f.{name} = {literal(v)}" for name, v in where.items()]
    told = " AND ".join([f"f.patient_id > {int(after)}", *limits])
    rows = facts.ask(f"SELECT f.* FROM fact f WHERE {told} ORDER BY f.patient_id LIMIT {int(size) + 1}")
    return rows[:size], rows[size - 1]["patient_id"] if len(rows) > size else None


def unclassified() -> QuerySet[Service]:
    """Services sold whose tier nobody has chosen: `other` by default, without a mark."""
    marked = TierMark.objects.filter(service=OuterRef("pk"))
    return Service.objects.filter(~Exists(marked), is_active=True, tier="other").order_by("id")


def missing_tiers() -> dict[str, list[str]]:
    """Specialities whose ladder lacks a step: {speciality: tiers that no active service has}."""
    have: dict[str, set[str]] = {}
    for name, tier in Service.objects.filter(is_active=True).values_list("speciality", "tier").distinct():
        have.setdefault(name, set()).add(tier)
    return {name: gaps for name in sorted(have) if (gaps := [tier for tier in LADDER if tier not in have[name]])}


def proposable(record_ids: list[int]) -> QuerySet[Indication]:
    """What may be said now to a person (all his records): indicated by a doctor, forbidden on none of the records."""
    forbidden = Indication.objects.filter(
        patient__in=record_ids, service=OuterRef("service"), kind=Indication.Kind.FORBIDDEN, closed_at=None
    )
    mine = Indication.objects.filter(patient__in=record_ids, kind=Indication.Kind.INDICATED, closed_at=None)
    return mine.filter(~Exists(forbidden), service__is_active=True).select_related("service", "doctor").order_by("id")


def rules_of_ladder() -> LadderRules:
    return LadderRules.objects.filter(pk=1).first() or LadderRules(pk=1)
