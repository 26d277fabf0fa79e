"""What a person edits of a text, its picture, and how often its link was opened."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from messaging.models.outbox import Message
from patients.models.person import Transport
from staff.models import User


class Picture(models.Model):
    """A picture of an e-mail, found by what it holds: an approved text keeps showing the picture that was approved."""

    hash = models.CharField(max_length=64, primary_key=True)  # SHA-256 of the content
    content = models.BinaryField()
    content_type = models.CharField(max_length=20)
    added_at = models.DateTimeField()


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
    promotion = models.TextField(blank=True)  # the small block below useful content (R73)
    link = models.CharField(max_length=500, blank=True)  # https: where {link} leads to
    picture = models.ForeignKey(Picture, models.PROTECT, null=True, blank=True, related_name="+")  # of an e-mail (R72)
    without_warning = models.CharField(max_length=200, blank=True)  # why the medical warning may be missing
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "transport", "language"], name="messaging_template_once")
        ]


class LinkClick(models.Model):
    """How often the link of one message was opened: by people, and by programs that look at links before people do.

    One row a message, so that nobody can fill the table by opening a link again and again.
    """

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="clicks")
    people = models.PositiveIntegerField(default=0)
    bots = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField(null=True)  # of a person
    last_at = models.DateTimeField()
