"""The whole clinic as rows, the same for the same seed and moment: 2 branches, 12 doctors, 60 services, families."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from demo.clinic.calendar import Calendar, Chair
from demo.clinic.course import SEASON, Course, Row
from demo.clinic.leads import leads_of
from demo.clinic.people import People, Person
from demo.clinic.price import BRANCHES, CHANNELS, ROOMS, Room

YEARS = 3
CONSENT_TEXT = "2025-09"


@dataclass
class Tale:
    """Rows by resource, in the order in which they can be loaded."""

    branches: list[Row] = field(default_factory=list)
    channels: list[Row] = field(default_factory=list)
    doctors: list[Row] = field(default_factory=list)
    services: list[Row] = field(default_factory=list)
    shifts: list[Row] = field(default_factory=list)
    patients: list[Row] = field(default_factory=list)
    consents: list[Row] = field(default_factory=list)
    leads: list[Row] = field(default_factory=list)
    visits: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    spend: list[Row] = field(default_factory=list)


def tell(*, seed: int, now: datetime, patients: int = 3000) -> Tale:
    """The clinic as it stands at `now` (aware), with three years behind it and some weeks booked ahead."""
    random, today = Random(seed), now.date()  # noqa: S311 - a tale, no secret
    first = today - timedelta(days=365 * YEARS)
    people, chairs = People(random, seed), _chairs(random, seed)
    calendar = Calendar(chairs, random)
    tale = Tale(branches=[dict(b) for b in BRANCHES], channels=_channels(), services=_services())
    tale.doctors = [_doctor(chair) for chair in chairs]
    tale.shifts = list[Row](calendar.shifts(first, today + timedelta(days=42)))
    course = Course(random, calendar, {room.code: room for room in ROOMS}, now)
    for day in sorted(_first_days(random, first, today, patients)):
        person = people.next(day)
        branch = random.choices(("center", "ural"), (66, 34))[0]
        course.run(person, _room_for(random, person, day), branch, day)
        tale.patients.append(_patient(random, person, day, branch, people))
        # Nobody has signed or withdrawn tomorrow yet: intake refuses such a line.
        tale.consents.extend(row for row in _consents(random, person, day) if str(row["at"]) < today.isoformat())
    tale.visits, tale.payments = course.visits, course.refunds
    tale.spend = _spend(random, first, today)
    tale.leads = leads_of(visits=tale.visits, patients=tale.patients, seed=seed, now=now)
    return tale


def _chairs(random: Random, seed: int) -> list[Chair]:
    namer, chairs = People(random, seed + 1), []
    zones = {b["external_id"]: b["tz"] for b in BRANCHES}
    for room in ROOMS:
        for n, branch in enumerate(room.doctors):
            person = namer._stranger(date(2000, 1, 1), 45)
            name = f"{person.last_name} {person.first_name} {person.middle_name}"
            chairs.append(Chair(f"D-{room.code}-{n + 1}", name, room.code, branch, zones[branch], n % 2 == 1))
    return chairs


def _doctor(chair: Chair) -> Row:
    room = next(r for r in ROOMS if r.code == chair.room)
    return {"external_id": chair.code, "name": chair.name, "specialty": room.name, "branch_id": chair.branch}


def _channels() -> list[Row]:
    return [{"external_id": code, "name": name, "kind": kind} for code, name, kind, _share, _cost in CHANNELS]


def _services() -> list[Row]:
    return [
        {
            "external_id": line.code,
            "name": line.name,
            "speciality": room.name,
            "tier": line.tier,
            "price": f"{line.price}.00",
            "cost": f"{line.cost}.00",
            "minutes": line.minutes,
            "recall_days": line.recall_days or "",
        }
        for room in ROOMS
        for line in room.lines
    ]


def _first_days(random: Random, first: date, today: date, count: int) -> list[date]:
    """First visits by season, a clinic that grows by a fifth a year; the last weeks bring some more."""
    days = [first + timedelta(days=n) for n in range((today - first).days + 10)]
    busy = today - timedelta(days=40)  # an autumn campaign
    weights = [
        SEASON[d.month - 1] * (1 + 0.2 * (d - first).days / 365) * (d.weekday() < 6) * (2.2 if d > busy else 1)
        for d in days
    ]
    return random.choices(days, weights, k=count)


def _room_for(random: Random, person: Person, day: date) -> Room:
    if (day - person.birth_date).days < 16 * 365:
        code = "ped" if random.random() < 0.8 else "den"
        return next(room for room in ROOMS if room.code == code)
    rooms = [room for room in ROOMS if room.code != "ped" and (room.code != "gyn" or person.sex == "f")]
    return random.choices(rooms, [room.weight for room in rooms])[0]


def _patient(random: Random, person: Person, day: date, branch: str, people: People) -> Row:
    channel = random.choices([c[0] for c in CHANNELS], [c[3] for c in CHANNELS])[0]
    if person.family is not None:
        channel = "friends" if random.random() < 0.7 else channel
    row: Row = {
        "external_id": person.code,
        "created_at": f"{day - timedelta(days=random.randint(0, 6))}T{random.randint(9, 19):02}:15:00",
        "channel_id": channel if random.random() < 0.96 else "",
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
        "last_name": person.last_name,
        "first_name": person.first_name,
        "middle_name": person.middle_name,
        "phones": person.phone,
        "email": person.email,
        "branch_id": branch,
        "card_number": str(10000 + len(people.made)),
        "language": "ru",
    }
    if channel == "friends" and len(people.made) > 20:
        row["referrer_id"] = random.choice(people.made[:-1]).code
    if random.random() < 0.025:
        row["natural_churn_reason"] = random.choices(("moved", "income", "recovered", "died"), (5, 3, 3, 1))[0]
        row["natural_churn_date"] = (day + timedelta(days=random.randint(60, 400))).isoformat()
    return row


def _consents(random: Random, person: Person, day: date) -> list[Row]:
    """Processing from everybody who signs; advertising from two of three, some of whom withdrew it later."""
    paper = {"how": "paper", "evidence": f"архив согласий, папка {day:%Y-%m}"}
    base = {"patient_id": person.code, "text_version": CONSENT_TEXT, "given": True, **paper}
    rows: list[Row] = [
        base | {"external_id": f"{person.code}-C1", "purpose": "processing", "transport": "", "at": f"{day}T12:00:00"}
    ]
    if random.random() < 0.66:
        row = base | {"external_id": f"{person.code}-C2", "purpose": "marketing", "transport": "sms"}
        rows.append(row | {"at": f"{day}T12:01:00"})
        if random.random() < 0.06:
            later = day + timedelta(days=random.randint(20, 200))
            gone = {"external_id": f"{person.code}-C3", "given": False, "how": "desk", "at": f"{later}T12:00:00"}
            rows.append(row | gone)
    return rows


def _spend(random: Random, first: date, today: date) -> list[Row]:
    rows: list[Row] = []
    for code, _name, _kind, _share, daily in CHANNELS:
        for n in range((today - first).days if daily else 0):
            day = first + timedelta(days=n)
            amount = daily * SEASON[day.month - 1] * random.uniform(0.8, 1.2)
            row: Row = {"external_id": f"{code}-{day:%Y%m%d}", "channel_id": code, "date": day.isoformat()}
            rows.append(row | {"amount": f"{amount:.2f}", "purpose": "acquisition"})
    for n in range(0, (today - first).days, 30):
        day = first + timedelta(days=n)
        row = {"external_id": f"mail-{day:%Y%m%d}", "channel_id": "", "date": day.isoformat()}
        rows.append(row | {"amount": "9500.00", "purpose": "retention"})
    return rows
