"""Conversion: M21 funnel_cohort and funnel_snapshot, M23 product_funnel."""

from datetime import date, timedelta

from .clinic import Lead
from .exact import ratio
from .leads import created_in, is_booked, of_audience
from .money import visits_in
from .people import UNKNOWN
from .world import Person, Visit, World

WINDOWS = {"booked": 14, "arrived": 45, "paid": 45, "repeat": 135, "referral": 365}
PREVIOUS = {"booked": None, "arrived": "booked", "paid": "arrived", "repeat": "paid", "referral": "paid"}
PAIRS = (
    ("lead_magnet", "tripwire"), ("tripwire", "core"), ("core", "maximizer"), ("core", "return"),
    ("lead_magnet", "core"),
)  # fmt: skip


def referrer_of(world: World, person: Person) -> str | None:
    """Canonical id of the real person who referred this one: the first known on any record, not oneself."""
    for record in person.records:
        found = world.person(record.referrer_id)
        if found is not None and found.id != person.id:
            return found.id
    return None


def stages(world: World, lead: Lead) -> set[str]:
    """Names of the stages that a lead has reached by D, each in its own window."""
    if not is_booked(world, lead):
        return set()
    day = world.date(lead.created_at)
    limit = {name: day + timedelta(days=days) for name, days in WINDOWS.items()}
    visits = [v for v in world.visits if v.lead_id == lead.lead_id and day <= v.date <= limit["arrived"]]
    if not visits:
        return {"booked"}
    if not any(v.net > 0 for v in visits):
        return {"booked", "arrived"}
    reached = {"booked", "arrived", "paid"}
    if comes_back(world, visits[0], limit["repeat"]):
        reached.add("repeat")
    if brings_another(world, visits[0], limit["referral"]):
        reached.add("referral")
    return reached


def comes_back(world: World, arrival: Visit, limit: date) -> bool:
    return any(arrival.date < d <= limit for d in world.persons[arrival.person].days)


def brings_another(world: World, arrival: Visit, limit: date) -> bool:
    """Another acquired person referred by this one first came after the arrival, by `limit`."""
    return any(arrival.date < p.d0 <= limit and referrer_of(world, p) == arrival.person for p in world.acquired)


def funnel_cohort(world: World, start: date, end: date, audience: str = "new", by: str | None = None) -> dict:
    """M21. {leads, stage: {mature, immature, of_leads, of_previous}}; by="channel": one such per lead's channel."""
    leads = created_in(world, of_audience(world, audience), start, end)
    if by is None:
        return cohort(world, leads)
    names = sorted({x.channel_id or UNKNOWN for x in leads})
    return {name: cohort(world, [x for x in leads if (x.channel_id or UNKNOWN) == name]) for name in names}


def cohort(world: World, leads: list[Lead]) -> dict:
    reached = {x.lead_id: stages(world, x) for x in leads}
    result: dict = {"leads": len(leads)}
    for stage, window in WINDOWS.items():
        mature = [x for x in leads if world.date(x.created_at) + timedelta(days=window) <= world.D]
        count = sum(1 for x in mature if stage in reached[x.lead_id])
        before = PREVIOUS[stage]
        previous = len(mature) if before is None else sum(1 for x in mature if before in reached[x.lead_id])
        result[stage] = {
            "mature": len(mature),
            "immature": len(leads) - len(mature),
            "of_leads": ratio(count, len(mature)),
            "of_previous": ratio(count, previous),
        }
    return result


def funnel_snapshot(world: World, start: date, end: date, audience: str = "new") -> dict:
    """M21. Events dated in the period whatever their cohort ("flow")."""
    leads = of_audience(world, audience)
    ids = {x.lead_id for x in leads}
    created = len(created_in(world, leads, start, end))
    bookings = [a for a in world.appointments if a.lead_id in ids and start <= world.date(a.booked_at) <= end]
    arrivals = [v for v in visits_in(world, start, end) if v.lead_id in ids]
    paid = sum(1 for v in arrivals if v.net > 0)
    return {
        "leads": created,
        "bookings": len(bookings),
        "arrivals": len(arrivals),
        "paid": paid,
        "second_visits": sum(1 for p in world.acquired if len(p.days) >= 2 and start <= p.days[1] <= end),
        "referred_new_patients": sum(1 for p in world.new_in(start, end) if referrer_of(world, p)),
        "bookings_per_lead": ratio(len(bookings), created),
        "arrivals_per_booking": ratio(len(arrivals), len(bookings)),
        "paid_per_arrival": ratio(paid, len(arrivals)),
    }


def tier_dates(world: World, person: Person) -> dict[str, list[date]]:
    """Tier -> sorted dates of the person's visits with an item of it (free items count)."""
    tier_of = {s.service_id: s.tier for s in world.clinic.services}
    date_of = {v.appointment_id: v.date for v in person.visits}
    found: dict[str, list[date]] = {}
    for item in world.clinic.items:
        if item.appointment_id in date_of:
            found.setdefault(tier_of[item.service_id], []).append(date_of[item.appointment_id])
    return {tier: sorted(days) for tier, days in sorted(found.items())}


def product_funnel(world: World, start: date, end: date, days: int = 180) -> dict:
    """M23. {patients, reach: {tier: n}, pairs: {"a>b": ratio}} of persons new in the period."""
    tables = [tier_dates(world, p) for p in world.new_in(start, end)]
    tiers = sorted({tier for table in tables for tier in table})
    return {
        "patients": len(tables),
        "reach": {tier: sum(1 for table in tables if tier in table) for tier in tiers},
        "pairs": {f"{a}>{b}": pair(world, tables, a, b, timedelta(days=days)) for a, b in PAIRS},
    }


def pair(world: World, tables: list[dict[str, list[date]]], a: str, b: str, window: timedelta) -> dict:
    """Of those whose first `a` is `window` old: a visit with `b` from that day to its end."""
    mature = [t for t in tables if a in t and t[a][0] + window <= world.D]
    success = [t for t in mature if any(t[a][0] <= day <= t[a][0] + window for day in t.get(b, []))]
    return ratio(len(success), len(mature))
