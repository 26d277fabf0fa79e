"""What a patient is worth: facts per patient that can be dropped and rebuilt from visits and payments."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Patient
from staff.models import Doctor


def doctor_of_patient() -> Any:
    """Nobody lists patients by it, and every index more is built anew each night."""
    return models.ForeignKey(Doctor, models.SET_NULL, null=True, related_name="+", db_constraint=False, db_index=False)


class PatientValue(models.Model):
    """Value facts of one canonical patient as of `ValueBasis.as_of` (M01, M03, M04, M14, M28, M34). Minor units.

    Written by one statement, with a filter after a visit and without it for everybody (`loyalty.actions`). Nothing here
    is a truth of its own: dropping the table and rebuilding it changes no figure. At night most rows are made from the
    row of the day before, so what the raw rows say and what follows from it stand here side by side.
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
    first_doctor = doctor_of_patient()
    own_doctor = doctor_of_patient()  # M08, naive rule
    last_doctor = doctor_of_patient()  # whose speciality decides the threshold
    state = models.CharField(max_length=8, choices=State.choices, default=State.NONE)
    rule = models.CharField(max_length=40, blank=True)  # code of the rule that decided the state
    theta_days = models.PositiveSmallIntegerField(default=0)  # the θ that was used
    median_gap = models.PositiveIntegerField(null=True)  # M30: the patient's own rhythm, from three gaps on
    booked_at = models.DateTimeField(null=True)  # start of the next booked visit: "lost, booked"
    year_days = models.PositiveIntegerField(default=0)  # visit-days and money of the last 365 days (M28)
    year_money = models.BigIntegerField(default=0)
    rfm = models.CharField(max_length=3, blank=True)
    segment = models.CharField(max_length=16, blank=True)  # of M28
    refreshed_at = models.DateTimeField()  # when something in this row last changed, or was worked out anew

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


class ValueBasis(models.Model):
    """On what the facts of all patients stand: one row (id 1), written whenever they are made or turned to a new day."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    as_of = models.DateField()  # facts are true at the end of this local day
    drawn_at = models.DateTimeField()  # when all were last made from visits and payments
    definition = models.CharField(max_length=64)  # digest of the statement that made them, and of the zone
    rules = models.CharField(max_length=64)  # digest of the thresholds that their states were reckoned with

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="loyalty_basis_single")]


class StaleValue(models.Model):
    """A record that lost a visit, a payment or another record, written by triggers of the database.

    The change feed says what an object is now, so its reader finds whose it has become, but not whose it was. Rows are
    only added and taken away: no key over the patient, on which two writers would wait for each other.
    """

    patient_id = models.BigIntegerField()
