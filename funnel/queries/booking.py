"""What the public booking page shows: what can be booked at a branch, and the nearest free times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Q

from core.clock import day_end, day_start, local_date, zone
from funnel.models import BookingRules, OnlineBooking
from funnel.rules.booking import CLAIM, MANAGE
from messaging.rules import links
from patients.models import BusyTime, Service, Visit
from patients.queries.slots import Slot, free_slots
from staff.models import Branch, Doctor, Source
from staff.models.base import OWN_SOURCE

A_DAY, DAYS, SEARCHED, DEFAULT_MINUTES = 12, 7, 1500, 30
TOKEN_DAYS = timedelta(days=1)


@dataclass(frozen=True)
class Choice:
    """What the visitor has said so far; each may be missing."""

    speciality: str = ""
    doctor: Doctor | None = None
    service: Service | None = None
    day: date | None = None
    length: int = 0  # minutes, where no service says them

    @property
    def minutes(self) -> int:
        return self.service.minutes if self.service else self.length or DEFAULT_MINUTES


@dataclass(frozen=True)
class FreeDay:
    """Free times of one local day. `ahead`: 0 today, 1 tomorrow. `more`: there are others on that day."""

    day: date
    ahead: int
    slots: Sequence[Slot]
    more: bool = False


def rules_of_booking() -> BookingRules:
    return BookingRules.objects.filter(pk=1).first() or BookingRules(pk=1)


def place_of(code: str) -> Branch | None:
    """The branch of a public address: by its code, or its number."""
    found = Branch.objects.filter(external_id=code).order_by("pk").first()
    if found is None and code.isdecimal() and len(code) < 10:
        found = Branch.objects.filter(pk=int(code)).first()
    return found


def doctors_at(branch: Branch) -> list[Doctor]:
    """Those who may be booked there: active, of that branch or of none in particular."""
    return list(Doctor.objects.filter(Q(branch=branch) | Q(branch=None), is_active=True).order_by("name", "id")[:500])


def services_at(doctors: Sequence[Doctor]) -> list[Service]:
    """Of the one price list: what these doctors do, by speciality; what names none is done by all."""
    known = {doctor.speciality for doctor in doctors} | {""}
    return list(Service.objects.filter(is_active=True, speciality__in=known).order_by("name", "id")[:500])


def fitting(doctors: Sequence[Doctor], choice: Choice) -> list[Doctor]:
    speciality = choice.service.speciality if choice.service and choice.service.speciality else choice.speciality
    if choice.doctor is not None:
        doctors = [doctor for doctor in doctors if doctor.pk == choice.doctor.pk]
    return [doctor for doctor in doctors if not speciality or doctor.speciality == speciality]


def free_days(branch: Branch, doctors: Sequence[Doctor], choice: Choice, now: datetime) -> list[FreeDay]:
    """The nearest days with free times, earliest first."""
    rules = rules_of_booking()
    first = now + timedelta(minutes=rules.notice_minutes)
    end = now + timedelta(days=rules.days_ahead)
    if choice.day is not None:
        first, end = max(first, day_start(choice.day, branch.tz)), min(end, day_end(choice.day, branch.tz))
    slots = free_slots(
        doctor_ids=[doctor.pk for doctor in doctors],
        start=first,
        end=end,
        minutes=choice.minutes,
        now=now,
        limit=SEARCHED,
        branch_id=branch.pk,
    )
    return _by_day(slots, branch, local_date(now, branch.tz), whole=choice.day is not None)


def _by_day(slots: Sequence[Slot], branch: Branch, today: date, *, whole: bool) -> list[FreeDay]:
    """Each time once, with the first doctor who is free then; a dozen a day unless the `whole` day was asked for."""
    found: dict[date, dict[datetime, Slot]] = {}
    for slot in slots:
        found.setdefault(local_date(slot.start_at, branch.tz), {}).setdefault(slot.start_at, slot)
    return [
        FreeDay(
            day, (day - today).days, list(those.values())[: None if whole else A_DAY], not whole and len(those) > A_DAY
        )
        for day, those in list(found.items())[:DAYS]
    ]


def slot_at(branch: Branch, doctor_id: int, start: datetime, minutes: int, now: datetime) -> Slot | None:
    """The free slot that begins then, as the page would offer it; None when it is not (or no longer) one.

    Whether somebody keeps it (`now=start`: no hold lasts until then) is not asked here but under the lock: it may be the
    visitor himself, who chose the same time again.
    """
    rules = rules_of_booking()
    earliest = now + timedelta(minutes=rules.notice_minutes)
    if not earliest <= start <= now + timedelta(days=rules.days_ahead):
        return None
    end = start + timedelta(minutes=minutes)
    found = free_slots(
        doctor_ids=[doctor_id], start=start, end=end, minutes=minutes, now=start, limit=1, branch_id=branch.pk
    )
    return next((slot for slot in found if slot.start_at == start), None)


def slot_known(branch: Branch, doctor_id: int, start: datetime, minutes: int) -> Slot:
    """The time itself, free or not: what the lock decides about."""
    return Slot(doctor_id, branch.pk, start, start + timedelta(minutes=minutes))


def stale_sources(now: datetime) -> list[str]:
    """Names of systems whose timetable we show although it has not been renewed for too long."""
    ids = BusyTime.objects.exclude(source=OWN_SOURCE).order_by().values("source").distinct()
    limit = now - timedelta(minutes=rules_of_booking().stale_minutes)
    old = Source.objects.filter(Q(last_ok_at__lt=limit) | Q(last_ok_at=None), pk__in=ids)
    return [source.name or source.code for source in old.order_by("code")]


def draft_of(token: str, now: datetime) -> OnlineBooking | None:
    """The visitor's booking on its way, by the token of his cookie."""
    if not token:
        return None
    found = OnlineBooking.objects.select_related("branch", "doctor", "service", "hold", "code", "visit")
    return found.filter(token=token, created_at__gt=now - TOKEN_DAYS).first()


def _secrets() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def manage_path(visit_id: int) -> str:
    """Where the patient moves or cancels this visit: signed for that and nothing else."""
    return f"/b/visit/{links.signed(MANAGE, visit_id, secret=settings.SECRET_KEY)}/"


def claim_path(offer_id: int) -> str:
    return f"/b/offer/{links.signed(CLAIM, offer_id, secret=settings.SECRET_KEY)}/"


def managed(code: str, now: datetime) -> Visit | None:
    """The visit of a link. The link is over when the visit begins."""
    number = links.unsigned(MANAGE, code, secrets=_secrets())
    return managed_visit(number, now)


def managed_visit(number: int | None, now: datetime) -> Visit | None:
    if number is None:
        return None
    return Visit.objects.select_related("branch", "doctor").filter(pk=number, start_at__gt=now).first()


def claimed(code: str) -> int | None:
    return links.unsigned(CLAIM, code, secrets=_secrets())


def local(moment: datetime, branch: Branch) -> datetime:
    return moment.astimezone(zone(branch.tz))
