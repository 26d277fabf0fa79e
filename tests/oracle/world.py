"""The clinic as seen at the end of local day D: merged people, no test persons, only visible facts (section 1)."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .clinic import Appointment, Clinic, Patient
from .filters import appointment_of
from .people import canonical_ids, first_touch, merged_groups

CANCELLED = ("cancelled_patient", "cancelled_clinic")


@dataclass(frozen=True)
class Visit:
    """A completed appointment that has begun. Money in kopecks; `person` is canonical."""

    appointment_id: str
    person: str
    doctor_id: str
    lead_id: str | None
    start_at: datetime
    end_at: datetime
    date: date
    net: int
    cost: int
    diagnosis: str | None
    recommended: date | None


@dataclass(frozen=True)
class Money:
    """A visible payment (+) or refund (-) in kopecks. value_* are those of the payment that a refund refunds."""

    person: str
    appointment_id: str | None
    amount: int
    own_date: date
    value_at: datetime
    value_date: date


@dataclass
class Person:
    """A canonical patient who is not a test; visits in order of (start_at, id), days = sorted visit-days."""

    id: str
    records: list[Patient]
    channel: str
    visits: list[Visit] = field(default_factory=list)
    money: list[Money] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    truncated: bool = False

    @property
    def d0(self) -> date:
        return self.days[0]

    @property
    def dl(self) -> date:
        return self.days[-1]

    @property
    def revenue(self) -> int:
        return sum(m.amount for m in self.money)

    @property
    def cost(self) -> int:
        return sum(v.cost for v in self.visits)

    @property
    def margin(self) -> int:
        return self.revenue - self.cost

    def revenue_events(self) -> list[tuple[date, int]]:
        """(value date, kopecks) of every payment and refund."""
        return [(m.value_date, m.amount) for m in self.money]

    def margin_events(self) -> list[tuple[date, int]]:
        """The same with costs, negative, on the dates of the visits."""
        return self.revenue_events() + [(v.date, -v.cost) for v in self.visits]


class World:
    """What every metric reads. `as_of` is the local date D; t_end is the first instant after it."""

    def __init__(self, clinic: Clinic, as_of: date) -> None:
        self.clinic, self.D = clinic, as_of
        self.theta = timedelta(days=clinic.theta_days)
        self.zone = ZoneInfo(clinic.tz)
        self.t_end = self.day_start(as_of + timedelta(days=1))
        self.canonical = canonical_ids(clinic)
        self.persons = self._people()
        self.appointments = self._appointments()
        self.money = self._money()
        self.visits = self._visits()
        self._attach()

    def date(self, instant: datetime) -> date:
        """The local calendar date of an instant, with the offset in force at it."""
        return instant.astimezone(self.zone).date()

    def day_start(self, day: date) -> datetime:
        """The first instant of a local day, in UTC."""
        return datetime.combine(day, time(0), self.zone).astimezone(UTC)

    def seen(self, instant: datetime | None) -> bool:
        """Has it happened by the end of day D?"""
        return instant is not None and instant < self.t_end

    def person(self, patient_id: str | None) -> Person | None:
        """The canonical person of a record; None for a test person and for no id."""
        return None if patient_id is None else self.persons.get(self.canonical[patient_id])

    @property
    def acquired(self) -> list[Person]:
        """Persons with at least one visit by D."""
        return [p for p in self.persons.values() if p.visits]

    def new_in(self, start: date, end: date) -> list[Person]:
        """Persons whose first visit-day is in the period; left-truncated ones never are."""
        return [p for p in self.acquired if start <= p.d0 <= end and not p.truncated]

    def status(self, appointment: Appointment) -> str:
        """The status as of D: a future appointment is scheduled unless cancelled by now."""
        if appointment.start_at < self.t_end:
            return appointment.status
        return appointment.status if self.seen(appointment.cancelled_at) else "scheduled"

    def _people(self) -> dict[str, Person]:
        people = {}
        for key, records in merged_groups(self.clinic).items():
            if not any(r.is_test for r in records):
                people[key] = Person(key, records, first_touch(records))
        return people

    def _appointments(self) -> list[Appointment]:
        """Visible appointments of real persons, in order of (start_at, id)."""
        ours = [a for a in self.clinic.appointments if self.person(a.patient_id) and self.seen(a.booked_at)]
        return sorted(ours, key=lambda a: (a.start_at, a.appointment_id))

    def _money(self) -> list[Money]:
        by_id = {p.payment_id: p for p in self.clinic.payments}
        events = []
        for p in self.clinic.payments:
            person = self.person(p.patient_id)
            if person is None or p.kind == "bonus" or not self.seen(p.paid_at):
                continue
            source = by_id[p.refund_of] if p.refund_of is not None else p
            amount = p.amount if p.kind == "payment" else -p.amount
            target = appointment_of(p, by_id)
            own, value = self.date(p.paid_at), self.date(source.paid_at)
            events.append(Money(person.id, target, amount, own, source.paid_at, value))
        return events

    def _nets(self) -> dict[str, int]:
        """appointment_id -> kopecks: money paid for it, refunds of that, and what was allocated to it."""
        nets: dict[str, int] = {}
        for m in self.money:
            if m.appointment_id is not None:
                nets[m.appointment_id] = nets.get(m.appointment_id, 0) + m.amount
        sources = {p.payment_id: p for p in self.clinic.payments + self.clinic.allocated_only}
        for allocation in self.clinic.allocations:
            source = sources.get(allocation.payment_id)
            if source and source.kind == "payment" and self.person(source.patient_id) and self.seen(source.paid_at):
                key = allocation.appointment_id
                nets[key] = nets.get(key, 0) + allocation.amount
        return nets

    def _visits(self) -> list[Visit]:
        nets, costs = self._nets(), {}
        for item in self.clinic.items:
            costs[item.appointment_id] = costs.get(item.appointment_id, 0) + item.cost
        return [
            Visit(
                a.appointment_id, self.canonical[a.patient_id], a.doctor_id, a.lead_id, a.start_at, a.end_at,
                self.date(a.start_at), nets.get(a.appointment_id, 0), costs.get(a.appointment_id, 0),
                a.diagnosis, a.recommended_return_date,
            )
            for a in self.appointments
            if a.status == "completed" and a.start_at < self.t_end
        ]  # fmt: skip

    def _attach(self) -> None:
        """Hand visits and money to their persons, then see who is left-truncated."""
        for visit in self.visits:
            self.persons[visit.person].visits.append(visit)
        for money in self.money:
            self.persons[money.person].money.append(money)
        for person in self.persons.values():
            person.days = sorted({v.date for v in person.visits})
            person.truncated = self._is_truncated(person)

    def _is_truncated(self, person: Person) -> bool:
        start = self.clinic.history_from
        if start is None or not person.visits:
            return False
        created = self.date(min(r.created_at for r in person.records))
        return person.d0 < start + self.theta and created < start
