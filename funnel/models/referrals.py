"""A patient sent by one doctor to a colleague or to a speciality of the same clinic (R54)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Patient, Visit
from staff.models import Branch, Doctor, User


class InternalReferral(models.Model):
    """To a doctor or to a speciality, one of the two. Whether he booked, came and paid is read from the facts.

    `closed_why` says why nobody has to remind him any more; it is no result: `expired` is written when its 90 days
    are over, `booked` when a booking that answers it was found.
    """

    class Why(models.TextChoices):
        BOOKED = "booked", _("booked")
        DECLINED = "declined", _("the patient declined")
        NOT_NEEDED = "not_needed", _("not needed any more")
        EXPIRED = "expired", _("its time ran out")

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="referrals_inside")
    visit = models.ForeignKey(Visit, models.SET_NULL, null=True, blank=True, related_name="+")
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")  # where it was made
    from_doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="+")
    to_doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, blank=True, related_name="+")
    to_speciality = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=300, blank=True)  # medical; behind the deed see_medical
    made_at = models.DateTimeField(db_index=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_why = models.CharField(max_length=12, choices=Why.choices, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["made_at"], condition=models.Q(closed_at=None), name="funnel_referral_open"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(to_doctor=None) & ~models.Q(to_speciality="")
                | models.Q(to_doctor__isnull=False, to_speciality=""),
                name="funnel_referral_to",
            ),
            models.CheckConstraint(
                condition=models.Q(to_doctor=None) | ~models.Q(to_doctor=models.F("from_doctor")),
                name="funnel_referral_colleague",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None, closed_why="")
                | (models.Q(closed_at__isnull=False) & ~models.Q(closed_why="")),
                name="funnel_referral_closed",
            ),
            models.UniqueConstraint(
                fields=["patient", "from_doctor", "to_doctor"],
                condition=models.Q(closed_at=None, to_doctor__isnull=False),
                name="funnel_referral_doctor_once",
            ),
            models.UniqueConstraint(
                fields=["patient", "from_doctor", "to_speciality"],
                condition=models.Q(closed_at=None, to_doctor=None),
                name="funnel_referral_speciality_once",
            ),
        ]
