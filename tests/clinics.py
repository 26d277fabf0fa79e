"""Random clinics in the exchange format (metrics.md section 2), made to hit the corners of its definitions.

clinic = random_clinic(7)                      # {table: [{column: text}], "clinic": clinic.json}
clinic["clinic"]["as_of"]                      # the day to ask for; facts after it exist, too
write_folder(clinic, path); split(clinic, 3); shuffled(clinic, 1)
"""

from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.oracle.exchange import rubles, shuffled, split, write_folder
from tests.oracle.marketing import Marketing

__all__ = ["random_clinic", "shuffled", "split", "write_folder"]

# zone -> first day of the clinic, so that four years of data lie over the zone's changes
ZONES = {
    "Asia/Almaty": date(2021, 3, 1), "America/New_York": date(2021, 1, 31), "Asia/Yekaterinburg": date(2020, 12, 31),
    "Asia/Kathmandu": date(2021, 2, 28), "Pacific/Apia": date(2009, 6, 1), "America/Havana": date(2021, 6, 1),
}  # fmt: skip
TIERS = ("lead_magnet", "tripwire", "core", "maximizer", "return", "other")
MINUTE = timedelta(minutes=1)


def random_clinic(
    seed: int, patients: int = 60, tz: str | None = None, theta_days: int | None = None, branches: int = 0
) -> dict:
    """A valid clinic of about `patients` persons; branches > 0 adds the column appointments.branch_id (B1..Bn)."""
    return Maker(Random(seed), patients, tz, theta_days, branches).clinic()


