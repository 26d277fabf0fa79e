"""What people and other rooms tell the contact policy: addresses out of use, frozen advertising, budgets.

Whatever is written here holds for what is queued already: it is asked at the moment of sending.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from core.names import clean_text
from messaging.models import Budget, PromotionHold, Suppression
from messaging.rules.policy import MOST_COUNTED
from patients.actions.traces import user_id
from patients.models import Patient
from staff import actions as staff
from staff.access import Actor

Kind = Suppression.Kind


class NotOpen(Exception):
    """It was lifted before."""


class BadBudget(ValueError):
    """A number outside of its bounds; the text names the field."""


def same_address(address: str) -> str:
    """As addresses are compared: mail without regard to capitals."""
    return address.strip().lower()


@transaction.atomic
def suppress(*, transport: str, address: str, kind: str, detail: str, by: Actor, now: datetime) -> Suppression:
    """Take an address out of use; a second time changes nothing. The person does not see addresses in the audit log."""
    row, made = Suppression.objects.get_or_create(
        transport=transport,
        address=same_address(address),
        kind=kind,
        lifted_at=None,
        defaults={"since": now, "detail": clean_text(detail)[:200], "set_by_id": user_id(by)},
    )
    if made:
        staff.record(
            by=by, deed="suppress_addresses", now=now, object_kind="suppression", object_id=row.pk, note=f"set: {kind}"
        )
    return row


@transaction.atomic
def lift_suppression(*, suppression: Suppression, by: Actor, now: datetime, note: str = "") -> None:
    """Raises NotOpen. Lifting `unsubscribed` gives no consent back: the ledger is asked as well."""
    open_ = Suppression.objects.filter(pk=suppression.pk, lifted_at=None)
    if not open_.update(lifted_at=now, lifted_by_id=user_id(by)):
        raise NotOpen
    said = f"lifted: {suppression.kind} {clean_text(note)}".strip()
    staff.record(
        by=by, deed="suppress_addresses", now=now, object_kind="suppression", object_id=suppression.pk, note=said[:300]
    )


@transaction.atomic
def hold_promotions(
    *,
    patient: Patient,
    reason: str,
    key: str,
    by: Actor,
    now: datetime,
    until: datetime | None = None,
    note: str = "",
) -> PromotionHold:
    """No advertising for this patient from now on (R60, R122). `key` says once per what, so writing it twice is harmless;
    one that was lifted stays lifted."""
    row, made = PromotionHold.objects.get_or_create(
        key=key,
        defaults={
            "patient": patient,
            "reason": reason,
            "since": now,
            "until": until,
            "note": clean_text(note)[:300],
            "set_by_id": user_id(by),
        },
    )
    if made:
        _trace(row, "hold_promotions", by, now, f"set: {reason}")
    return row


@transaction.atomic
def lift_hold(*, hold: PromotionHold, by: Actor, now: datetime, note: str = "") -> None:
    """Raises NotOpen."""
    if not PromotionHold.objects.filter(pk=hold.pk, lifted_at=None).update(lifted_at=now, lifted_by_id=user_id(by)):
        raise NotOpen
    _trace(hold, "hold_promotions", by, now, f"lifted: {hold.reason} {clean_text(note)}".strip())


def _trace(hold: PromotionHold, deed: str, by: Actor, now: datetime, note: str) -> None:
    staff.record(
        by=by,
        deed=deed,
        now=now,
        object_kind="promotion_hold",
        object_id=hold.pk,
        patient_id=hold.patient_id,
        note=note[:300],
    )


BOUNDS = {"days": (1, 92), "contacts": (0, MOST_COUNTED), "promotions": (0, MOST_COUNTED), "gap_hours": (0, 92 * 24)}


@transaction.atomic
def save_budget(
    *, code: str, days: int, contacts: int, promotions: int, gap_hours: int, by: Actor, now: datetime
) -> Budget:
    """How many contacts a patient may get; holds from the next message on. Raises BadBudget."""
    numbers = {"days": days, "contacts": contacts, "promotions": promotions, "gap_hours": gap_hours}
    for name, (least, most) in BOUNDS.items():
        if not least <= numbers[name] <= most:
            raise BadBudget(name)
    row, _made = Budget.objects.update_or_create(code=code, defaults={**numbers, "updated_at": now})
    said = ", ".join(f"{name} {value}" for name, value in numbers.items())
    staff.record(
        by=by, deed="edit_budgets", now=now, object_kind="budget", object_id=row.pk, fields=list(numbers), note=said
    )
    return row
