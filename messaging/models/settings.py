"""Switches of automations and transports, and signs of life."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext as _

from patients.models.person import Transport


class AutomationSetting(models.Model):
    """Whether an automation runs, and how long it waits where the clinic chose another delay. One without a row runs."""

    code = models.CharField(max_length=40, unique=True)
    is_on = models.BooleanField(default=True)
    delay_minutes = models.PositiveIntegerField(null=True)  # None = as declared
    updated_at = models.DateTimeField()


class TransportSetting(models.Model):
    """What a person decided about a transport, and its breaker. One without a row is not paused and costs nothing.

    `position` orders transports when the patient named none; `price` is of one message (SMS: of one part), minor units.
    `for_adverts`, `for_service`: the legal switch with its `note` (72-FZ, 41-FZ): foreign messengers begin switched off
    for advertising. `fallback_minutes`: undelivered for so long, the next transport takes over; None = never.
    """

    transport = models.CharField(max_length=10, choices=Transport.choices, unique=True)
    paused = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    price = models.BigIntegerField(default=0)
    for_adverts = models.BooleanField(default=True)
    for_service = models.BooleanField(default=True)
    note = models.CharField(max_length=300, blank=True)
    fallback_minutes = models.PositiveIntegerField(null=True)
    broken_at = models.DateTimeField(null=True)  # when its error rate opened the breaker
    broken_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    @property
    def note_said(self) -> str:
        """The law that the product itself named, in the reader's letters; what a person noted, as he noted it."""
        return _("72-FZ") if self.note == "72-FZ" else self.note


class Heartbeat(models.Model):
    """When a thing that must happen again and again last happened: `tick`, `sent`."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()
