"""Plain builder functions: what a test needs, said in one line. Every argument has a harmless default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from core.clock import local_date
from patients.models import Channel, Patient, PatientPhone, Payment, Service, Visit, VisitItem
from staff.access import Actor
from staff.models import Branch, Clinic, Doctor, User
from staff.models.access import Role

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
_serial = count(1)


def clinic(**fields: Any) -> Clinic:
    Clinic.objects.filter(pk=1).update(**fields)
    return Clinic.objects.get(pk=1)


def branch(**fields: Any) -> Branch:
    n = next(_serial)
    defaults = {"external_id": f"br{n}", "name": f"Филиал {n}", "tz": "Europe/Moscow"}
    return Branch.objects.create(**(defaults | fields))


def default_branch() -> Branch:
    return Branch.objects.filter(is_default=True).first() or branch(is_default=True)


def doctor(**fields: Any) -> Doctor:
    n = next(_serial)
    defaults = {"external_id": f"doc{n}", "name": f"Врач {n}", "speciality": "терапия"}
    return Doctor.objects.create(**(defaults | fields))


def channel(**fields: Any) -> Channel:
    n = next(_serial)
    return Channel.objects.create(**({"external_id": f"ch{n}", "name": f"Канал {n}", "kind": "paid"} | fields))


def service(**fields: Any) -> Service:
    n = next(_serial)
    defaults = {"external_id": f"s{n}", "name": f"Услуга {n}", "tier": "core", "price": 200000, "cost": 80000}
    return Service.objects.create(**(defaults | fields))


def patient(*, phone: str = "", **fields: Any) -> Patient:
    n = next(_serial)
    defaults: dict[str, Any] = {
        "last_name": f"Иванов{n}",
        "first_name": "Иван",
        "created_at": NOW - timedelta(days=400),
    }
    if "branch" not in fields:
        defaults["branch"] = default_branch()
    made = Patient.objects.create(**(defaults | fields))
    if phone:
        PatientPhone.objects.create(patient=made, number=phone, raw=phone, reverse_digits=phone.lstrip("+")[::-1])
    return made


def visit(
    patient: Patient, *, start: datetime = NOW, minutes: int = 30, tz: str = "Europe/Moscow", **fields: Any
) -> Visit:
    defaults: dict[str, Any] = {
        "branch": patient.branch,
        "booked_at": start - timedelta(days=3),
        "start_at": start,
        "end_at": start + timedelta(minutes=minutes),
        "day": local_date(start, tz),
        "status": "completed",
    }
    if "doctor" not in fields:
        defaults["doctor"] = doctor()
    return Visit.objects.create(patient=patient, **(defaults | fields))


def item(visit: Visit, *, amount: int = 200000, cost: int = 80000, **fields: Any) -> VisitItem:
    made = VisitItem.objects.create(
        visit=visit, amount=amount, cost=cost, **({"service": fields.pop("service", None) or service()} | fields)
    )
    Visit.objects.filter(pk=visit.pk).update(amount=visit.amount + amount, cost=visit.cost + cost)
    return made


def payment(patient: Patient, amount: int, *, at: datetime = NOW, tz: str = "Europe/Moscow", **fields: Any) -> Payment:
    refunded = fields.get("refund_of")
    day = local_date(at, tz)
    defaults = {"kind": "refund" if refunded else "payment", "day": day, "value_day": refunded.day if refunded else day}
    return Payment.objects.create(patient=patient, amount=amount, paid_at=at, **(defaults | fields))


def user(role: str = Role.OWNER, **fields: Any) -> User:
    n = next(_serial)
    defaults = {"login": f"{role}{n}", "full_name": f"Сотрудник {n}", "role": role}
    return User.objects.create_user(password="correct horse battery", **(defaults | fields))


def actor(role: str = Role.OWNER, **fields: Any) -> Actor:
    return Actor(**({"kind": "system", "id": None, "name": "test", "role": role} | fields))
