"""Calls as a telephony provider tells of them, and the lines they come by (R96)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models.lead import Lead
from patients.models import Patient, WorkItem
from staff.models import Branch, Source, User
from staff.models.base import Sourced


class TelephonyLine(models.Model):
    """How a provider reaches us and how we ask it. `secret`: sealed JSON of {secret, key, salt, token}.

    `addresses`: where its events may come from, addresses or networks; empty = anywhere. `polled_until`: calls that began
    before it have been fetched; `asked`: under which key a provider makes its statistics ready, up to `asked_until`.
    `fault`: why the latest attempt gave nothing, in the provider's words.
    """

    class Kind(models.TextChoices):
        MANGO = "mango", "Mango Office"
        UIS = "uis", "UIS, CoMagic, Novofon"
        GENERIC = "generic", _("another, by signed requests")

    source = models.OneToOneField(Source, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    secret = models.BinaryField()
    addresses = models.JSONField(default=list, blank=True)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    url = models.CharField(max_length=200, blank=True)  # of the provider's API; empty: events only
    polled_until = models.DateTimeField(null=True, blank=True)
    asked = models.CharField(max_length=120, blank=True)
    asked_until = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()


class Operator(models.Model):
    """Who sits at an extension (or is an employee's id) of a line."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    extension = models.CharField(max_length=60)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "extension"], name="funnel_operator_once")]


class Call(Sourced):
    """One call, folded from its events. `external_id` is the provider's. Phones are E.164, "" = hidden or not a phone.

    `outcome` is empty while it goes on. A missed incoming call is settled when the number was talked to later
    (`called_back_at`) or a person says why not (`explained_reason`).
    """

    class Direction(models.TextChoices):
        IN = "in", _("incoming")
        OUT = "out", _("outgoing")
        INTERNAL = "internal", _("internal")

    class Outcome(models.TextChoices):
        ANSWERED = "answered", _("answered")
        MISSED = "missed", _("missed")
        BUSY = "busy", _("busy")
        REJECTED = "rejected", _("rejected")
        FAILED = "failed", _("failed")

    direction = models.CharField(max_length=8, choices=Direction.choices, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, blank=True)
    from_number = models.CharField(max_length=20, blank=True)
    to_number = models.CharField(max_length=20, blank=True)
    called_number = models.CharField(max_length=20, blank=True)  # ours that was dialled: tells the channel
    extension = models.CharField(max_length=60, blank=True)
    operator = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="calls")
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    talk_seconds = models.PositiveIntegerField(null=True, blank=True)
    recording = models.CharField(max_length=500, blank=True)  # a link, or the provider's id of it
    lead = models.ForeignKey(Lead, models.SET_NULL, null=True, blank=True, related_name="calls")
    patient = models.ForeignKey(Patient, models.SET_NULL, null=True, blank=True, related_name="calls")
    missed_item = models.ForeignKey(WorkItem, models.SET_NULL, null=True, blank=True, related_name="missed_calls")
    called_back_at = models.DateTimeField(null=True, blank=True)
    explained_reason = models.CharField(max_length=300, blank=True)
    explained_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    explained_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta(Sourced.Meta):
        indexes: ClassVar = [
            models.Index(fields=["-started_at", "-id"], name="funnel_call_started"),
            models.Index(fields=["from_number", "started_at"], name="funnel_call_from"),
            models.Index(fields=["to_number", "started_at"], name="funnel_call_to"),
            models.Index(
                fields=["started_at", "id"],
                condition=models.Q(
                    direction="in", outcome__in=["missed", "busy", "rejected", "failed"], called_back_at=None
                ),
                name="funnel_call_waiting",
            ),
        ]
        constraints: ClassVar = [
            *Sourced.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(explained_at=None, explained_reason="")
                | (models.Q(explained_at__isnull=False) & ~models.Q(explained_reason="")),
                name="funnel_call_explained",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("started_at")),
                name="funnel_call_order",
            ),
        ]

    @property
    def other_number(self) -> str:
        """Of the person outside."""
        return self.to_number if self.direction == self.Direction.OUT else self.from_number


class CallEvent(models.Model):
    """What was said of a call, kept as it was understood (`funnel.rules.calls.Said`); never changed. Once an event."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="events")
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_index=False)
    event_id = models.CharField(max_length=160)
    said = models.JSONField()
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "event_id"], name="funnel_callevent_once")]
