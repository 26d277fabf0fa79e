from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.person import Patient
from patients.models.price import Service
from staff.models import Branch, Doctor, Room, User
from staff.models.base import Sourced


class VisitQuerySet(models.QuerySet["Visit"]):
    def holding_slot(self) -> VisitQuerySet:
        """Those that occupy the doctor's time: everything but cancelled and no-show."""
        return self.filter(status__in=Visit.HOLDING)

    def overlapping(self, start: object, end: object) -> VisitQuerySet:
        """Half-open [start, end): back-to-back is no overlap."""
        return self.filter(start_at__lt=end, end_at__gt=start)


class Visit(Sourced):
    """An appointment and, once `completed`, the visit it became. A moved one keeps its id.

    Derived, written with the facts by `patients.actions` and by nobody else: `day` (local date of `start_at` in the
    clinic's zone), `amount` and `cost` (sums of the items, minor units).
    """

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        ARRIVED = "arrived", _("arrived")
        COMPLETED = "completed", _("completed")
        NO_SHOW = "no_show", _("no-show")
        CANCELLED_PATIENT = "cancelled_patient", _("cancelled by patient")
        CANCELLED_CLINIC = "cancelled_clinic", _("cancelled by clinic")

    HOLDING: ClassVar = ("scheduled", "arrived", "completed")
    CANCELLED: ClassVar = ("cancelled_patient", "cancelled_clinic")

    class NoNextReason(models.TextChoices):
        """Why a visit ended without the next booking (R50)."""

        COURSE_OVER = "course_over", _("treatment finished")
        WILL_CALL = "will_call", _("will call himself")
        NO_SLOT = "no_slot", _("no suitable time")
        PRICE = "price", _("too expensive")
        UNHAPPY = "unhappy", _("unhappy with the visit")
        DOCTOR_SAID_NONE = "doctor_said_none", _("the doctor named no next visit")
        OTHER = "other", _("other")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="visits", db_index=False)
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="visits", db_index=False)
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="visits", db_index=False)
    room = models.ForeignKey(Room, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    status = models.CharField(max_length=18, choices=Status.choices, default=Status.SCHEDULED)
    booked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    day = models.DateField()
    arrived_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=300, blank=True)
    diagnosis = models.CharField(max_length=10, blank=True)  # ICD-10; behind the deed see_medical
    recommended_return_date = models.DateField(null=True, blank=True)
    goal = models.CharField(max_length=300, blank=True)  # what this visit is for, in the patient's words
    next_visit = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="previous_visits")
    no_next_reason = models.CharField(max_length=20, choices=NoNextReason.choices, blank=True)
    amount = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)
    may_overlap = models.BooleanField(default=False)  # came from another system: exempt from the constraint
    app_offered = models.BooleanField(null=True)  # R34
    cabinet_explained = models.BooleanField(null=True)
    questionnaire_given = models.BooleanField(null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)  # when we learnt of it: what the sweep looks at
    followed_up_at = models.DateTimeField(null=True, blank=True)

    objects = VisitQuerySet.as_manager()

    class Meta(Sourced.Meta):
        indexes: ClassVar = [
            # The covering index of every per-patient fact (performance.md "B2").
            models.Index(
                fields=["patient", "start_at"],
                include=["status", "day", "cost", "doctor", "branch", "booked_at", "external_id", "id"],
                name="patients_visit_patient",
            ),
            models.Index(fields=["doctor", "start_at"], name="patients_visit_doctor"),
            models.Index(fields=["branch", "day"], name="patients_visit_branch"),
            models.Index(
                fields=["room", "start_at"], condition=models.Q(room__isnull=False), name="patients_visit_room"
            ),
            models.Index(fields=["day"], name="patients_visit_day"),
            models.Index(
                fields=["recorded_at"],
                condition=models.Q(followed_up_at=None),
                name="patients_visit_to_follow",
            ),
            models.Index(
                fields=["recommended_return_date"],
                condition=models.Q(recommended_return_date__isnull=False),
                name="patients_visit_recall",
            ),
            # Written down after they began: almost none. The night asks which of them have begun to count.
            models.Index(
                fields=["booked_at"], condition=models.Q(booked_at__gt=models.F("start_at")), name="patients_visit_late"
            ),
        ]
        constraints: ClassVar = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(condition=models.Q(end_at__gte=models.F("start_at")), name="patients_visit_order"),
            models.CheckConstraint(
                condition=models.Q(cancelled_at=None)
                | models.Q(
                    cancelled_at__gte=models.F("booked_at"), status__in=("cancelled_patient", "cancelled_clinic")
                ),
                name="patients_visit_cancelled",
            ),
        ]


class VisitItem(Sourced):
    """A service rendered in a visit: `amount` and `cost` are of the whole line, minor units."""

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="items", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="+", db_index=False)
    quantity = models.PositiveIntegerField(default=1)
    amount = models.BigIntegerField()
    cost = models.BigIntegerField(default=0)

    class Meta(Sourced.Meta):
        indexes: ClassVar = [
            models.Index(
                fields=["visit"], include=["service", "quantity", "amount", "cost"], name="patients_item_visit"
            )
        ]


class Recommendation(Sourced):
    """What the doctor advises next: by indication, never by pushing (R45)."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="recommendations")
    visit = models.ForeignKey(Visit, models.CASCADE, null=True, blank=True, related_name="recommendations")
    doctor = models.ForeignKey(Doctor, models.SET_NULL, null=True, blank=True, related_name="+")
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True, related_name="+")
    due_date = models.DateField(null=True, blank=True)
    indication = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
