"""Enquiries: M19 valid leads, M20 response_sla, M22 losses, M31 response_bands, M32 cost_per."""

from collections.abc import Callable
from datetime import date, timedelta

from .acquisition import acquisition_spend
from .clinic import Appointment, Lead
from .exact import mean_rubles, nearest_rank, ratio, rubles
from .people import UNKNOWN
from .world import Person, World

BOOKED_DAYS = timedelta(days=14)


def first_known_patient(world: World, lead: Lead) -> str | None:
    """Record id: leads.patient_id, else the patient of the lead's earliest visible appointment (tests included)."""
    if lead.patient_id is not None:
        return lead.patient_id
    linked = [a for a in world.clinic.appointments if a.lead_id == lead.lead_id and world.seen(a.booked_at)]
    first = min(linked, key=lambda a: (a.start_at, a.appointment_id), default=None)
    return None if first is None else first.patient_id


def valid_leads(world: World) -> list[Lead]:
    """M19. Visible, not spam, not a duplicate, not of a test person."""
    kept = []
    for lead in world.clinic.leads:
        patient = first_known_patient(world, lead)
        of_test = patient is not None and world.person(patient) is None
        if world.seen(lead.created_at) and not lead.is_spam and lead.duplicate_of is None and not of_test:
            kept.append(lead)
    return kept


def patient_of(world: World, lead: Lead) -> Person | None:
    """The canonical person of a valid lead, if known by D."""
    return world.person(first_known_patient(world, lead))


def audience_of(world: World, lead: Lead) -> str:
    """existing: its person has a visit-day before the lead's local date; else new."""
    person, day = patient_of(world, lead), world.date(lead.created_at)
    known = person is not None and any(d < day for d in person.days)
    return "existing" if known else "new"


def of_audience(world: World, audience: str) -> list[Lead]:
    """Valid leads of "new", "existing" or "all"."""
    return [x for x in valid_leads(world) if audience in ("all", audience_of(world, x))]


def created_in(world: World, leads: list[Lead], start: date, end: date) -> list[Lead]:
    return [x for x in leads if start <= world.date(x.created_at) <= end]


def bookings_of(world: World, lead: Lead) -> list[Appointment]:
    """Visible appointments of real persons with this lead."""
    return [a for a in world.appointments if a.lead_id == lead.lead_id]


def is_booked(world: World, lead: Lead) -> bool:
    """M21 booked: an appointment booked within 14 days of the lead's local date."""
    day = world.date(lead.created_at)
    return any(day <= world.date(a.booked_at) <= day + BOOKED_DAYS for a in bookings_of(world, lead))


def wait(world: World, lead: Lead) -> int | None:
    """Seconds to the first answer; None if there was none by the end of D."""
    if not world.seen(lead.first_response_at):
        return None
    return int((lead.first_response_at - lead.created_at).total_seconds())


def response_sla(world: World, start: date, end: date) -> dict:
    """M20. Unanswered leads are breaches unless younger than 120 s at t_end. Seconds are integers."""
    waits = []
    for lead in created_in(world, valid_leads(world), start, end):
        answer = wait(world, lead)
        too_young = world.t_end - lead.created_at < timedelta(seconds=120)
        if answer is not None or not too_young:
            waits.append(answer)
    answered = [w for w in waits if w is not None]
    return {
        "leads": len(waits),
        "answered": len(answered),
        "within_60s": ratio(sum(1 for w in answered if w <= 60), len(waits)),
        "within_120s": ratio(sum(1 for w in answered if w <= 120), len(waits)),
        "median_s": nearest_rank(answered, 50),
        "p90_s": nearest_rank(answered, 90),
    }


def losses(world: World, start: date, end: date) -> dict:
    """M22. Valid leads lost in the period: {total, by: {"stage|reason": n}}."""
    by: dict[str, int] = {}
    lost = [x for x in valid_leads(world) if world.seen(x.lost_at) and start <= world.date(x.lost_at) <= end]
    for lead in lost:
        key = f"{lead.loss_stage or 'unspecified'}|{lead.loss_reason or 'unspecified'}"
        by[key] = by.get(key, 0) + 1
    return {"total": len(lost), "by": dict(sorted(by.items()))}


def band(seconds: int | None) -> str:
    if seconds is None:
        return "none"
    return next((f"le_{limit}" for limit in (60, 120, 900) if seconds <= limit), "later")


def response_bands(world: World, start: date, end: date) -> dict:
    """M31. {band: {num booked, den, value}} over new leads whose 14 days have passed; empty bands omitted."""
    leads = created_in(world, of_audience(world, "new"), start, end)
    mature = [x for x in leads if world.date(x.created_at) + BOOKED_DAYS <= world.D]
    result = {}
    for name in ("le_60", "le_120", "le_900", "later", "none"):
        inside = [x for x in mature if band(wait(world, x)) == name]
        if inside:
            result[name] = ratio(sum(is_booked(world, x) for x in inside), len(inside))
    return result


def cost_per(world: World, start: date, end: date) -> dict:
    """M32. {channel or all: {spend, leads, bookings, cost_per_lead, cost_per_booking}}."""
    spend = acquisition_spend(world, start, end)
    leads = created_in(world, valid_leads(world), start, end)
    names = [c.channel_id for c in world.clinic.channels]
    if spend.get(UNKNOWN) or any(x.channel_id is None for x in leads):
        names.append(UNKNOWN)

    def row(money: int, wanted: Callable[[Lead], bool]) -> dict:
        ours = [x for x in leads if wanted(x)]
        bookings = sum(is_booked(world, x) for x in ours)
        return {
            "spend": rubles(money), "leads": len(ours), "bookings": bookings,
            "cost_per_lead": mean_rubles(money, len(ours)), "cost_per_booking": mean_rubles(money, bookings),
        }  # fmt: skip

    rows = {n: row(spend.get(n, 0), lambda x, n=n: (x.channel_id or UNKNOWN) == n) for n in names}
    return rows | {"all": row(sum(spend.values()), lambda x: True)}
