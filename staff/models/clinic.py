from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from staff.models.base import Sourced


class Source(models.Model):
    """A system that records come from: this product (`crm`, id 1), an MIS, a file."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.code


class Clinic(models.Model):
    """Settings of this installation: exactly one row (id 1). Money is in one reporting currency."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=200, default="", blank=True)
    tz = models.CharField(max_length=64, default="Europe/Moscow")
    currency = models.CharField(max_length=3, default="RUB")
    theta_days = models.PositiveSmallIntegerField(
        default=395, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )  # M14: days without a visit after which a patient is lost
    history_from = models.DateField(null=True, blank=True)  # first date with complete data (left truncation)
    went_live_at = models.DateTimeField(null=True, blank=True)  # visits before it get no messages
    natural_allowance_percent = models.PositiveSmallIntegerField(default=3)  # α of M15
    sending_paused = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="staff_clinic_single")]


class LossRule(models.Model):
    """θ for one speciality where it differs from the clinic's (M14)."""

    speciality = models.CharField(max_length=120, unique=True)
    theta_days = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(3650)])


class Branch(Sourced):
    name = models.CharField(max_length=200)
    tz = models.CharField(max_length=64)
    phone_region = models.CharField(max_length=2, default="RU")  # how phones without + are read
    address = models.CharField(max_length=300, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    opens_at = models.TimeField(null=True, blank=True)  # local; both empty: nobody said when the phone is answered
    closes_at = models.TimeField(null=True, blank=True)
    work_days = models.CharField(max_length=7, default="1234567")  # ISO weekdays, 1 = Monday
    is_default = models.BooleanField(default=False)  # takes the rows that name no branch

    class Meta(Sourced.Meta):
        constraints: ClassVar = [
            *Sourced.Meta.constraints,
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="staff_branch_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Doctor(Sourced):
    name = models.CharField(max_length=200)
    speciality = models.CharField(max_length=120, blank=True, db_index=True)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="doctors")
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Room(Sourced):
    """A room with a chair or a machine: two visits cannot be in it at once."""

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="rooms")
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Shift(Sourced):
    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="shifts", db_index=False)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    room = models.ForeignKey(Room, models.SET_NULL, null=True, blank=True, related_name="+")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()

    class Meta(Sourced.Meta):
        indexes: ClassVar = [models.Index(fields=["doctor", "start_at"], name="staff_shift_doctor_start")]
        constraints: ClassVar = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(condition=models.Q(end_at__gte=models.F("start_at")), name="staff_shift_order"),
        ]
