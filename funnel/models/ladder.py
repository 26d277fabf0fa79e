"""The product ladder: which service was put on which step, and what a doctor said of a patient's next one (R37-R45)."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Patient, Service
from staff.models import Doctor, User


class LadderRules(models.Model):
    """How this clinic keeps its ladder and shows its prices: one row (id 1).

    `usual_days`: how long a person may stand on a step while too few went on to tell what is usual. `prices_shown`:
    whether the price list stands on a public page.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    usual_days = models.PositiveSmallIntegerField(
        default=90, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    prices_shown = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="funnel_ladderrules_single")]


class TierMark(models.Model):
    """Somebody looked at this service and chose its tier: tells "other" from "not classified yet"."""

    service = models.OneToOneField(Service, models.CASCADE, related_name="tier_mark")
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")


class Indication(models.Model):
    """A doctor's word on one service for one canonical patient: indicated, or forbidden; with the reason (R45).

    One open word a patient and service, so no service is indicated and forbidden at once. The reason is medical text.
    """

    class Kind(models.TextChoices):
        INDICATED = "indicated", _("indicated")
        FORBIDDEN = "forbidden", _("contraindicated")

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="indications")
    service = models.ForeignKey(Service, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "service"], condition=models.Q(closed_at=None), name="funnel_indication_open"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="funnel_indication_reason"),
            models.CheckConstraint(
                condition=models.Q(kind__in=("indicated", "forbidden")), name="funnel_indication_kind"
            ),
        ]
