"""How one patient goes on: how often he comes, what he takes, what he pays, when he stops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from demo.clinic.calendar import Calendar, Chair
from demo.clinic.people import Person
from demo.clinic.price import Line, Room

# Visits wanted by month: quiet January and summer, a busy autumn.
SEASON = (0.72, 0.95, 1.08, 1.04, 0.88, 0.86, 0.74, 0.78, 1.12, 1.24, 1.20, 1.02)
Row = dict[str, object]


@dataclass(frozen=True)
class Habit:
    """`gap` = usual days between visits, `stay` = chance to come again after a visit."""

    gap: int
    stay: float
    noshow: float


HABITS = (
    (Habit(60, 0.14, 0.12), 33),
    (Habit(100, 0.70, 0.10), 28),
    (Habit(60, 0.90, 0.07), 25),
    (Habit(36, 0.965, 0.04), 14),
)


class Course:
    """The visits of one person until `now`, and what is booked ahead."""

    def __init__(self, random: Random, calendar: Calendar, rooms: dict[str, Room], now: datetime) -> None:
        self.random, self.calendar, self.rooms, self.now = random, calendar, rooms, now
        self.visits: list[Row] = []
        self.refunds: list[Row] = []

    def run(self, person: Person, room: Room, branch: str, first: date) -> None:
        """Writes visits of `person`, who comes first on about that day for that speciality."""
        habit = self.random.choices([h for h, _ in HABITS], [w for _, w in HABITS])[0]
        chair, step, wished, booked = self._chair(room, branch), 0, first, None
        horizon = self.now.date() + timedelta(days=40)
        while wished <= horizon:
            visit = self._visit(person, chair, wished, step, habit, booked)
            if visit is None:
                return
            step += visit["status"] == "completed"
            if visit["status"] == "scheduled" or self.random.random() > habit.stay:
                return
            if self.random.random() < 0.10:
                room = self.random.choice(list(self.rooms.values()))
                chair = self._chair(room, branch)
            day = datetime.fromisoformat(str(visit["start_at"])).date()
            wished = day + timedelta(days=max(4, int(self.random.lognormvariate(0, 0.5) * habit.gap)))
            booked = str(visit["end_at"]) if self.random.random() < 0.44 else None

    def _chair(self, room: Room, branch: str) -> Chair:
        chairs = [c for c in self.calendar.chairs if c.room == room.code]
        return self.random.choice([c for c in chairs if c.branch == branch] or chairs)

    def _visit(
        self, person: Person, chair: Chair, wished: date, step: int, habit: Habit, booked: str | None
    ) -> Row | None:
        lines = self._lines(self.rooms[chair.room], step)
        minutes = max(line.minutes for line in lines)
        start = self.calendar.take(chair, wished, minutes)
        if start is None:
            return None
        booked_at = datetime.fromisoformat(booked) if booked else self._call_before(start, chair)
        if start > self.now and booked_at > self.now:
            return None  # nobody has booked it yet
        code = f"V{len(self.visits) + 1:06}"
        visit: Row = {
            "external_id": code,
            "patient_id": person.code,
            "doctor_id": chair.code,
            "branch_id": chair.branch,
            "booked_at": min(booked_at, start).isoformat(),
            "start_at": start.isoformat(),
            "end_at": (start + timedelta(minutes=minutes)).isoformat(),
            "goal": lines[0].name,
        }
        visit |= self._fate(start, min(booked_at, start), habit, step)
        if visit["status"] == "completed":
            visit |= self._outcome(person, chair, code, start, lines)
        self.visits.append(visit)
        return visit

    def _call_before(self, start: datetime, chair: Chair) -> datetime:
        """People call a few days ahead, between nine and eight in the evening."""
        lead = min(30, int(self.random.expovariate(1 / 5)))
        day = (start - timedelta(days=lead)).astimezone(ZoneInfo(chair.tz)).date()
        clock = time(self.random.randint(9, 19), self.random.randint(0, 59))
        called = datetime.combine(day, clock, ZoneInfo(chair.tz)).astimezone(UTC)
        return called if called < start else start - timedelta(minutes=self.random.randint(20, 200))

    def _fate(self, start: datetime, booked: datetime, habit: Habit, step: int) -> Row:
        """Status and its instants; what has not begun yet is scheduled, some of it confirmed."""
        random = self.random
        if start > self.now:
            confirmed = random.random() < 0.35
            at = min(self.now, booked + timedelta(hours=3))
            return {"status": "scheduled", "confirmed_at": at.isoformat() if confirmed else ""}
        dice = random.random()
        if dice < habit.noshow:
            return {"status": "no_show"}
        if dice < habit.noshow + 0.07:
            span = max(60.0, (start - booked).total_seconds())
            at = booked + timedelta(seconds=int(span * random.random()))
            status = "cancelled_clinic" if random.random() < 0.2 else "cancelled_patient"
            reason = random.choice(("перенос по просьбе пациента", "заболел", "не успевает", "врач на больничном"))
            return {"status": status, "cancelled_at": at.isoformat(), "cancel_reason": reason}
        if start + timedelta(minutes=40) > self.now:
            return {"status": "arrived", "arrived_at": (start - timedelta(minutes=5)).isoformat()}
        came: Row = {
            "status": "completed",
            "arrived_at": (start - timedelta(minutes=random.randint(0, 12))).isoformat(),
        }
        said_yes = start - timedelta(hours=21)  # an answer to the reminder of the day before
        answers = booked < said_yes and int(start.timestamp()) // 1800 % 5 < 3
        return came | ({"confirmed_at": said_yes.isoformat()} if answers else {})

    def _lines(self, room: Room, step: int) -> list[Line]:
        """What is taken at the n-th visit: the ladder from the lead magnet to the return product."""
        random = self.random
        tiers = (
            (("lead_magnet", 22), ("tripwire", 38), ("core", 30), ("other", 10)),
            (("tripwire", 15), ("core", 60), ("other", 25)),
        )
        later = (("core", 34), ("return", 44), ("other", 22))
        names, weights = zip(*(tiers[step] if step < 2 else later), strict=True)
        tier = random.choices(names, weights)[0]
        main = [line for line in room.lines if line.tier == tier] or list(room.lines)
        taken = [random.choice(main)]
        if random.random() < 0.18:
            taken.append(random.choice([line for line in room.lines if line.tier == "maximizer"]))
        return taken

    def _outcome(self, person: Person, chair: Chair, code: str, start: datetime, lines: list[Line]) -> Row:
        random, end = self.random, start + timedelta(minutes=max(line.minutes for line in lines))
        items = [
            {
                "external_id": f"{code}-{n}",
                "service_id": line.code,
                "quantity": 1,
                "amount": f"{line.price}.00",
                "cost": f"{round(line.cost * random.uniform(0.85, 1.15))}.00",
            }
            for n, line in enumerate(lines, 1)
        ]
        total = sum(line.price for line in lines)
        outcome: Row = {"items": items, "diagnosis": random.choice(self.rooms[chair.room].diagnoses)}
        recall = next((line.recall_days for line in lines if line.recall_days), None)
        if recall or random.random() < 0.35:
            day = start.date() + timedelta(days=recall or random.choice((14, 30, 90, 180)))
            outcome["recommended_return_date"] = day.isoformat()
        if total and random.random() < 0.965:
            paid = end + timedelta(minutes=random.randint(1, 8))
            payment = {"external_id": f"{code}-P", "kind": "payment", "paid_at": min(paid, self.now).isoformat()}
            payment |= {"amount": f"{total}.00", "method": random.choice(("card", "card", "cash"))}
            outcome["payments"] = [payment]
            self._maybe_refund(person, code, paid, total)
        outcome["finished_at"] = end.isoformat()
        return outcome

    def _maybe_refund(self, person: Person, code: str, paid: datetime, total: int) -> None:
        at = paid + timedelta(days=self.random.randint(0, 20), hours=2)
        if self.random.random() < 0.013 and at < self.now:
            part = total if self.random.random() < 0.5 else max(1, total // 2)
            self.refunds.append(
                {
                    "external_id": f"{code}-R",
                    "patient_id": person.code,
                    "appointment_id": code,
                    "kind": "refund",
                    "paid_at": at.isoformat(),
                    "amount": f"{part}.00",
                    "refund_of": f"{code}-P",
                }
            )
