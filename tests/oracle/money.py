"""Money of visits: M01 average_check, M02 visit_frequency, M33 revenue_by_service, M34 patient_value."""

from datetime import date

from .exact import mean_rubles, ratio, rubles
from .world import Person, Visit, World


def visits_in(world: World, start: date, end: date) -> list[Visit]:
    """Visits whose local date is in the period."""
    return [v for v in world.visits if start <= v.date <= end]


def check_of(visits: list[Visit]) -> tuple[int, int]:
    """(sum of net in kopecks, number) of the paid visits among these."""
    paid = [v.net for v in visits if v.net > 0]
    return sum(paid), len(paid)


def average_check(world: World, start: date, end: date) -> dict:
    """M01. Sums and means are strings in rubles; cash_flow goes by each payment's own date."""
    visits = visits_in(world, start, end)
    paid_sum, paid = check_of(visits)
    net_sum = sum(v.net for v in visits)
    cash = sum(m.amount for m in world.money if start <= m.own_date <= end)
    return {
        "completed_visits": len(visits),
        "paid_visits": paid,
        "paid_sum": rubles(paid_sum),
        "average_check": mean_rubles(paid_sum, paid),
        "net_sum": rubles(net_sum),
        "revenue_per_completed_visit": mean_rubles(net_sum, len(visits)),
        "cash_flow": rubles(cash),
    }


def visit_frequency(world: World, start: date, end: date) -> dict:
    """M02. Visits in the period over distinct persons who made them."""
    visits = visits_in(world, start, end)
    return {"visits_per_active_patient": ratio(len(visits), len({v.person for v in visits}))}


def revenue_by_service(world: World, start: date, end: date) -> dict:
    """M33. List amounts of items: {service_id: row, ..., "total": row, "tiers": {tier: row}}."""
    inside = {v.appointment_id for v in visits_in(world, start, end)}
    items = [i for i in world.clinic.items if i.appointment_id in inside]
    tier_of = {s.service_id: s.tier for s in world.clinic.services}
    services = {i.service_id for i in items}
    result = {key: item_row([i for i in items if i.service_id == key]) for key in sorted(services)}
    result["total"] = item_row(items)
    tiers = sorted({tier_of[key] for key in services})
    result["tiers"] = {tier: item_row([i for i in items if tier_of[i.service_id] == tier]) for tier in tiers}
    return result


def item_row(items: list) -> dict:
    """{quantity, amount, cost, margin} of a list of items."""
    amount, cost = sum(i.amount for i in items), sum(i.cost for i in items)
    return {
        "quantity": len(items), "amount": rubles(amount), "cost": rubles(cost), "margin": rubles(amount - cost),
    }  # fmt: skip


def patient_value(world: World, patient: str) -> dict | None:
    """M34. One person by any record's id; None for a test person. Dates are ISO strings."""
    person = world.person(patient)
    if person is None:
        return None
    paid_sum, paid = check_of(person.visits)
    result = {
        "visits": len(person.visits),
        "visit_days": len(person.days),
        "paid_visits": paid,
        "revenue": rubles(person.revenue),
        "cost": rubles(person.cost),
        "margin": rubles(person.margin),
        "average_check": mean_rubles(paid_sum, paid),
    }
    return result | (life(world, person) if person.visits else dict.fromkeys(LIFE_KEYS))


LIFE_KEYS = ("d0", "dl", "lifespan_months", "state", "first_doctor")


def life(world: World, person: Person) -> dict:
    """The dates of an acquired person, months lived (16 * days / 487) and the state on day D."""
    return {
        "d0": person.d0.isoformat(),
        "dl": person.dl.isoformat(),
        "lifespan_months": ratio(16 * (person.dl - person.d0).days, 487),
        "state": "active" if world.D - person.dl <= world.theta else "lost",
        "first_doctor": person.visits[0].doctor_id,
    }
