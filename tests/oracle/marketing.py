"""Parts of the random clinics: dice over local days, and the marketing side (leads, campaigns, spend)."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from .exchange import Tables, rubles

CLOCK = ("00:00:00", "00:30:00", "08:15:00", "10:00:00", "12:45:00", "17:20:00", "23:30:00", "23:59:59")


class Dice(Tables):
    """Random choices and local time. Days are local dates, instants are UTC."""

    def __init__(self, rng: Random, zone: ZoneInfo) -> None:
        super().__init__()
        self.rng, self.zone = rng, zone

    def at(self, day: date, clock: str | None = None) -> datetime:
        """A local clock time of a local day as UTC."""
        moment = datetime.combine(day, time.fromisoformat(clock or self.rng.choice(CLOCK)), self.zone)
        return moment.astimezone(UTC)

    def local(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def days(self, low: int, high: int) -> timedelta:
        return timedelta(days=self.rng.randint(low, high))


class Marketing(Dice):
    """Needs self.start, self.end (as_of) and self.count (persons)."""

    start: date
    end: date
    count: int

    def lead(self, day: date, patient: str | None, **more: object) -> str:
        created = more.pop("created_at", None) or self.at(day - timedelta(days=self.rng.choice((0, 0, 1, 14, 15))))
        wait = self.rng.choice((None, 0, 40, 60, 61, 120, 121, 900, 901, 90000))
        lost = created + self.days(0, 40) if self.chance(0.3) else None
        values = {
            "created_at": created, "patient_id": patient, "kind": self.rng.choice(("call", "form", "messenger")),
            "channel_id": self.rng.choice((None, "CH0", "CH1", "CH2", "CH3")),
            "is_spam": self.chance(0.05), "lost_at": lost,
            "first_response_at": None if wait is None else created + timedelta(seconds=wait),
            "loss_stage": self.rng.choice((None, "booked", "contacted")) if lost else None,
            "loss_reason": self.rng.choice((None, "price", "far")) if lost else None,
        }  # fmt: skip
        return self.add("leads", **values | more)

    def stray_leads(self) -> None:
        """Enquiries that led nowhere, of known patients, duplicates; some a minute before the end of as_of."""
        names = [p["patient_id"] for p in self.rows["patients"]] or [None]
        for _ in range(self.count // 2):
            key = self.lead(self.start + self.days(0, 1500), self.rng.choice((None, self.rng.choice(names))))
            if self.chance(0.2):
                self.lead(self.start + self.days(0, 1500), None, duplicate_of=key)
        late = self.at(self.end + timedelta(days=1), "00:00:00")
        for seconds in (60, 119, 120, 121):
            self.lead(self.end, None, created_at=late - timedelta(seconds=seconds))

    def campaigns(self) -> None:
        """C0: everybody, both arms; C1: no control; C2: too fresh to judge."""
        for i, day in enumerate(
            (self.end - self.days(60, 400), self.end - timedelta(days=30), self.end - self.days(0, 29))
        ):
            name = self.add("campaigns", campaign_id=f"C{i}", name=f"Campaign {i}")
            for row in self.rows["patients"]:
                if i == 0 or self.chance(0.2):
                    arm = "treatment" if i == 1 or sum(map(ord, row["patient_id"][:5])) % 2 else "control"
                    arm = "control" if i != 1 and self.chance(0.03) else arm
                    at = self.at(day + self.days(0, 1))
                    self.add(
                        "campaign_members", campaign_id=name, patient_id=row["patient_id"], arm=arm, assigned_at=at
                    )

    def spend(self) -> None:
        for _ in range(150):
            campaign = self.rng.choice(("C0", "C1", "C2")) if self.chance(0.15) else None
            purpose = "retention" if campaign or self.chance(0.1) else "acquisition"
            channel, amount = self.rng.choice((None, "CH0", "CH0", "CH1", "CH3")), rubles(self.rng.randint(1, 400000))
            day = self.start + self.days(0, 1500)
            self.add("spend", channel_id=channel, campaign_id=campaign, date=day, amount=amount, purpose=purpose)
