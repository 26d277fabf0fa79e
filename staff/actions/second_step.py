"""The second step of signing in: set up, checked, recovered."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from staff.access import Actor
from staff.actions.audit import record
from staff.models import CodeDevice, RecoveryCodes, User

Device = CodeDevice | RecoveryCodes


@transaction.atomic
def begin_second_step(*, user: User) -> CodeDevice:
    """A fresh unconfirmed device; an earlier unconfirmed one is forgotten. Its key is shown now and never again."""
    CodeDevice.objects.filter(user=user, confirmed=False).delete()
    device = CodeDevice.fresh(user.pk)
    device.save()
    return device


@transaction.atomic
def confirm_second_step(*, user: User, code: str, by: Actor, now: datetime) -> tuple[CodeDevice, list[str]] | None:
    """The first right code makes the new device the person's only one: answers it and ten recovery codes. Else None."""
    device = CodeDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None or not device.verify_token(code):
        return None
    CodeDevice.objects.filter(user=user, confirmed=True).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    codes = _renew(user)
    record(by=by, deed="set_up_second_step", now=now, object_kind="user", object_id=user.pk)
    return device, codes


def _renew(user: User) -> list[str]:
    kept, _made = RecoveryCodes.objects.get_or_create(user=user, defaults={"name": "recovery", "confirmed": True})
    codes: list[str] = kept.renew()
    return codes


@transaction.atomic
def renew_recovery_codes(*, user: User, code: str, by: Actor, now: datetime) -> list[str] | None:
    """Ten new recovery codes for a right code of the app; the old ones stop working. Else None."""
    if check_second_step(user=user, code=code) is None:
        return None
    codes = _renew(user)
    record(by=by, deed="renew_recovery_codes", now=now, object_kind="user", object_id=user.pk)
    return codes


@transaction.atomic
def check_second_step(*, user: User, code: str) -> Device | None:
    """The device that accepts `code`: six digits are the app's, anything else a recovery code. None = wrong.

    Each code works once: the device's row is locked, so two at the same moment cannot both pass. Wrong codes make the
    device wait longer and longer (django-otp's throttle).
    """
    text = code.replace(" ", "")
    model: type[Device] = CodeDevice if text.isdecimal() and len(text) == 6 else RecoveryCodes
    device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
    return device if device is not None and device.verify_token(text) else None
