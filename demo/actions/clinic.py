"""Fills the demo clinic through the same doors as any MIS, and makes one login a role."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction

from demo.clinic import Tale, tell
from followup import actions as followup
from funnel import actions as funnel
from funnel.actions.intake import record_leads, record_visits
from loyalty import actions as loyalty
from patients import actions as patients
from patients.models import Patient, Visit
from staff import actions as staff
from staff.access import SYSTEM
from staff.actions.intake import RowResult
from staff.models import Branch, Clinic, Doctor, Role, Source, User

BATCH = 2000
Row = dict[str, object]
Record = Callable[..., list[RowResult]]


class DemoDataRefused(Exception):
    """A row of the tale was refused by its own product: a fault of ours, told with the row."""


def is_empty() -> bool:
    return not Patient.objects.exists()


def fill(*, seed: int, patients: int, now: datetime, say: Callable[[str], object]) -> None:
    """Three years of a clinic; takes well under a minute on SQLite."""
    tale = tell(seed=seed, now=now, patients=patients)
    _name_the_clinic(now)
    for name, rows, record in _steps(tale):
        _load(rows, record, now)
        say(f"  {name}: {len(rows)}")
    loyalty.refresh_values(patients=None, now=now)
    _follow_up(now)


def _name_the_clinic(now: datetime) -> None:
    Clinic.objects.filter(pk=1).update(name="Клиника «Здесь лечат»", tz="Europe/Moscow", went_live_at=now)


def _steps(tale: Tale) -> list[tuple[str, list[Row], Record]]:
    return [
        ("branches", tale.branches, staff.record_branches),
        ("channels", tale.channels, patients.record_channels),
        ("doctors", tale.doctors, staff.record_doctors),
        ("services", tale.services, patients.record_services),
        ("shifts", tale.shifts, staff.record_shifts),
        ("patients", tale.patients, patients.record_patients),
        ("consents", tale.consents, patients.record_consents),
        ("leads", tale.leads, record_leads),
        ("visits", tale.visits, record_visits),
        ("refunds", tale.payments, patients.record_payments),
        ("spend", tale.spend, funnel.record_spend),
    ]


def _load(rows: Sequence[Row], record: Record, now: datetime) -> None:
    source, _made = Source.objects.get_or_create(code="demo", defaults={"name": "Demo clinic"})
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        for result in record(source=source, rows=part, by=SYSTEM, now=now):
            if result.status == "failed":
                raise DemoDataRefused(f"{result.external_id}: {result.errors}")


def _follow_up(now: datetime) -> None:
    """The same step that the sweep would take, so that Today has its work list at the first look."""
    while True:
        with transaction.atomic():
            waiting = list(
                Visit.objects.filter(followed_up_at=None).order_by("id").values_list("pk", flat=True)[:BATCH]
            )
            if not waiting:
                return
            followup.follow_up(Visit.objects.filter(pk__in=waiting), now=now)


def people_of_the_demo(*, now: datetime, file: Path) -> None:
    """One person a role; passwords are made at the first start (or DEMO_PASSWORD) and kept beside the database."""
    if file.exists():
        return
    given = os.environ.get("DEMO_PASSWORD", "")
    logins = {str(role): given or secrets.token_urlsafe(9) for role in Role if role != Role.INTEGRATION}
    with transaction.atomic():
        for number, (role, password) in enumerate(logins.items()):
            _person(Role(role), password, number)
    file.touch(mode=0o600)
    file.write_text(json.dumps(logins), encoding="utf-8")


def _person(role: Role, password: str, number: int) -> None:
    """With an address that leads nowhere, so that alarms and test sends of the demo arrive in its mailbox."""
    names = {
        Role.OWNER: "Орлова Вера Павловна",
        Role.MANAGER: "Миронов Лев Андреевич",
        Role.MARKETER: "Маслова Дарья Игоревна",
        Role.ADMINISTRATOR: "Астахова Нина Олеговна",
        Role.CURATOR: "Кузина Алла Юрьевна",
        Role.DOCTOR: "",
    }
    user = User.objects.filter(login=role).first() or User(login=role, role=role)
    user.full_name = names[role]
    if role == Role.DOCTOR:
        user.doctor = Doctor.objects.order_by("id").first()
        user.full_name = user.doctor.name if user.doctor else "Врач"
    if role == Role.ADMINISTRATOR:
        user.branch = Branch.objects.order_by("id").first()
    user.phone, user.email = f"+700099902{number:02}", f"{role}@example.invalid"
    user.set_password(password)
    user.save()
