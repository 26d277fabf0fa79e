"""The words of consent that are shown at the desk, by version: what was shown is stored with the fact (R28, R29)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class ShownText:
    """`version` changes whenever a word does."""

    version: str
    text: object  # str, or a lazy translation of one


TEXTS = {
    "processing": ShownText(
        "desk-processing-1", _("I agree that the clinic processes my personal data to provide medical care.")
    ),
    "marketing": ShownText("desk-marketing-1", _("I agree to receive advertising of the clinic by the ways marked.")),
    "health_offers": ShownText(
        "desk-health-1", _("I agree to receive offers that are chosen by data about my health.")
    ),
}


def text_of(purpose: str) -> ShownText:
    """The text for that purpose; an empty one for purposes that need none (service messages)."""
    return TEXTS.get(purpose, ShownText("", ""))


SKEW = timedelta(minutes=5)  # of another system's clock
# What another system names as proof that a person agreed to advertising in that way.
PROOFS = {
    "form": _("name the IP address from which the form was sent"),
    "call": _("give the link of the recording"),
}
LINK = re.compile(r"https?://\S+")


def lacks_proof(how: str, evidence: str) -> bool:
    """Whether `evidence` (not empty) is not what such a way of agreeing leaves behind."""
    if how == "form":
        return not any(_is_ip(word.strip("[]();,")) for word in re.split(r"[\s=,;]+", evidence))
    return how == "call" and LINK.search(evidence) is None


def _is_ip(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True


class BadScan(ValueError):
    """Not a PDF, PNG or JPEG, or larger than ten megabytes."""


LARGEST_SCAN = 10 * 1024 * 1024
KINDS = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def kind_of_scan(content: bytes) -> str:
    """The media type by the first bytes, whatever its name says. Raises BadScan."""
    kind = next((kind for start, kind in KINDS.items() if content.startswith(start)), "")
    if not kind or len(content) > LARGEST_SCAN:
        raise BadScan
    return kind
