from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from staff.models.base import Sourced


class Tier(models.TextChoices):
    """The step of the product ladder (R37-R42)."""

    LEAD_MAGNET = "lead_magnet", _("lead magnet")
    TRIPWIRE = "tripwire", _("tripwire")
    CORE = "core", _("core")
    MAXIMIZER = "maximizer", _("profit maximiser")
    RETURN = "return", _("return")
    OTHER = "other", _("other")


class Service(Sourced):
    """A line of the price list: the one price source of offers and visits (R46). Money in minor units."""

    name = models.CharField(max_length=300)
    speciality = models.CharField(max_length=120, blank=True)
    tier = models.CharField(max_length=12, choices=Tier.choices, default=Tier.OTHER)
    price = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)  # direct variable cost of one
    minutes = models.PositiveSmallIntegerField(default=30)
    recall_days = models.PositiveSmallIntegerField(null=True, blank=True)  # when to invite again
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name
