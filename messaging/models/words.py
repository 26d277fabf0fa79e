"""Reasons in words where the transport matters: each has an address of its own."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from patients.models.person import Transport

NO_ADDRESS = {
    Transport.SMS: _("no phone number"),
    Transport.CALL: _("no phone number"),
    Transport.EMAIL: _("no e-mail address"),
    Transport.TELEGRAM: _("Telegram is not linked"),
}


def in_words(reason: TextChoices, transport: str) -> str:
    """A `Reason` for a message by that transport."""
    missing = NO_ADDRESS.get(Transport(transport)) if reason == "no_address" and transport else None
    return str(missing or reason.label)
