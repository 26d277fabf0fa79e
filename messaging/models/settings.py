from __future__ import annotations

from typing import ClassVar

from django.db import models

from patients.models.person import Transport
from staff.models import User


class Template(models.Model):
    """A text that a person edited. What is not here comes from the declared default (`messaging.rules.texts`).

    The language of a body is closed: `{placeholder}` from a fixed list and `[optional part]`; it never reaches a
    template engine (`messaging.rules.placeholders`).
    """

    code = models.CharField(max_length=40)
    transport = models.CharField(max_length=10, choices=Transport.choices)
    language = models.CharField(max_length=2)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "transport", "language"], name="messaging_template_once")
        ]


class AutomationSetting(models.Model):
    """Whether an automation runs. One without a row runs."""

    code = models.CharField(max_length=40, unique=True)
    is_on = models.BooleanField(default=True)
    updated_at = models.DateTimeField()


class TransportSetting(models.Model):
    """A transport that a person paused. One without a row is not paused."""

    transport = models.CharField(max_length=10, choices=Transport.choices, unique=True)
    paused = models.BooleanField(default=False)
    updated_at = models.DateTimeField()


class Heartbeat(models.Model):
    """When a thing that must happen again and again last happened: `tick`, `sent`."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()
