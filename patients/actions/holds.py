"""A time kept for somebody while he says who he is. Taken under the lock of the doctor's row, as a booking is."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from patients.actions.booking import SlotTaken, lock_doctors, lock_room
from patients.models import BusyTime, SlotHold, Visit
from patients.queries.slots import Slot, nearest_free


class TooManyHolds(Exception):
    """This address keeps enough times for now: a program must not be able to reserve the whole day."""


LIVE_AT_ONCE, MADE_A_DAY = 5, 60  # of one address: a family behind one router books a few, a program many


@transaction.atomic
def hold_slot(*, slot: Slot, address: str, until: datetime, now: datetime) -> SlotHold:
    """Keep `slot` until then. Raises SlotTaken (with the nearest free times), TooManyHolds."""
    lock_doctors(slot.doctor_id)
    lock_room(slot.room_id)
    _require_modest(address, now)
    if _is_taken(slot, now):
        minutes = max(5, int((slot.end_at - slot.start_at).total_seconds() // 60))
        raise SlotTaken(nearest_free(slot.doctor_id, slot.start_at, minutes, now))
    return SlotHold.objects.create(
        doctor_id=slot.doctor_id,
        room_id=slot.room_id,
        start_at=slot.start_at,
        end_at=slot.end_at,
        address=address[:64],
        created_at=now,
        expires_at=until,
    )


def _require_modest(address: str, now: datetime) -> None:
    made = SlotHold.objects.filter(address=address[:64])
    live = made.live(now).count()
    if live >= LIVE_AT_ONCE or made.filter(created_at__gt=now - timedelta(days=1)).count() >= MADE_A_DAY:
        raise TooManyHolds


def _is_taken(slot: Slot, now: datetime) -> bool:
    whose = Q(doctor_id=slot.doctor_id) | (Q(room_id=slot.room_id) if slot.room_id else Q(pk__in=[]))
    span = {"start_at__lt": slot.end_at, "end_at__gt": slot.start_at}
    return (
        Visit.objects.filter(whose, **span).holding_slot().exists()
        or SlotHold.objects.live(now).filter(whose, **span).exists()
        or BusyTime.objects.filter(doctor_id=slot.doctor_id, is_busy=True, **span).exists()
    )


def release(*, hold_id: int | None, now: datetime) -> None:
    """He chose another time, or went away. A hold that is over already is no fault."""
    if hold_id is not None:
        SlotHold.objects.filter(pk=hold_id).update(expires_at=now)


def forget_old_holds(*, now: datetime) -> int:
    """Holds of more than a day ago: they limit nobody any more. Returns their number."""
    return SlotHold.objects.filter(created_at__lt=now - timedelta(days=1), expires_at__lt=now).delete()[0]
