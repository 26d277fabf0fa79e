"""How the clinic is booked online, set by those who answer for all of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import BookingRules
from staff import actions as staff
from staff.access import Actor
from staff.actions.people import NotAllowed


@transaction.atomic
def change_booking_rules(*, fields: Mapping[str, Any], by: Actor, now: datetime) -> BookingRules:
    """New rules; what stays as it was leaves no trace. Raises NotAllowed for whoever is bound to one branch."""
    if by.branch_id is not None:
        raise NotAllowed(_("Only those who answer for all branches can change this."))
    rules, _made = BookingRules.objects.select_for_update().get_or_create(pk=1)
    changed = [name for name, value in fields.items() if getattr(rules, name) != value]
    if changed:
        for name in changed:
            setattr(rules, name, fields[name])
        rules.save(update_fields=changed)
        staff.record(
            by=by, deed="change_booking_rules", now=now, object_kind="booking_rules", object_id=1, fields=changed
        )
    return rules
