"""A visit as a relay: who hands the patient to whom, and where the baton was dropped (R49, R50, R53, R55)."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Visit
from staff.models import Doctor, User


class BreakReason(models.TextChoices):
    HURRY = "hurry", _("the patient was in a hurry")
    NOBODY = "nobody", _("nobody was free to take over")
    NOT_NEEDED = "not_needed", _("the step was not needed")
    FORGOTTEN = "forgotten", _("forgotten")
    OTHER = "other", _("another reason")


class RelayTemplate(models.Model):
    """The chain of a speciality (empty: of every other one). `kinds`: of HandoffStep.Kind, in order; none = no chain."""

    speciality = models.CharField(max_length=120, blank=True, unique=True)
    kinds = models.JSONField(default=list)
    limit_minutes = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )  # handed, but taken by nobody: dropped after that


class Relay(models.Model):
    """The hand-off of one visit. Complete = every step acknowledged or not needed; else `break_reason` says why not.

    Without steps it only keeps what was said of a visit that no chain fits.
    """

    visit = models.OneToOneField(Visit, models.CASCADE, related_name="relay")
    limit_minutes = models.PositiveSmallIntegerField(default=10)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")  # the administrator
    break_reason = models.CharField(max_length=12, choices=BreakReason.choices, blank=True)
    break_note = models.CharField(max_length=300, blank=True)
    broken_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    presented = models.BooleanField(null=True)  # R55: the clinic was presented before the patient left


class HandoffStep(models.Model):
    """One passing of the baton: not handed → handed → acknowledged, or dropped with a reason."""

    class Kind(models.TextChoices):
        ADMIN_DOCTOR = "admin_doctor", _("administrator to doctor")
        DOCTOR_PROCEDURE = "doctor_procedure", _("doctor to ultrasound or procedure")
        DOCTOR_CURATOR = "doctor_curator", _("doctor to curator")
        CURATOR_ADMIN = "curator_admin", _("curator to administrator")
        DOCTOR_ADMIN = "doctor_admin", _("doctor to administrator")

    relay = models.ForeignKey(Relay, models.CASCADE, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    from_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    to_role = models.CharField(max_length=16)
    to_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    to_doctor = models.ForeignKey(Doctor, models.SET_NULL, null=True, blank=True, related_name="+")
    handed_at = models.DateTimeField(null=True, blank=True)
    late_at = models.DateTimeField(null=True, blank=True)  # handed_at + the limit of the relay
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)
    drop_reason = models.CharField(max_length=12, choices=BreakReason.choices, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["relay", "position"], name="funnel_handoffstep_once"),
            models.CheckConstraint(
                condition=models.Q(acknowledged_at=None)
                | models.Q(handed_at__isnull=False, acknowledged_at__gte=models.F("handed_at")),
                name="funnel_handoffstep_order",
            ),
            models.CheckConstraint(
                condition=models.Q(acknowledged_at=None) | models.Q(dropped_at=None), name="funnel_handoffstep_one_end"
            ),
            models.CheckConstraint(
                condition=models.Q(dropped_at=None, drop_reason="")
                | (models.Q(dropped_at__isnull=False) & ~models.Q(drop_reason="")),
                name="funnel_handoffstep_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(handed_at=None, late_at=None)
                | models.Q(handed_at__isnull=False, late_at__isnull=False),
                name="funnel_handoffstep_limit",
            ),
        ]
