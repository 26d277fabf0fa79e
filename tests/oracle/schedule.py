"""The diary: M17 no_show, M18 rebooking, M26 doctor_scorecard, M27 utilisation."""

from datetime import date, datetime, timedelta

from .clinic import Appointment, Survey
from .exact import mean_rubles, ratio, rubles
from .money import check_of, visits_in
from .satisfaction import answers_in, nps_of
from .world import CANCELLED, Person, Visit, World

DAY = timedelta(days=1)
HALF_YEAR = timedelta(days=180)


def begun_in(world: World, start: date, end: date) -> list[Appointment]:
    """Appointments dated in the period that have begun by the end of D."""
    return [a for a in world.appointments if start <= world.date(a.start_at) <= end and a.start_at < world.t_end]


def no_show(world: World, start: date, end: date) -> dict:
    """M17. No-shows over those due to come; cancellations over all resolved; `unresolved` is a count."""
    statuses = [a.status for a in begun_in(world, start, end)]
    due = statuses.count("completed") + statuses.count("no_show")
    resolved = due + sum(statuses.count(s) for s in CANCELLED)
    return {
        "no_show": ratio(statuses.count("no_show"), due),
        "cancelled_by_patient": ratio(statuses.count("cancelled_patient"), resolved),
        "cancelled_by_clinic": ratio(statuses.count("cancelled_clinic"), resolved),
        "unresolved": statuses.count("scheduled"),
    }


def rebooking(world: World, start: date, end: date) -> dict:
    """M18. Over visits of the period: was the next one booked before the visit's day was over?"""
    visits = visits_in(world, start, end)
    return {
        "rebooked_at_visit": ratio(sum(is_rebooked(world, v) for v in visits), len(visits)),
        "covered_by_future_booking": ratio(sum(is_covered(world, v) for v in visits), len(visits)),
    }


def later_bookings(world: World, visit: Visit) -> list[Appointment]:
    """Appointments of the same person on a later date, booked before the end of the visit's local day."""
    day_end = world.day_start(visit.date + DAY)
    return [
        w
        for w in world.appointments
        if world.canonical[w.patient_id] == visit.person
        and world.date(w.start_at) > visit.date
        and w.booked_at < day_end
    ]


def is_rebooked(world: World, visit: Visit) -> bool:
    return any(w.booked_at >= visit.start_at for w in later_bookings(world, visit))


def is_covered(world: World, visit: Visit) -> bool:
    """Bookings cancelled before the visit began do not cover it."""
    return any(w.cancelled_at is None or w.cancelled_at >= visit.start_at for w in later_bookings(world, visit))


def doctor_scorecard(world: World, start: date, end: date) -> dict:
    """M26. {doctor_id: card} for every doctor."""
    return {d.doctor_id: card(world, d.doctor_id, start, end) for d in world.clinic.doctors}


def card(world: World, doctor: str, start: date, end: date) -> dict:
    visits = [v for v in visits_in(world, start, end) if v.doctor_id == doctor]
    statuses = [a.status for a in begun_in(world, start, end) if a.doctor_id == doctor]
    paid_sum, paid = check_of(visits)
    no_shows = statuses.count("no_show")
    primary = [p for p in world.acquired if p.visits[0].doctor_id == doctor]
    return (
        {
            "visits": len(visits),
            "patients": len({v.person for v in visits}),
            "revenue": rubles(sum(v.net for v in visits)),
            "average_check": mean_rubles(paid_sum, paid),
            "no_show": ratio(no_shows, statuses.count("completed") + no_shows),
            "rebooked": ratio(sum(is_rebooked(world, v) for v in visits), len(visits)),
            "patient_ltv": mean_rubles(sum(p.revenue for p in primary), len(primary)),
            "primary_patients": len(primary),
        }
        | card_of_answers(world, doctor, start, end)
        | card_of_returns(world, doctor, start, end)
    )


def card_of_answers(world: World, doctor: str, start: date, end: date) -> dict:
    """All answers of the period about this doctor's appointments (not one per person)."""
    theirs = {a.appointment_id for a in world.appointments if a.doctor_id == doctor}
    answers: list[Survey] = [s for s in answers_in(world, start, end) if s.appointment_id in theirs]
    marks = [s.csat for s in answers if s.csat is not None]
    return {
        "csat_mean": ratio(sum(marks), len(marks), digits=2),
        "nps": nps_of([s.nps for s in answers if s.nps is not None]),
    }


def card_of_returns(world: World, doctor: str, start: date, end: date) -> dict:
    """Persons new in the period who began with this doctor and have had 180 days since."""
    new = [p for p in world.new_in(start, end) if p.visits[0].doctor_id == doctor and p.d0 + HALF_YEAR <= world.D]
    retained = [p for p in new if len(p.days) >= 2 and p.days[1] <= p.d0 + HALF_YEAR]
    returned = [p for p in new if came_again_to(p, doctor)]
    return {
        "retained_180": ratio(len(retained), len(new)),
        "returned_to_doctor_180": ratio(len(returned), len(new)),
    }


def came_again_to(person: Person, doctor: str) -> bool:
    return any(v.doctor_id == doctor and person.d0 < v.date <= person.d0 + HALF_YEAR for v in person.visits)


Spans = list[tuple[datetime, datetime]]


def union(spans: Spans) -> Spans:
    """Disjoint sorted spans covering the same time."""
    joined: Spans = []
    for start, end in sorted(s for s in spans if s[0] < s[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def seconds(spans: Spans) -> int:
    return sum(int((end - start).total_seconds()) for start, end in spans)


def common(left: Spans, right: Spans) -> Spans:
    """Where two disjoint sets overlap."""
    return [(max(a, c), min(b, d)) for a, b in left for c, d in right if max(a, c) < min(b, d)]


def utilisation(world: World, start: date, end: date) -> dict:
    """M27. {doctor_id: {shift_seconds, worked, sold}} for every doctor, clipped to the period and to t_end."""
    first, last = world.day_start(start), min(world.day_start(end + DAY), world.t_end)

    def clipped(things: list) -> Spans:
        return union([(max(x.start_at, first), min(x.end_at, last)) for x in things])

    result = {}
    for doctor in world.clinic.doctors:
        shifts = clipped([s for s in world.clinic.shifts if s.doctor_id == doctor.doctor_id])
        begun = [a for a in world.appointments if a.doctor_id == doctor.doctor_id and a.start_at < world.t_end]
        worked = clipped([a for a in begun if a.status == "completed"])
        sold = clipped([a for a in begun if a.status in ("completed", "no_show")])
        total = seconds(shifts)
        result[doctor.doctor_id] = {
            "shift_seconds": total,
            "worked": ratio(seconds(common(worked, shifts)), total),
            "sold": ratio(seconds(common(sold, shifts)), total),
        }
    return result
