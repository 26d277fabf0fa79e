"""By what a lead is known to have come from a channel, and what a channel's advertising was seen by (R35, R89, R104)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Channel
from staff.models.base import Sourced


class ChannelMark(models.Model):
    """A sign that gives a lead its channel: a UTM source (and medium, campaign), a promo code, a tracking number.

    `value` is folded to lower case (a number: E.164); empty `medium` and `campaign` match any. The most exact rule wins.
    """

    class Kind(models.TextChoices):
        UTM = "utm", _("UTM tag")
        PROMO = "promo", _("promo code")
        NUMBER = "number", _("tracking number")
        REFERRER = "referrer", _("site that the visitor came from")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    value = models.CharField(max_length=120)
    medium = models.CharField(max_length=120, blank=True)
    campaign = models.CharField(max_length=120, blank=True)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="marks")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "value", "medium", "campaign"], name="funnel_mark_once")
        ]


class Traffic(Sourced):
    """What a channel's advertising did on a day: how many people saw it (reach) and how many clicked (traffic)."""

    channel = models.ForeignKey(Channel, models.PROTECT, null=True, blank=True, related_name="traffic")
    date = models.DateField()
    reach = models.PositiveBigIntegerField(default=0)
    clicks = models.PositiveBigIntegerField(default=0)

    class Meta(Sourced.Meta):
        indexes: ClassVar = [models.Index(fields=["date"], name="funnel_traffic_date")]
