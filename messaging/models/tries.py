"""How the providers did lately: what the breaker and the page "Health" count by."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from patients.models.person import Transport


class TransportMinute(models.Model):
    """Calls of one transport that ended in one minute: all `tries`, and the `faults` among them that are the
    provider's (no answer, not taken, refused for a cause of its own). One upsert a batch; two days are kept.
    """

    transport = models.CharField(max_length=10, choices=Transport.choices)
    minute = models.DateTimeField()
    tries = models.PositiveIntegerField()
    faults = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transport", "minute"], name="messaging_transportminute_once")
        ]