class Maker(Marketing):
    """Adds rows person by person. self.end is the as_of of clinic.json; `days` are local dates."""

    def __init__(self, rng: Random, patients: int, tz: str | None, theta: int | None, branches: int) -> None:
        self.tz = tz or rng.choice(sorted(ZONES))
        super().__init__(rng, ZoneInfo(self.tz))
        self.count, self.branches, self.start = patients, branches, ZONES.get(self.tz, date(2021, 1, 31))
        self.end = self.start + timedelta(days=rng.choice((1200, 1400, 1460)))
        self.theta_setting = theta or rng.choice((None, 365, 395))
        self.theta = self.theta_setting or 365
        self.history = self.start + timedelta(days=300) if rng.random() < 0.5 else None
        self.certificates: list[list] = []  # [payment_id, kopecks left, paid_at]

    def clinic(self) -> dict:
        self.catalogue()
        for number in range(self.count):
            self.person(number)
        self.refer()
        self.stray_leads()
        self.campaigns()
        self.spend()
        settings = {"tz": self.tz, "as_of": self.end.isoformat()}
        settings |= {"theta_days": self.theta_setting} if self.theta_setting else {}
        settings |= {"history_from": self.history.isoformat()} if self.history else {}
        return self.rows | {"clinic": settings}

    def catalogue(self) -> None:
        for i, kind in enumerate(("paid", "paid", "organic", "referral")):
            self.add("channels", channel_id=f"CH{i}", name=f"Channel {i}", kind=kind)
        for i, tier in enumerate((*TIERS, "core")):
            self.add("services", service_id=f"S{i}", name=f"Service {i}", tier=tier)
        for i, specialty in enumerate(("cardiology", "cardiology", "dentistry", "urology")):
            self.add("doctors", doctor_id=f"D{i}", name=f"Doctor {i}", specialty=specialty)
        for doctor in self.rows["doctors"]:
            for _ in range(20):
                began = self.at(self.start + self.days(0, 1500))
                hours = timedelta(hours=self.rng.choice((4, 6, 12)))
                self.add("shifts", doctor_id=doctor["doctor_id"], start_at=began, end_at=began + hours)

    def first_day(self) -> date:
        """Ends of months, 29 February, turns of years, the edge of history, the edge of as_of."""
        span = (self.end - self.start).days
        leap = next(y for y in range(self.start.year, self.start.year + 5) if y % 4 == 0)
        year = self.rng.randint(self.start.year + 1, self.end.year)
        corners = [
            date(year, 1, 31), date(year - 1, 12, 31), date(year, 1, 1), date(leap, 2, 29), date(year - 1, 8, 31),
            self.end - self.days(0, 3), self.end - timedelta(days=self.rng.choice((14, 30, 90, 180))),
            self.start + timedelta(days=300 + self.rng.choice((-30, -1, 0, 1, self.theta - 1, self.theta))),
            *(self.start + self.days(0, span) for _ in range(6)),
        ]  # fmt: skip
        return self.rng.choice([d for d in corners if self.start <= d <= self.end + timedelta(days=20)])

    def person(self, number: int) -> None:
        """One human: 1 to 4 records merged in a chain, then appointments with everything that hangs on them."""
        first = self.first_day()
        records = self.merged_records(number, first)
        lead = self.lead(first, self.rng.choice([None, *records])) if self.chance(0.6) else None
        day, before = first, None
        for _ in range(self.rng.choice((0, 1, 1, 2, 3, 4, 6, 9))):
            before = self.appointment(records, day, lead, before)
            lead = None if self.chance(0.8) else lead
            day = self.next_day(day, before)
        if self.chance(0.15):
            self.booking_ahead(self.rng.choice(records))
        if self.chance(0.25):
            self.deposit(self.rng.choice(records), day - self.days(-5, 60))

    def merged_records(self, number: int, first: date) -> list[str]:
        size = self.rng.choice((1, 1, 1, 1, 2, 2, 3, 4))
        test = self.rng.randrange(size) if self.chance(0.06) else None
        created = self.at(min(first, self.end + self.days(0, 5)) - timedelta(days=self.rng.choice((0, 0, 1, 9, 200))))
        names = [f"P{number:04d}{'abcd'[i]}" for i in self.rng.sample(range(size), size)]
        for i, name in enumerate(names):  # each record is merged into the next one, the last is canonical
            reason = self.rng.choice(("moved", "died", "income", "recovered")) if self.chance(0.2) else None
            offset = self.rng.choice((-1, 0, 100, self.theta - 1, self.theta, self.theta + 1, 700))
            self.add(
                "patients", patient_id=name, created_at=created + timedelta(days=self.rng.choice((0, 0, 1, -5, 40))),
                channel_id=self.rng.choice((None, "CH0", "CH0", "CH1", "CH2", "CH3")),
                sex=self.rng.choice((None, "f", "m")),
                birth_date=None if self.chance(0.3) else date(1940, 2, 1) + self.days(0, 25000), is_test=i == test,
                merged_into=names[i + 1] if i + 1 < size else None, natural_churn_reason=reason,
                natural_churn_date=first + timedelta(days=offset) if reason else None,
            )  # fmt: skip
        return names

    def next_day(self, day: date, before: dict | None) -> date:
        """The same day, an edge of a window, an edge of theta, or an edge of the recommended date."""
        theta = self.theta
        gaps = [0, 0, 1, 2, 14, 30, 31, 45, 90, 135, 180, 181, theta - 1, theta, theta, theta + 1, 545]
        if before and before["due"] and self.chance(0.6):
            return max(
                day, before["due"] + timedelta(days=self.rng.choice((-60, -31, -31, -30, 0, 29, 30, 31, 120, 121)))
            )
        return day + timedelta(days=self.rng.choice([*gaps, *(self.rng.randint(3, 120) for _ in range(12))]))

    def appointment(self, records: list[str], day: date, lead: str | None, before: dict | None) -> dict:
        start = self.at(day)
        booked = self.booked_at(start, before)
        status = self.rng.choice(["completed"] * 14 + ["no_show", "cancelled_patient", "cancelled_clinic", "scheduled"])
        cancelled = max(booked, start - self.days(-1, 20)) if status.startswith("cancelled") else None
        done = status == "completed"
        due = day + timedelta(days=self.rng.choice((7, 14, 40, 90, 180, 365))) if done and self.chance(0.5) else None
        patient, doctor = self.rng.choice(records), f"D{self.rng.choice((0, 0, 0, 1, 2, 3))}"
        branch = {"branch_id": f"B{self.rng.randint(1, self.branches)}"} if self.branches else {}
        key = self.add(
            "appointments", patient_id=patient, doctor_id=doctor, lead_id=lead, booked_at=booked, start_at=start,
            end_at=start + self.rng.choice((15, 30, 60)) * MINUTE, status=status, cancelled_at=cancelled,
            diagnosis=self.rng.choice((None, "I10", "K02", "E11")), recommended_return_date=due, **branch,
        )  # fmt: skip
        if done:
            self.sell(key, patient, start)
            self.ask(key, patient, start)
        elif status == "no_show" and self.chance(0.5):
            self.pay(patient, key, start - self.days(0, 3), 50000)
        if self.chance(0.3):
            self.add("shifts", doctor_id=doctor, start_at=start - 10 * MINUTE, end_at=start + 45 * MINUTE)
        return {"start": start, "due": due}

    def booked_at(self, start: datetime, before: dict | None) -> datetime:
        """Long before, at the previous visit, in the last minute of its day or after it; never after the start."""
        wishes = [start - timedelta(days=self.rng.choice((0, 1, 5, 30)), minutes=5)]
        if before:
            day = self.local(before["start"])
            wishes += [before["start"] + 40 * MINUTE, before["start"], self.at(day, "23:59:00")]
            wishes += [self.at(day + timedelta(days=1), "00:01:00"), before["start"] - self.days(1, 9)]
        return min(start, self.rng.choice(wishes))

    def sell(self, visit: str, patient: str, start: datetime) -> None:
        """Items, then one of: nothing paid, one payment (perhaps by somebody else), several, bonus, a certificate."""
        total = 0
        payer = self.rng.choice(self.rows["patients"])["patient_id"] if self.chance(0.05) else patient
        for _ in range(self.rng.choice((0, 1, 1, 2, 3))):
            service = self.rng.randrange(7)
            amount = 0 if service == 0 else self.rng.choice((99, 100000, 250050, self.rng.randint(1, 900000)))
            cost = rubles(self.rng.randint(0, amount // 2 + 20000))
            self.add("items", appointment_id=visit, service_id=f"S{service}", amount=rubles(amount), cost=cost)
            total += amount
        way = self.rng.choice(("debt", "whole", "whole", "whole", "parts", "bonus", "certificate", "late"))
        paid_at = start + (self.days(20, 70) if way == "late" else 20 * MINUTE)
        parts = {"debt": [], "parts": [total // 3, total - total // 3], "bonus": [total - total // 4]}.get(way, [total])
        if way == "certificate" and self.certificates and self.allocate(visit, total // 2):
            parts = [total - total // 2]
        for i, part in enumerate(p for p in parts if p > 0):
            self.pay(payer, visit, paid_at + timedelta(days=35 * i), part)
        if way == "bonus" and total >= 4:
            self.add(
                "payments",
                patient_id=patient,
                appointment_id=visit,
                kind="bonus",
                paid_at=paid_at,
                amount=rubles(total // 4),
            )

    def pay(self, patient: str, visit: str | None, paid_at: datetime, amount: int, refundable: bool = True) -> str:
        """A payment; sometimes refunded in part, in whole or twice, at once or months later."""
        key = self.add(
            "payments", patient_id=patient, appointment_id=visit, kind="payment", paid_at=paid_at, amount=rubles(amount)
        )
        halves = [amount // 2, amount - amount // 2]
        refunds = self.rng.choice(([amount], [amount // 5], halves)) if refundable and self.chance(0.15) else []
        for part in (p for p in refunds if p > 0):
            when = paid_at + self.days(0, 80)
            self.add(
                "payments",
                patient_id=patient,
                appointment_id=visit,
                kind="refund",
                paid_at=when,
                amount=rubles(part),
                refund_of=key,
            )
        return key

    def deposit(self, patient: str, day: date) -> None:
        """Money without an appointment; half of it are certificates that later visits (of anybody) draw on."""
        amount, paid_at, certificate = self.rng.randint(1, 900000), self.at(day), self.chance(0.5)
        key = self.pay(patient, None, paid_at, amount, refundable=not certificate)
        if certificate:
            self.certificates.append([key, amount, paid_at])

    def allocate(self, visit: str, amount: int) -> bool:
        purse = self.rng.choice(self.certificates)
        if amount == 0 or purse[1] < amount:
            return False
        purse[1] -= amount
        self.add("allocations", payment_id=purse[0], appointment_id=visit, amount=rubles(amount))
        return True

    def ask(self, visit: str, patient: str, start: datetime) -> None:
        if self.chance(0.5):
            sent = self.at(self.local(start) + self.days(0, 2), "23:59:59")
            answered = sent + self.days(0, 9) if self.chance(0.6) else None
            nps = self.rng.choice((None, 0, 6, 7, 9, 10)) if answered else None
            csat = self.rng.choice((None, 1, 3, 4, 5)) if answered else None
            self.add(
                "surveys",
                patient_id=patient,
                appointment_id=visit,
                sent_at=sent,
                answered_at=answered,
                nps=nps,
                csat=csat,
            )

    def booking_ahead(self, patient: str) -> None:
        """An appointment after as_of, booked on either side of it, perhaps cancelled on either side of it."""
        booked, start = self.at(self.end - self.days(-2, 20)), self.at(self.end + self.days(1, 40)) + timedelta(days=2)
        status = self.rng.choice(("scheduled", "completed", "no_show", "cancelled_patient", "cancelled_clinic"))
        cancelled = booked + self.days(0, 12) if status.startswith("cancelled") else None
        self.add(
            "appointments", patient_id=patient, doctor_id="D0", booked_at=booked, start_at=max(start, booked),
            status=status, end_at=max(start, booked) + 30 * MINUTE, cancelled_at=cancelled,
            **({"branch_id": "B1"} if self.branches else {}),
        )  # fmt: skip

    def refer(self) -> None:
        """Referrers may be merged, test or one's own other records."""
        names = [p["patient_id"] for p in self.rows["patients"]]
        for row in self.rows["patients"]:
            if self.chance(0.5):
                row["referrer_id"] = self.rng.choice([n for n in names if n != row["patient_id"]] or [""])
