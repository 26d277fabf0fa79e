"""What clinic.json sets on an empty installation, and only there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from mis.queries.folder import ClinicFile
from patients.models import Patient, Visit
from staff import actions as staff
from staff.access import Actor
from staff.models import Clinic


def is_empty() -> bool:
    """Whether the installation has no patients and no visits yet."""
    return not Patient.objects.exists() and not Visit.objects.exists()


@transaction.atomic
def set_up_clinic(*, said: ClinicFile | None, by: Actor, now: datetime) -> list[str]:
    """Take over clinic.json on an empty installation, else only tell how it differs (one line each).

    Days and figures go by the clinic's zone: changing it under stored visits would move them to other days.
    `went_live_at` is set at the first import, so that ten years of history send no message.
    """
    clinic = Clinic.objects.select_for_update().get(pk=1)
    empty = is_empty()
    changed: dict[str, Any] = {}
    differs = [name for name in _fields(said) if getattr(clinic, name) != getattr(said, name)]
    if empty:
        changed = {name: getattr(said, name) for name in differs}
        if clinic.went_live_at is None:
            changed["went_live_at"] = now
    if changed:
        Clinic.objects.filter(pk=1).update(**changed)
        staff.record(by=by, deed="set_up_clinic", now=now, object_kind="clinic", object_id=1, fields=changed)
    return [] if empty else [_kept(clinic, said, name) for name in differs]


def _fields(said: ClinicFile | None) -> list[str]:
    names = ["tz", "theta_days", "history_from"]
    if said is None:
        return []
    return [*names, "currency"] if said.currency else names


def _kept(clinic: Clinic, said: ClinicFile | None, name: str) -> str:
    values = {"name": name, "here": getattr(clinic, name), "there": getattr(said, name)}
    return _("clinic.json: %(name)s is %(there)s there and %(here)s here; kept as it is here") % values
