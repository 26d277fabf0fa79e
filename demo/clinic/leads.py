"""Who asked in the last half year: most who came for the first time, and those who did not come, with their reasons."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from demo.clinic.course import Row
from demo.clinic.people import People, unroutable_phone
from demo.clinic.price import BRANCHES, CHANNELS

DAYS = 180
KINDS, KIND_WEIGHTS = ("call", "form", "messenger", "walk_in", "email"), (46, 28, 18, 5, 3)
REASONS, REASON_WEIGHTS = (
    ("unreachable", "price", "no_slot", "chose_other", "changed_mind", "far", "no_service", "other"),
    (26, 22, 16, 13, 10, 6, 5, 2),
)
ASKED = (
    "Сколько стоит консультация?",
    "Можно записаться на субботу?",
    "Нужна консультация, куда обратиться?",
    "Принимаете ли детей?",
    "Есть ли рассрочка?",
    "Хочу записаться на этой неделе после 18:00.",
    "",
)
STRANGERS_FROM = 8_000_000  # of the numbers that nobody has: above those of the patients


def leads_of(*, visits: list[Row], patients: list[Row], seed: int, now: datetime) -> list[Row]:
    """Rows of `leads`; the visits that an enquiry brought get its `lead_id`."""
    random = Random(seed + 11)  # noqa: S311 - a tale, no secret
    channels = {str(row["external_id"]): row for row in patients}
    came = [_of_visit(random, n, visit, channels[str(visit["patient_id"])]) for n, visit in _first(visits, now, random)]
    people = People(random, seed + 12)
    lost = [_of_stranger(random, people, n, now) for n in range(len(came) * 2 // 3)]
    return sorted([*came, *lost], key=lambda row: str(row["created_at"]))


def _first(visits: list[Row], now: datetime, random: Random) -> Iterator[tuple[int, Row]]:
    """The first booking of each person that lies in the half year; four of five began with an enquiry."""
    first: dict[str, Row] = {}
    for visit in visits:
        known = first.setdefault(str(visit["patient_id"]), visit)
        if _booked(visit) < _booked(known):
            first[str(visit["patient_id"])] = visit
    for n, visit in enumerate(first.values(), 1):
        if now - timedelta(days=DAYS) < _booked(visit) < now and random.random() < 0.8:
            yield n, visit


def _booked(visit: Row) -> datetime:
    return datetime.fromisoformat(str(visit["booked_at"]))


def _of_visit(random: Random, n: int, visit: Row, patient: Row) -> Row:
    """Asked some minutes before the booking, now and then a day or two."""
    ago = timedelta(minutes=random.randint(4, 50)) if random.random() < 0.85 else timedelta(hours=random.randint(5, 50))
    asked = _booked(visit) - ago
    visit["lead_id"] = code = f"L-V{n:05}"
    return _row(random, code, asked, min(_answered(random, asked), _booked(visit))) | {
        "patient_id": patient["external_id"],
        "channel_id": patient["channel_id"],
        "branch_id": visit["branch_id"],
        "name": f"{patient['last_name']} {patient['first_name']}",
        "phone": patient["phones"],
    }


def _of_stranger(random: Random, people: People, n: int, now: datetime) -> Row:
    """Somebody who did not come: lost with a reason, or still talked with when it was lately."""
    asked = now - timedelta(minutes=random.randint(60 * 26, DAYS * 24 * 60))
    last, first, _middle = people._names(random.random() < 0.6)
    row = _row(random, f"L-S{n:05}", asked, _answered(random, asked)) | {
        "channel_id": random.choices([c[0] for c in CHANNELS], [c[3] for c in CHANNELS])[0],
        "branch_id": random.choice([b["external_id"] for b in BRANCHES]),
        "name": f"{last} {first}",
        "phone": unroutable_phone(STRANGERS_FROM + n),
    }
    closed = asked + timedelta(hours=random.randint(2, 24 * 9))
    if closed < now:
        stage = "lead" if random.random() < 0.1 else "contacted"
        reason = random.choices(REASONS, REASON_WEIGHTS)[0]
        row |= {"lost_at": closed.isoformat(), "loss_stage": stage, "loss_reason": reason}
    return row


def _row(random: Random, code: str, asked: datetime, answered: datetime) -> Row:
    return {
        "external_id": code,
        "created_at": asked.isoformat(),
        "kind": random.choices(KINDS, KIND_WEIGHTS)[0],
        "text": random.choice(ASKED),
        "first_response_at": answered.isoformat(),
    }


def _answered(random: Random, asked: datetime) -> datetime:
    """Mostly within a minute or two; a few wait for an hour."""
    return asked + timedelta(seconds=int(min(7200, random.lognormvariate(4.2, 0.9))))
