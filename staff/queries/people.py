"""Whose colleagues, branches and doctors are whose: who is bound to a branch sees that branch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.clock import day_end, day_start
from staff.access import Actor
from staff.models import ApiKey, Branch, CodeDevice, Doctor, LossRule, Shift, User


def visible_users(by: Actor) -> QuerySet[User]:
    users = User.objects.select_related("branch", "doctor").annotate(
        has_app=Exists(CodeDevice.objects.filter(user=OuterRef("pk"), confirmed=True))
    )
    return users if by.branch_id is None else users.filter(branch_id=by.branch_id)


def visible_branches(by: Actor) -> QuerySet[Branch]:
    branches = Branch.objects.order_by("name", "id")
    return branches if by.branch_id is None else branches.filter(pk=by.branch_id)


def visible_doctors(by: Actor) -> QuerySet[Doctor]:
    doctors = Doctor.objects.select_related("branch")
    return doctors if by.branch_id is None else doctors.filter(Q(branch_id=by.branch_id) | Q(branch_id=None))


def visible_keys(by: Actor) -> QuerySet[ApiKey]:
    keys = ApiKey.objects.select_related("branch", "created_by")
    return keys if by.branch_id is None else keys.filter(branch_id=by.branch_id)


def specialities() -> list[str]:
    """All specialities that doctors have or that have their own loss rule."""
    theirs = Doctor.objects.exclude(speciality="").values_list("speciality", flat=True)
    return sorted({*theirs.distinct(), *LossRule.objects.values_list("speciality", flat=True)})


@dataclass(frozen=True)
class ShiftDay:
    """One day of a doctor's week: shifts in order of time."""

    day: date
    shifts: list[Shift]


def week_of(*, doctor: Doctor, monday: date, tz: str) -> list[ShiftDay]:
    """Seven days from `monday` in the zone `tz`."""
    days = [monday + timedelta(days=n) for n in range(7)]
    shifts = list(
        Shift.objects.filter(doctor=doctor, start_at__gte=day_start(days[0], tz), start_at__lt=day_end(days[-1], tz))
        .select_related("branch")
        .order_by("start_at")[:200]
    )
    return [ShiftDay(day, [s for s in shifts if day_start(day, tz) <= s.start_at < day_end(day, tz)]) for day in days]


def user_id_of(login: str) -> int | None:
    """For the log of failed sign-ins: whose login that is, if anybody's."""
    return User.objects.filter(login=login).values_list("pk", flat=True).first()
