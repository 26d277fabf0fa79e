"""The words of consent that are shown at the desk, by version: what was shown is stored with the fact (R28, R29)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class ConsentText:
    """`version` changes whenever a word does."""

    version: str
    text: object  # str, or a lazy translation of one


TEXTS = {
    "processing": ConsentText(
        "desk-processing-1", _("I agree that the clinic processes my personal data to provide medical care.")
    ),
    "marketing": ConsentText("desk-marketing-1", _("I agree to receive advertising of the clinic by the ways marked.")),
    "health_offers": ConsentText(
        "desk-health-1", _("I agree to receive offers that are chosen by data about my health.")
    ),
}


def text_of(purpose: str) -> ConsentText:
    """The text for that purpose; an empty one for purposes that need none (service messages)."""
    return TEXTS.get(purpose, ConsentText("", ""))
