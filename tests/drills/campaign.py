"""An outbox as a clinic has it, a third of it advertisements, and what a person does in the middle of a run.

    python -m tests.drills.campaign fill 2000 | halt | go_on

Which row is of which kind stands in its number (`+79GG…`), so that the gateway's book alone says who was written to.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")

SERVICE, FEEDBACK, LATE, BLOCKED = "10", "11", "12", "99"
LAWFUL, OPTS_OUT, REVOKED = "20", "26", "27"
NO_CONSENT, UNPROVEN, TAKEN_BACK, NOT_APPROVED, OTHER_DAY = "21", "22", "23", "24", "25"
# Reasons with which a row of this kind may end unsent. An unknown number may end refused besides.
ENDS: dict[str, set[str]] = {
    SERVICE: set(),
    FEEDBACK: set(),
    LATE: {"window"},
    BLOCKED: {"blocked"},
    LAWFUL: set(),
    NO_CONSENT: {"no_consent"},
    UNPROVEN: {"unproven"},
    TAKEN_BACK: {"withdrawn"},
    NOT_APPROVED: {"not_approved"},
    OTHER_DAY: {"not_approved"},
    OPTS_OUT: {"withdrawn", "unsubscribed", "promotion_hold"},
    REVOKED: {"not_approved"},
}
NEVER = {NO_CONSENT, UNPROVEN, TAKEN_BACK, NOT_APPROVED, OTHER_DAY, LATE, BLOCKED}
ADVERTS = {LAWFUL, NO_CONSENT, UNPROVEN, TAKEN_BACK, NOT_APPROVED, OTHER_DAY, OPTS_OUT, REVOKED}
# In turn: of thirty rows ten advertise.
OTHERS = [SERVICE] * 12 + [FEEDBACK] * 6 + [LATE, BLOCKED]
OFFERS = [LAWFUL, OPTS_OUT, NO_CONSENT, LAWFUL, REVOKED, UNPROVEN, OPTS_OUT, NOT_APPROVED, TAKEN_BACK, OPTS_OUT]
RELEASED = 150  # service messages a second that come due while the run goes on: so advertisements get their turn


def group_of(address: str) -> str:
    return address[3:5]


def groups(number: int) -> Iterator[str]:
    """Of each row. Every second one without approval has one for another day."""
    for n in range(number):
        rest = OFFERS[n // 3 % len(OFFERS)] if n % 3 == 0 else OTHERS[(n - n // 3 - 1) % len(OTHERS)]
        yield OTHER_DAY if rest == NOT_APPROVED and n // 30 % 2 else rest


@dataclass(frozen=True)
class Approvals:
    today: int
    revoked: int
    other_day: int

    def of(self, group: str) -> int | None:
        special = {REVOKED: self.revoked, OTHER_DAY: self.other_day, NOT_APPROVED: None}
        return special.get(group, self.today) if group in ADVERTS else None


def fill(number: int) -> None:
    from messaging.models import Message
    from messaging.queries.clock import database_now
    from patients.models import Patient
    from staff.models import Branch

    now = database_now()
    branch = Branch.objects.filter(is_default=True).first() or Branch.objects.create(
        name="Drill", tz="Europe/Moscow", is_default=True
    )
    people = [Patient(branch=branch, created_at=now, first_name=f"Иван {n}") for n in range(number)]
    Patient.objects.bulk_create(people, batch_size=1000)
    kinds = list(groups(number))
    _consents([(person.pk, kind) for person, kind in zip(people, kinds, strict=True)], now)
    signed = _approvals(now)
    Message.objects.bulk_create(
        [_row(n, kind, people[n].pk, signed, number, now) for n, kind in enumerate(kinds)], batch_size=1000
    )


def _row(n: int, kind: str, patient: int, signed: Approvals, number: int, now: datetime):
    from messaging.models import Message
    from messaging.models.outbox import Priority

    advertises = kind in ADVERTS
    purpose = {FEEDBACK: "feedback"}.get(kind, "marketing" if advertises else "service")
    priority = {"feedback": Priority.FEEDBACK, "marketing": Priority.PROMOTION}.get(purpose, Priority.REMINDER)
    later = 0 if advertises or n < number // 2 else (n - number // 2) / RELEASED
    return Message(
        patient_id=patient, purpose=purpose, priority=priority, transport="sms", address=f"+79{kind}{n:07}",
        text=f"Ждём вас, {n}", tz="", dedupe_key=f"drill:{n}", created_at=now, approval_id=signed.of(kind),
        not_before=now + timedelta(seconds=later),
        expires_at=now + (timedelta(seconds=-1) if kind == LATE else timedelta(days=1)),
    )  # fmt: skip


def _consents(people: list[tuple[int, str]], now: datetime) -> None:
    """An hour ago each said yes, but for those of whom nothing is known; some took it back."""
    from patients.models import Consent

    def line(patient: int, kind: str, given: bool) -> Consent:
        proof = {"how": "desk"} if kind == UNPROVEN else {"how": "paper", "evidence": "folder 1"}
        at = now - timedelta(hours=1 if given else 0.5) - timedelta(days=40)  # a fresh refusal is a hold besides
        return Consent(patient_id=patient, purpose="marketing", given=given, at=at, **proof)

    asked = [(pk, kind) for pk, kind in people if kind in ADVERTS - {NO_CONSENT}]
    lines = [line(pk, kind, True) for pk, kind in asked]
    lines += [line(pk, kind, False) for pk, kind in asked if kind == TAKEN_BACK]
    Consent.objects.bulk_create(lines, batch_size=1000)


def _approvals(now: datetime) -> Approvals:
    from messaging.models import Approval
    from messaging.queries.due import clinic_day
    from staff.models import User

    person, day = User.objects.create_user("drill", full_name="Drill"), clinic_day(now)

    def approval(subject: str, first: int, last: int) -> int:
        span = {"first_day": day + timedelta(days=first), "last_day": day + timedelta(days=last)}
        known = {"subject": subject, "texts": {}, "text_hash": "", "audience": 1, "approved_by": person}
        return Approval.objects.create(**known, **span, approved_at=now).pk

    # Until tomorrow: a run over midnight is no fault of the product.
    return Approvals(approval("campaign:1", 0, 1), approval("campaign:2", 0, 1), approval("campaign:3", -5, -2))


def halt() -> None:
    """A person stops everything, and takes one approval back."""
    from messaging import actions
    from messaging.models import Approval
    from messaging.queries.clock import database_now
    from staff.access import SYSTEM

    now = database_now()
    actions.pause_sending(paused=True, by=SYSTEM, now=now)
    actions.withdraw_approval(approval=Approval.objects.get(subject="campaign:2"), by=SYSTEM, now=now)


def go_on() -> None:
    from messaging import actions
    from messaging.queries.clock import database_now
    from staff.access import SYSTEM

    actions.pause_sending(paused=False, by=SYSTEM, now=database_now())


DEEDS: dict[str, Callable[[], None]] = {"halt": halt, "go_on": go_on}

if __name__ == "__main__":
    import django

    django.setup()
    word, *more = sys.argv[1:]
    fill(int(more[0])) if word == "fill" else DEEDS[word]()
