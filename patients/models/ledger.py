from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.person import Patient
from patients.models.visit import Visit
from staff.models.base import Sourced


class Payment(Sourced):
    """Money as rows: payment, refund (tied to its payment) or payment with bonus points, always positive, minor units.

    Derived, written with the facts: `day` = local date of `paid_at` in the clinic's zone; `value_day` = `day` of a
    payment, of a refund that of the payment it refunds (metrics.md "Value date").
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("payment")
        REFUND = "refund", _("refund")
        BONUS = "bonus", _("points")

    class Method(models.TextChoices):
        CASH = "cash", _("cash")
        CARD = "card", _("card")
        TRANSFER = "transfer", _("transfer")
        INSURER = "insurer", _("insurer")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="payments", db_index=False)
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="payments", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    method = models.CharField(max_length=10, choices=Method.choices, blank=True)
    paid_at = models.DateTimeField()
    day = models.DateField()
    value_day = models.DateField()
    amount = models.BigIntegerField()
    refund_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="refunds")

    class Meta(Sourced.Meta):
        indexes: ClassVar = [
            models.Index(
                fields=["patient", "value_day"], include=["kind", "paid_at", "amount"], name="patients_payment_patient"
            ),
            models.Index(
                fields=["visit"],
                include=["kind", "paid_at", "amount", "patient"],
                condition=models.Q(visit__isnull=False),
                name="patients_payment_visit",
            ),
            models.Index(fields=["day"], include=["kind", "amount"], name="patients_payment_day"),
        ]
        constraints: ClassVar = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="patients_payment_positive"),
            models.CheckConstraint(
                condition=models.Q(kind="refund", refund_of__isnull=False) | ~models.Q(kind="refund"),
                name="patients_payment_refund_of",
            ),
        ]


class Allocation(models.Model):
    """Prepaid money (certificate, deposit, insurer) that pays for a visit. It moves nothing: money stays the payer's."""

    payment = models.ForeignKey(Payment, models.CASCADE, related_name="allocations", db_index=False)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="allocations")
    amount = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payment", "visit"], name="patients_allocation_once"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="patients_allocation_positive"),
        ]
