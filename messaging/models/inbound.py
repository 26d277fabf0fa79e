"""What comes back: answers of patients, and the Telegram chats that they linked."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.outbox import Message
from patients.models import Patient
from patients.models.person import Transport
from staff.models import User


class Reply(models.Model):
    """One answer, or a message out of the blue. `event_id` makes a doubled webhook harmless.

    `answers` is the message that it surely answers; `patient` who surely wrote: one phone may be a family's, and then
    both stay empty and a person decides. `owners`: whose address it is (canonical patients). `answered_at` stops the
    timer of the inbox (R95); with it and without `answered_by` the machine needed nobody.
    """

    class Meaning(models.TextChoices):
        CONFIRM = "confirm", _("will come")
        CANCEL = "cancel", _("cannot come")
        STOP = "stop", _("wants no advertising")
        SCORE = "score", _("score of a visit")
        OTHER = "other", _("to be read by a person")

    transport = models.CharField(max_length=10, choices=Transport.choices)
    event_id = models.CharField(max_length=120)
    address = models.CharField(max_length=254)
    text = models.TextField()
    received_at = models.DateTimeField()
    answers = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="replies")
    patient = models.ForeignKey(Patient, models.SET_NULL, null=True, blank=True, related_name="replies")
    owners = models.ManyToManyField(Patient, related_name="+")
    meaning = models.CharField(max_length=8, choices=Meaning.choices, default=Meaning.OTHER)
    applied = models.BooleanField(default=False)  # the machine has done all that it asks for
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transport", "event_id"], name="messaging_reply_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["received_at", "id"], condition=models.Q(answered_at=None), name="messaging_reply_open"
            ),
            models.Index(fields=["patient", "-received_at", "-id"], name="messaging_reply_timeline"),
            models.Index(fields=["received_at"], name="messaging_reply_received"),
        ]


class TelegramChat(models.Model):
    """The chat of a patient, linked by himself with a code. One chat may be of several patients (a mother's)."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="telegram_chats")
    chat_id = models.BigIntegerField()
    linked_at = models.DateTimeField()
    unlinked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient"], condition=models.Q(unlinked_at=None), name="messaging_telegram_one_chat"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["chat_id"], condition=models.Q(unlinked_at=None), name="messaging_telegram_chat")
        ]


class TelegramCode(models.Model):
    """A one-time code of a deep link (t.me/<bot>?start=<code>): only its hash is kept."""

    code_hash = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
