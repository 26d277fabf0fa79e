"""The clinic itself: settings, branches, doctors, their shifts, as people enter them on the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from core.clock import day_end, day_start, zone
from staff.access import Actor
from staff.actions.audit import record
from staff.actions.journal import ChangedRow, note_changes
from staff.actions.people import NotAllowed
from staff.models import Branch, Change, Clinic, Doctor, LossRule, Shift
from staff.models.base import OWN_SOURCE

Row = TypeVar("Row", Branch, Doctor)
SETTINGS = ("name", "tz", "currency", "theta_days", "history_from", "natural_allowance_percent")
BRANCH_FIELDS = (
    "name", "tz", "phone_region", "address", "phone", "opens_at", "closes_at", "work_days", "is_default",
)  # fmt: skip
DOCTOR_FIELDS = ("name", "speciality", "branch_id", "is_active")


class ShiftsOverlap(Exception):
    """Two shifts of one doctor at the same time."""


class ZoneIsFixed(Exception):
    """The local dates of stored visits and payments were reckoned in the present zone: `patients.actions.zone` moves them."""


def _everywhere(by: Actor) -> None:
    if by.branch_id is not None:
        raise NotAllowed(_("Only those who answer for all branches can change this."))


def zone_is_fixed() -> bool:
    """Whether visits or payments were ever written (this room stands below them; the feed says so)."""
    return Change.objects.filter(resource__in=("visits", "payments")).exists()


@transaction.atomic
def change_settings(*, fields: Mapping[str, Any], rules: Mapping[str, int], by: Actor, now: datetime) -> Clinic:
    """New settings and the whole table of loss rules: speciality -> days. Raises NotAllowed."""
    _everywhere(by)
    clinic = Clinic.objects.select_for_update().get(pk=1)
    changed = [name for name in SETTINGS if name in fields and getattr(clinic, name) != fields[name]]
    if "tz" in changed and zone_is_fixed():
        raise ZoneIsFixed(_("There are visits or payments: change the time zone on its own page."))
    for name in changed:
        setattr(clinic, name, fields[name])
    clinic.save()
    kept = dict(LossRule.objects.values_list("speciality", "theta_days"))
    if kept != dict(rules):
        LossRule.objects.exclude(speciality__in=rules).delete()
        LossRule.objects.bulk_create(
            [LossRule(speciality=name, theta_days=days) for name, days in rules.items()],
            update_conflicts=True,
            unique_fields=["speciality"],
            update_fields=["theta_days"],
        )
        changed.append("loss_rules")
    if changed:
        record(by=by, deed="change_settings", now=now, object_kind="clinic", object_id=1, fields=changed)
    return clinic


@transaction.atomic
def save_branch(*, branch: Branch | None, fields: Mapping[str, Any], by: Actor, now: datetime) -> Branch:
    """A new branch (`branch` None) or a changed one. Raises NotAllowed. There is one default branch at most."""
    if branch is None or fields.get("is_default", branch.is_default) != branch.is_default:
        _everywhere(by)
    elif by.branch_id not in (None, branch.pk):
        raise NotAllowed(_("This branch is not yours."))
    if fields.get("is_default"):
        Branch.objects.filter(is_default=True).exclude(pk=branch.pk if branch and branch.pk else 0).update(
            is_default=False
        )
    return _saved(branch or Branch(), BRANCH_FIELDS, fields, by=by, now=now)


@transaction.atomic
def save_doctor(*, doctor: Doctor | None, fields: Mapping[str, Any], by: Actor, now: datetime) -> Doctor:
    """A new doctor (`doctor` None) or a changed one. Raises NotAllowed for another branch."""
    branch_id = fields.get("branch_id", doctor.branch_id if doctor else None)
    if by.branch_id is not None and branch_id != by.branch_id:
        raise NotAllowed(_("This branch is not yours."))
    return _saved(doctor or Doctor(), DOCTOR_FIELDS, fields, by=by, now=now)


def _saved(row: Row, names: Sequence[str], fields: Mapping[str, Any], *, by: Actor, now: datetime) -> Row:
    new = row.pk is None
    changed = [name for name in names if name in fields and (new or getattr(row, name) != fields[name])]
    if not changed:
        return row
    for name in changed:
        setattr(row, name, fields[name])
    row.save()
    kind = "branch" if isinstance(row, Branch) else "doctor"
    branch_id = row.pk if isinstance(row, Branch) else row.branch_id
    line = ChangedRow(row.pk, row.source.code, row.external_id, branch_id)
    note_changes(resource="branches" if kind == "branch" else "doctors", rows=[line], now=now)
    deed = f"{'add' if new else 'change'}_{kind}"
    record(by=by, deed=deed, now=now, object_kind=kind, object_id=row.pk, fields=changed)
    return row


Hours = tuple[time, time]


@transaction.atomic
def set_week(
    *, doctor: Doctor, branch: Branch, monday: date, hours: Mapping[int, Sequence[Hours]], by: Actor, now: datetime
) -> list[Shift]:
    """The doctor's shifts of one week in this branch, in place of those that were entered here: weekday 0..6 -> hours.

    Times are the branch's local time. Shifts of another system stay. Answers the new ones. Raises ShiftsOverlap,
    NotAllowed.
    """
    if by.branch_id not in (None, branch.pk):
        raise NotAllowed(_("This branch is not yours."))
    Doctor.objects.select_for_update().get(pk=doctor.pk)
    until = day_end(monday + timedelta(days=6), branch.tz)
    week = Shift.objects.filter(doctor=doctor, start_at__gte=day_start(monday, branch.tz), start_at__lt=until)
    ours = {(shift.start_at, shift.end_at): shift for shift in week.filter(branch=branch, source_id=OWN_SOURCE)}
    wanted = {
        (s.start_at, s.end_at): s
        for s in (_shift(doctor, branch, monday, day, pair) for day, pairs in hours.items() for pair in pairs)
    }
    gone = [shift for key, shift in ours.items() if key not in wanted]
    added = [shift for key, shift in wanted.items() if key not in ours]
    _refuse_overlap([*added, *week.exclude(pk__in=[shift.pk for shift in gone])])
    if gone or added:
        _replace(gone, added, branch, now)
        record(by=by, deed="change_shifts", now=now, object_kind="doctor", object_id=doctor.pk, note=monday.isoformat())
    return added


def _replace(gone: list[Shift], added: list[Shift], branch: Branch, now: datetime) -> None:
    tombstones = [ChangedRow(shift.pk, "crm", shift.external_id, branch.pk) for shift in gone]
    Shift.objects.filter(pk__in=[shift.pk for shift in gone]).delete()
    Shift.objects.bulk_create(added)
    note_changes(resource="shifts", rows=tombstones, now=now, kind=Change.Kind.DELETED)
    rows = [ChangedRow(shift.pk, "crm", shift.external_id, branch.pk) for shift in added]
    note_changes(resource="shifts", rows=rows, now=now)


def _shift(doctor: Doctor, branch: Branch, monday: date, weekday: int, pair: Hours) -> Shift:
    day, tz = monday + timedelta(days=weekday), zone(branch.tz)
    start, end = (datetime.combine(day, hour, tzinfo=tz) for hour in pair)
    return Shift(doctor=doctor, branch=branch, start_at=start, end_at=end)


def _refuse_overlap(shifts: list[Shift]) -> None:
    shifts.sort(key=lambda shift: shift.start_at)
    for before, after in pairwise(shifts):
        if after.start_at < before.end_at:
            raise ShiftsOverlap(_("Two shifts of one doctor overlap."))
