"""Lifetime value: M04 ltv_historical, M05 ltv_formula, M06 ltv_horizon, M07 ltv_by."""

from collections.abc import Callable
from datetime import date, timedelta

from .exact import add_months, full_years, mean_rubles, month_index, quotient, ratio, rubles
from .world import Person, World


def ltv_historical(world: World) -> dict:
    """M04. Mean money and margin per acquired person, and money of persons without a visit."""
    outside = sum(p.revenue for p in world.persons.values() if not p.visits)
    people = world.acquired
    revenue, margin = sum(p.revenue for p in people), sum(p.margin for p in people)
    return {
        "patients": len(people),
        "revenue": rubles(revenue),
        "margin": rubles(margin),
        "ltv_revenue": mean_rubles(revenue, len(people)),
        "ltv_margin": mean_rubles(margin, len(people)),
        "money_outside_acquired": rubles(outside),
    }


def ltv_formula(world: World) -> dict:
    """M05. Lengths are in 1/487 of a month: a person counts max(487, 16 * days)."""
    people = world.acquired
    n = len(people)
    paid = [v.net for p in people for v in p.visits if v.net > 0]
    revenue, cost = sum(paid), sum(p.cost for p in people)
    lengths = sum(max(487, 16 * (p.dl - p.d0).days) for p in people)
    return {
        "patients": n,
        "paid_visits": len(paid),
        "average_check": mean_rubles(revenue, len(paid)),
        "lifespan_months": ratio(lengths, 487 * n),
        "sales_per_year": ratio(12 * 487 * len(paid), lengths),
        "profit_share": ratio(revenue - cost, revenue),
        "simple": mean_rubles(revenue, n),
        "full": mean_rubles(revenue - cost, n),
    }


def ltv_horizon(world: World, months: int) -> dict:
    """M06. Left-truncated persons are left out."""
    people = [p for p in world.acquired if not p.truncated]
    return {
        "revenue": horizon(world, people, months, Person.revenue_events),
        "margin": horizon(world, people, months, Person.margin_events),
    }


Events = Callable[[Person], list[tuple[date, int]]]


def money_by_month(person: Person, events: Events) -> dict[int, int]:
    """Month index after d0 -> kopecks; money before d0 falls into month 0."""
    sums: dict[int, int] = {}
    for day, amount in events(person):
        k = month_index(person.d0, day)
        sums[k] = sums.get(k, 0) + amount
    return sums


def within(person: Person, events: Events, months: int) -> int:
    """Kopecks with month index below `months`."""
    return sum(amount for k, amount in money_by_month(person, events).items() if k < months)


def horizon(world: World, people: list[Person], months: int, events: Events) -> dict:
    """The mature mean (persons with all months behind them) and the chained sum of monthly means."""
    tomorrow = world.D + timedelta(days=1)
    mature = [p for p in people if add_months(p.d0, months) <= tomorrow]
    total = sum(within(p, events, months) for p in mature)
    return {
        "mature_patients": len(mature),
        "mature_sum": rubles(total),
        "ltv_mature": mean_rubles(total, len(mature)),
        "ltv_chained": rubles(chained(people, tomorrow, months, events)),
    }


def chained(people: list[Person], tomorrow: date, months: int, events: Events):
    """Sum over k < months of the mean money in month k of persons who have lived it whole; None if nobody has."""
    observed = {p.id: month_index(p.d0, tomorrow) for p in people}
    tables = {p.id: money_by_month(p, events) for p in people}
    total = 0
    for k in range(months):
        seen = [p.id for p in people if observed[p.id] > k]
        mean = quotient(sum(tables[key].get(k, 0) for key in seen), len(seen))
        if mean is None:
            return None
        total += mean
    return total


def ltv_by(world: World, by: str) -> dict:
    """M07. {group: {patients, revenue, ltv_revenue, ltv_margin}}; diagnosis_any overlaps."""
    groups: dict[str, list[Person]] = {}
    for person in world.acquired:
        for key in GROUPINGS[by](world, person):
            groups.setdefault(key, []).append(person)
    return {key: group_row(groups[key]) for key in sorted(groups)}


def group_row(people: list[Person]) -> dict:
    revenue, margin = sum(p.revenue for p in people), sum(p.margin for p in people)
    return {
        "patients": len(people),
        "revenue": rubles(revenue),
        "ltv_revenue": mean_rubles(revenue, len(people)),
        "ltv_margin": mean_rubles(margin, len(people)),
    }


def by_channel(world: World, person: Person) -> list[str]:
    return [person.channel]


def by_first_doctor(world: World, person: Person) -> list[str]:
    return [person.visits[0].doctor_id]


def by_first_diagnosis(world: World, person: Person) -> list[str]:
    return [v.diagnosis for v in person.visits if v.diagnosis][:1] or ["none"]


def by_any_diagnosis(world: World, person: Person) -> list[str]:
    return sorted({v.diagnosis for v in person.visits if v.diagnosis}) or ["none"]


def first_known(person: Person, field: str):
    """First non-null field of the records: the canonical one first, then by (created_at, id)."""
    order = sorted(person.records, key=lambda r: (r.patient_id != person.id, r.created_at, r.patient_id))
    return next((getattr(r, field) for r in order if getattr(r, field) is not None), None)


def by_sex(world: World, person: Person) -> list[str]:
    return [first_known(person, "sex") or "unknown"]


def by_age_band(world: World, person: Person) -> list[str]:
    born = first_known(person, "birth_date")
    if born is None:
        return ["unknown"]
    age = full_years(born, world.D)
    for limit, band in ((18, "0-17"), (30, "18-29"), (45, "30-44"), (60, "45-59")):
        if age < limit:
            return [band]
    return ["60+"]


GROUPINGS = {
    "channel": by_channel,
    "first_doctor": by_first_doctor,
    "diagnosis_first": by_first_diagnosis,
    "diagnosis_any": by_any_diagnosis,
    "sex": by_sex,
    "age_band": by_age_band,
}
