"""Addresses that stand in messages: absolute, signed, without anything personal."""

from __future__ import annotations

from django.conf import settings

from messaging.rules import links

UNSUBSCRIBE = "unsubscribe"
CLICK = "click"


def unsubscribe_url(message_id: int) -> str:
    """Where the addressee of this message stops advertising: no login, works from plain text."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/u/{links.signed(UNSUBSCRIBE, message_id, secret=settings.SECRET_KEY)}/"


def unsubscribing(code: str) -> int | None:
    """The message whose link this is; None for a forged one."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return links.unsigned(UNSUBSCRIBE, code, secrets=secrets)


def link_url(message_id: int) -> str:
    """The address of ours that counts the click and leads on to where the text's link leads."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/l/{links.signed(CLICK, message_id, secret=settings.SECRET_KEY)}/"


def clicked(code: str) -> int | None:
    """The message whose link this is; None for a forged one."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return links.unsigned(CLICK, code, secrets=secrets)
