"""Staying and leaving: M14 lost days, M15 churn_year, M16 repeat_rate."""

from datetime import date, timedelta
from fractions import Fraction

from .acquisition import acquisition_spend
from .exact import quotient, ratio, rubles
from .world import Person, World

NATURAL = ("moved", "died", "income")


def next_day(person: Person, day: date) -> date | None:
    """The first visit-day after `day`."""
    return next((d for d in person.days if d > day), None)


def losses(world: World, person: Person, start: date, end: date) -> list[tuple[date, date]]:
    """M14. (visit-day u, loss day u + theta) of every loss with its day in [start, min(end, D)]."""
    found = []
    for u in person.days:
        loss, back = u + world.theta, next_day(person, u)
        returned = back is not None and back <= loss
        if not returned and start <= loss <= min(end, world.D):
            found.append((u, loss))
    return found


def is_active(world: World, person: Person, start: date) -> bool:
    """Before `start` there is a visit-day u with u + theta >= start."""
    return any(u < start <= u + world.theta for u in person.days)


def is_reactivated(world: World, person: Person, start: date, end: date) -> bool:
    """A visit-day in the period comes more than theta after the one before it."""
    pairs = zip(person.days, person.days[1:], strict=False)
    return any(start <= b <= end and b - a > world.theta for a, b in pairs)


def loss_kind(world: World, person: Person, loss: tuple[date, date]) -> str:
    """ "natural", "recovered" or "avoidable": by reasons dated in [u, loss day] on any record."""
    reasons = {
        r.natural_churn_reason
        for r in person.records
        if r.natural_churn_date is not None and loss[0] <= r.natural_churn_date <= min(loss[1], world.D)
    }
    if reasons & set(NATURAL):
        return "natural"
    return "recovered" if "recovered" in reasons else "avoidable"


def churn_year(world: World, year: int) -> dict:
    """M15. Counts of persons; ratios over `base` (over active_at_start for churn_of_active)."""
    start, end = date(year, 1, 1), date(year, 12, 31)
    active = {p.id for p in world.acquired if is_active(world, p, start)}
    new = {p.id for p in world.new_in(start, end)}
    back = {p.id for p in world.acquired if is_reactivated(world, p, start, end)}
    base = len(active | new | back)
    lost = {p.id: found for p in world.acquired if (found := losses(world, p, start, end))}
    kinds = [loss_kind(world, world.persons[key], found[0]) for key, found in lost.items()]
    avoidable = kinds.count("avoidable")
    n, tomorrow = len(lost), min(end, world.D) + timedelta(days=1)
    return {
        "active_at_start": len(active),
        "new": len(new),
        "reactivated": len(back),
        "base": base,
        "lost": n,
        "lost_natural": kinds.count("natural"),
        "lost_recovered": kinds.count("recovered"),
        "lost_avoidable": avoidable,
        "churn": ratio(n, base),
        "churn_of_active": ratio(len(active & set(lost)), len(active)),
        "inflow": ratio(len(new), base),
        "avoidable_churn": ratio(avoidable, base),
        "churn_after_allowance": ratio(max(0, 100 * n - 3 * base), 100 * base),
        "status": churn_status(n, len(new), base),
        "active_at_end": sum(1 for p in world.acquired if is_active(world, p, tomorrow)),
    } | replacement(world, year, len(new), n, avoidable)


def churn_status(lost: int, new: int, base: int) -> str:
    """ok, warning (only the churn above the 3 % allowance is covered by inflow), trouble or no_data."""
    if base == 0:
        return "no_data"
    churn, inflow = Fraction(lost, base), Fraction(new, base)
    if churn <= inflow:
        return "ok"
    return "warning" if churn - Fraction(3, 100) <= inflow else "trouble"


def replacement(world: World, year: int, new: int, lost: int, avoidable: int) -> dict:
    """What it costs to win as many patients as were lost, at the year's unrounded blended CAC."""
    spend = sum(acquisition_spend(world, date(year, 1, 1), date(year, 12, 31)).values())
    cac = quotient(spend, new)
    return {
        "cac_blended": rubles(cac),
        "replacement_cost": None if cac is None else rubles(lost * cac),
        "replacement_cost_avoidable": None if cac is None else rubles(avoidable * cac),
    }


def repeat_rate(world: World, start: date, end: date, days: int) -> dict:
    """M16. primary: from d0 in the period; existing: from the first visit-day in it of persons known before."""
    primary = [(p, p.d0) for p in world.new_in(start, end)]
    known = [p for p in world.acquired if p.d0 < start]
    existing = [(p, day) for p in known if (day := first_within(p, start, end)) is not None]
    return {
        "primary": returned_within(world, primary, days),
        "existing": returned_within(world, existing, days),
    }


def first_within(person: Person, start: date, end: date) -> date | None:
    """The earliest visit-day in the period."""
    return next((d for d in person.days if start <= d <= end), None)


def returned_within(world: World, subjects: list[tuple[Person, date]], days: int) -> dict:
    """{num, den, value, immature}: a next visit-day at most `days` after the index, for matured subjects."""
    window = timedelta(days=days)
    mature = [(p, index) for p, index in subjects if index + window <= world.D]
    success = [1 for p, index in mature if (back := next_day(p, index)) is not None and back <= index + window]
    return ratio(len(success), len(mature)) | {"immature": len(subjects) - len(mature)}
