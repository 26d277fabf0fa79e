"""What the public doors ask: the words of a form, and how much came of an address or a phone lately."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from core.sealed import unseal
from funnel.models import LeadForm, LeadHook, LeadPost
from funnel.rules.public import NETWORK_LIMIT, PHONE_LIMIT
from patients.models import ConsentText


def words_of(form: LeadForm, language: str) -> dict[str, ConsentText]:
    """{purpose: the words in this language}; what is not written in it stands in the language that there is."""
    found: dict[str, ConsentText] = {}
    for text in form.texts.order_by("id"):
        if text.purpose not in found or text.language == language:
            found[text.purpose] = text
    return found


def posts_of_network(network: str, since: datetime, limit: int = NETWORK_LIMIT) -> int:
    """Posts of an address class since then, counted up to `limit`."""
    found = LeadPost.objects.filter(network=network, at__gt=since) if network else LeadPost.objects.none()
    return found[:limit].count()


def posts_of_phone(phone: str, since: datetime, limit: int = PHONE_LIMIT) -> int:
    """Posts with a phone (E.164) since then, counted up to `limit`."""
    found = LeadPost.objects.filter(lead__phone=phone, at__gt=since) if phone else LeadPost.objects.none()
    return found[:limit].count()


def secret_of(hook: LeadHook) -> str:
    """Raises `core.sealed.Damaged` where the key that sealed it is no longer in force."""
    return unseal(bytes(hook.secret), [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]).decode()
