"""Acquisition begins with what it costs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Channel
from staff.models.base import Sourced


class Spend(Sourced):
    """Money spent on a day to win patients (acquisition) or to keep them (retention). Minor units.

    `campaign_code` is the external id of a campaign: campaigns stand in a higher room. A line is never
    deleted: one of the same day with the amount below zero takes it back (`reversal_of`), so sums are right.
    """

    class Purpose(models.TextChoices):
        ACQUISITION = "acquisition", _("acquisition")
        RETENTION = "retention", _("retention")

    channel = models.ForeignKey(Channel, models.PROTECT, null=True, blank=True, related_name="spend")
    campaign_code = models.CharField(max_length=120, blank=True)
    date = models.DateField()
    amount = models.BigIntegerField()
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    note = models.CharField(max_length=300, blank=True)
    reversal_of = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversal")

    class Meta(Sourced.Meta):
        indexes: ClassVar = [
            models.Index(fields=["date"], include=["channel", "amount", "purpose"], name="funnel_spend_date")
        ]
        constraints: ClassVar = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(amount__gte=0) | models.Q(reversal_of__isnull=False), name="funnel_spend_positive"
            ),
        ]
