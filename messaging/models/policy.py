"""What the contact policy asks: addresses that must not be used, frozen promotions, budgets, approvals.

Rows of this room that higher rooms write (`loyalty` an open complaint, `campaigns` a strategy's budget): messaging never
asks upwards.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Patient
from patients.models.person import Transport
from staff.models import User


class Suppression(models.Model):
    """An address that may not be used. Facts of the address, whoever it belongs to; lifted, never deleted.

    `unsubscribed` stops advertising alone; the others stop everything on that transport.
    """

    class Kind(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed from advertising")
        BOUNCED = "bounced", _("the address does not exist")
        BLOCKED = "blocked", _("blocked by the operator or the user")
        WRONG_NUMBER = "wrong_number", _("the number belongs to somebody else")

    transport = models.CharField(max_length=10, choices=Transport.choices)
    address = models.CharField(max_length=254)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    since = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)
    set_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["transport", "address", "kind"],
                condition=models.Q(lifted_at=None),
                name="messaging_suppression_once",
            )
        ]


class PromotionHold(models.Model):
    """No advertising for this patient while it stands (R60, R122): the bad-day brake. Lifted, never deleted.

    `key` says once per what ("incident:12", "score:visit:7"), so that whoever writes it may write twice.
    """

    class Reason(models.TextChoices):
        COMPLAINT = "complaint", _("open complaint")
        LOW_SCORE = "low_score", _("unhappy with a visit")
        BEREAVEMENT = "bereavement", _("a loss in the family")
        BY_PERSON = "by_person", _("decided by a person")

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="promotion_holds")
    reason = models.CharField(max_length=12, choices=Reason.choices)
    key = models.CharField(max_length=80, unique=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)
    set_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["patient"], condition=models.Q(lifted_at=None), name="messaging_hold_open")
        ]


class Budget(models.Model):
    """How many contacts a patient may get (R123, beyond.md 9). Strategies write their own; `default` holds for the rest.

    A period is the `days` days before the moment of sending. `contacts` counts everything that goes out; when it is used
    up, medical messages and reminders still go, feedback and promotions wait. `promotions` is the part of it that may
    advertise (0 = none ever). `gap_hours`: between two promotions.
    """

    code = models.CharField(max_length=40, unique=True)
    days = models.PositiveSmallIntegerField(default=7)
    contacts = models.PositiveSmallIntegerField(default=5)
    promotions = models.PositiveSmallIntegerField(default=1)
    gap_hours = models.PositiveSmallIntegerField(default=48)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(days__gte=1, days__lte=92), name="messaging_budget_days")
        ]


class PatientBudget(models.Model):
    """Which budget a canonical patient has; no row = `default`. Written by strategies, a whole segment at once."""

    patient = models.OneToOneField(Patient, models.CASCADE, related_name="budget")
    budget = models.ForeignKey(Budget, models.CASCADE, related_name="patients")


class Approval(models.Model):
    """A named person lets an advertisement run (38-FZ art. 18 p. 2): one run (`campaign:12`), or one automation
    (`automation:birthday`) on the local days `first_day` to `last_day`.

    `texts` is the snapshot that was approved, {"sms:ru": {"body": …, "subject": …}}: what goes out is taken from here, so
    a later edit needs a new approval. `audience` = how many were due when it was given.
    """

    subject = models.CharField(max_length=60)
    first_day = models.DateField()
    last_day = models.DateField()
    texts = models.JSONField()
    text_hash = models.CharField(max_length=64)
    audience = models.PositiveIntegerField()
    approved_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject", "last_day"], name="messaging_approval_subject")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="messaging_approval_days"
            )
        ]
