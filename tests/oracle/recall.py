"""Whom to call back: M28 rfm, M29 overdue and recommendation_compliance, M30 cadence."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from .exact import ratio
from .world import Person, World


def tally(names: list[str]) -> dict[str, int]:
    """{name: how many}, sorted, zeros omitted."""
    return dict(sorted(Counter(names).items()))


def score(value: int, everyone: list[int]) -> int:
    """1..5 by the share of strictly smaller values; ties share a score."""
    smaller = sum(1 for other in everyone if other < value)
    return min(5, 1 + 5 * smaller // len(everyone))


@dataclass(frozen=True)
class Rfm:
    """Days since the last visit-day; visit-days and kopecks in (D - 365, D]."""

    recency: int
    frequency: int
    money: int


def rfm_of(world: World, person: Person) -> Rfm:
    year_ago = world.D - timedelta(days=365)
    frequency = sum(1 for d in person.days if d > year_ago)
    money = sum(amount for day, amount in person.revenue_events() if day > year_ago)
    return Rfm((world.D - person.dl).days, frequency, money)


def scores(world: World) -> dict[str, tuple[int, int, int]]:
    """person -> (R, F, M) scores; F and M are ranked among those seen in the last 365 days, others get 1."""
    facts = {p.id: rfm_of(world, p) for p in world.acquired}
    recencies = [-f.recency for f in facts.values()]
    seen = [f for f in facts.values() if f.frequency >= 1]
    result = {}
    for key, fact in facts.items():
        r, f, m = score(-fact.recency, recencies), 1, 1
        if fact.frequency >= 1:
            f = score(fact.frequency, [x.frequency for x in seen])
            m = score(fact.money, [x.money for x in seen])
        result[key] = (r, f, m)
    return result


def rfm(world: World) -> dict:
    """M28. {patients, cells: {"RFM": n}, segments: {name: n}}."""
    table = scores(world)
    segments = [segment(world, p, *table[p.id]) for p in world.acquired]
    return {
        "patients": len(table),
        "cells": tally([f"{r}{f}{m}" for r, f, m in table.values()]),
        "segments": tally(segments),
    }


def segment(world: World, person: Person, r: int, f: int, m: int) -> str:
    """The first segment that fits."""
    often = rfm_of(world, person).frequency >= 3
    rules = [
        ("lost", world.D - person.dl > world.theta),
        ("new", person.d0 > world.D - timedelta(days=90)),
        ("champions", min(r, f, m) >= 4 and often),
        ("loyal", r >= 3 and f >= 4 and often),
        ("promising", r >= 4),
        ("needs_attention", r == 3),
        ("at_risk", True),
    ]
    return next(name for name, fits in rules if fits)


@dataclass(frozen=True)
class Recommendation:
    """Made on `made` to return on `due` to a specialty; `superseded` = date of the visit that replaced it."""

    made: date
    due: date
    specialty: str
    superseded: date | None
    satisfied: date | None


def recommendations(world: World, person: Person) -> list[Recommendation]:
    """All recommendations of a person in the order of their visits."""
    specialty = {d.doctor_id: d.specialty for d in world.clinic.doctors}
    found = []
    for place, visit in enumerate(person.visits):
        if visit.recommended is None:
            continue
        field = specialty[visit.doctor_id]
        same = [v for v in person.visits if specialty[v.doctor_id] == field]
        later = [v.date for v in person.visits[place + 1 :] if v in same and v.recommended is not None]
        earliest = visit.recommended - timedelta(days=30)
        back = [v.date for v in same if v.date > visit.date and v.date >= earliest]
        superseded = later[0] if later else None
        found.append(Recommendation(visit.date, visit.recommended, field, superseded, min(back, default=None)))
    return found


def overdue(world: World) -> dict:
    """M29. {patients, buckets: {name: n}} of acquired persons."""
    booked = {
        world.canonical[a.patient_id]
        for a in world.appointments
        if a.start_at >= world.t_end and world.status(a) == "scheduled"
    }
    buckets = ["booked" if p.id in booked else due_bucket(world, p) for p in world.acquired]
    return {"patients": len(buckets), "buckets": tally(buckets)}


def due_date(world: World, person: Person) -> date | None:
    """The earliest unsatisfied return date that no later recommendation replaced."""
    open_ones = [r.due for r in recommendations(world, person) if r.superseded is None and r.satisfied is None]
    return min(open_ones, default=None)


def due_bucket(world: World, person: Person) -> str:
    due = due_date(world, person)
    if due is None:
        return "no_due_date"
    late = (world.D - due).days
    if late <= 0:
        return "not_due"
    if late <= 30:
        return "overdue_1_30"
    return "overdue_31_90" if late <= 90 else "overdue_90_plus"


def recommendation_compliance(world: World, start: date, end: date) -> dict:
    """M29. on_time: satisfied by r+30; then, of those that were not: satisfied by r+120."""
    month, late = timedelta(days=30), timedelta(days=120)
    counted = [
        r
        for p in world.acquired
        for r in recommendations(world, p)
        if start <= r.due <= end and not (r.superseded is not None and r.superseded < r.due - month)
    ]
    mature = [r for r in counted if r.due + month <= world.D]
    missed = [r for r in counted if r.due + late <= world.D and not satisfied_by(r, r.due + month)]
    return {
        "on_time": ratio(sum(satisfied_by(r, r.due + month) for r in mature), len(mature)),
        "returned_within_90_after_30_overdue": ratio(sum(satisfied_by(r, r.due + late) for r in missed), len(missed)),
    }


def satisfied_by(recommendation: Recommendation, day: date) -> bool:
    return recommendation.satisfied is not None and recommendation.satisfied <= day


def cadence(world: World) -> dict:
    """M30. Persons with at least 3 gaps: silence against their own lower median gap."""
    names = []
    for p in world.acquired:
        gaps = sorted((b - a).days for a, b in zip(p.days, p.days[1:], strict=False))
        if len(gaps) >= 3:
            names.append(rhythm((world.D - p.dl).days, gaps[(len(gaps) - 1) // 2]))
    return {"patients_with_cadence": len(names), "buckets": tally(names)}


def rhythm(silence: int, usual: int) -> str:
    """on_time up to the usual gap, late up to 1.5 of it, overdue up to 3, then critical."""
    if silence <= usual:
        return "on_time"
    if 2 * silence <= 3 * usual:
        return "late"
    return "overdue" if silence <= 3 * usual else "critical"
