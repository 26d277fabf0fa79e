"""What a patient is worth: facts per patient that can be dropped and rebuilt from visits and payments."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Patient
from staff.models import Doctor


class PatientValue(models.Model):
    """Value facts of one canonical patient as of `as_of` (M01, M03, M04, M14, M28, M34). Money in minor units.

    Written by one statement, with a filter after a visit and without it at night (`loyalty.actions`). Nothing here is a
    truth of its own: dropping the table and rebuilding it changes no figure.
    """

    class State(models.TextChoices):
        """The churn clock."""

        NONE = "none", _("no visit yet")
        ACTIVE = "active", _("active")
        COOLING = "cooling", _("cooling down")
        AT_RISK = "at_risk", _("at risk")
        LOST = "lost", _("lost")
        NATURAL = "natural", _("natural churn")

    # No constraints in the database: checking them row by row would cost as much as the whole rebuild, and adding them
    # to a new table would hold up whoever writes patients. The statement takes the ids from those tables themselves.
    patient = models.OneToOneField(Patient, models.CASCADE, primary_key=True, related_name="value", db_constraint=False)
    as_of = models.DateField()
    visits = models.PositiveIntegerField(default=0)
    visit_days = models.PositiveIntegerField(default=0)
    paid_visits = models.PositiveIntegerField(default=0)
    paid_sum = models.BigIntegerField(default=0)  # net over paid visits: average check = paid_sum / paid_visits
    revenue = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)
    first_day = models.DateField(null=True)  # d0
    last_day = models.DateField(null=True)  # dl
    second_day = models.DateField(null=True)  # the day on which a primary patient became a permanent one (R24)
    revenue_12 = models.BigIntegerField(default=0)  # money with month index < 12, 36, 60 (R4)
    revenue_36 = models.BigIntegerField(default=0)
    revenue_60 = models.BigIntegerField(default=0)
    margin_12 = models.BigIntegerField(default=0)
    margin_36 = models.BigIntegerField(default=0)
    margin_60 = models.BigIntegerField(default=0)
    first_doctor = models.ForeignKey(Doctor, models.SET_NULL, null=True, related_name="+", db_constraint=False)
    own_doctor = models.ForeignKey(  # M08, naive rule
        Doctor, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.NONE)
    rule = models.CharField(max_length=40, blank=True)  # code of the rule that decided the state
    theta_days = models.PositiveSmallIntegerField(default=0)  # the θ that was used
    median_gap = models.PositiveIntegerField(null=True)  # M30: the patient's own rhythm, from three gaps on
    booked_at = models.DateTimeField(null=True)  # start of the next booked visit: "lost, booked"
    year_days = models.PositiveIntegerField(default=0)  # visit-days and money of the last 365 days (M28)
    year_money = models.BigIntegerField(default=0)
    rfm = models.CharField(max_length=3, blank=True)
    segment = models.CharField(max_length=16, blank=True)  # of M28
    refreshed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-revenue", "patient"], name="loyalty_value_top"),
            models.Index(fields=["state", "-revenue", "patient"], name="loyalty_value_state"),
            models.Index(fields=["segment", "-revenue", "patient"], name="loyalty_value_segment"),
        ]

    @property
    def margin(self) -> int:
        return self.revenue - self.cost


class RfmScale(models.Model):
    """Where the scores of M28 began when all patients were last ranked: `score` from `minimum` on.

    `minimum` is a day number for R, visit-days for F, minor units for M. With it one patient is scored without ranking
    all the others.
    """

    measure = models.CharField(max_length=1, choices=[("r", "R"), ("f", "F"), ("m", "M")])
    score = models.PositiveSmallIntegerField()
    steps = models.PositiveSmallIntegerField()  # above the score before it: some scores nobody has
    minimum = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["measure", "score"], name="loyalty_rfmscale_once"),
        ]
