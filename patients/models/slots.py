from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models

from staff.models import Branch, Doctor, Room
from staff.models.base import Sourced


class BusyTime(Sourced):
    """One line of a timetable that another system keeps. A busy one holds the doctor's time as a visit does; a free one
    is kept too: that the system says so is what makes its timetable fresh."""

    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="+", db_index=False)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    is_busy = models.BooleanField(default=True)

    class Meta(Sourced.Meta):
        indexes: ClassVar = [
            models.Index(fields=["doctor", "start_at"], include=["end_at", "is_busy"], name="patients_busy_doctor")
        ]
        constraints: ClassVar = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(condition=models.Q(end_at__gte=models.F("start_at")), name="patients_busy_order"),
        ]


class SlotHoldQuerySet(models.QuerySet["SlotHold"]):
    def live(self, now: datetime) -> SlotHoldQuerySet:
        return self.filter(expires_at__gt=now)


class SlotHold(models.Model):
    """A time that somebody is about to book: nobody else gets it until `expires_at`. Made and taken under the lock of the
    doctor's row; what is over holds nothing, whether it was swept away or not. `address`: whose browser it was."""

    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="+", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, null=True, blank=True, related_name="+")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    address = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = SlotHoldQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["doctor", "start_at"], name="patients_hold_doctor"),
            models.Index(fields=["address", "created_at"], name="patients_hold_address"),
            models.Index(fields=["expires_at"], name="patients_hold_expires"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(end_at__gt=models.F("start_at")), name="patients_hold_order"),
        ]
