"""How messages leave. Each transport is an adapter behind one small interface (`messaging.transports.base`)."""

from __future__ import annotations

from django.conf import settings

from messaging.transports.base import Transport
from messaging.transports.mailbox import Mailbox
from messaging.transports.sink import Sink
from messaging.transports.sms_gateway import SmsGateway
from messaging.transports.smtp import Smtp

NAMES = ("sms", "email")


def configured() -> list[str]:
    """Transports that have a provider: in the demo all of them, for the local mailbox takes the rest."""
    given = {"sms": settings.SMS_GATEWAY_URL, "email": settings.EMAIL_URL}
    return [name for name in NAMES if given[name] or settings.DEMO]


def transport(name: str) -> Transport:
    """The adapter of that name. Without a provider: the demo's mailbox, elsewhere a sink that refuses and says why."""
    if name == "sms" and settings.SMS_GATEWAY_URL:
        return SmsGateway.from_settings()
    if name == "email" and settings.EMAIL_URL:
        return Smtp.from_settings()
    return Mailbox(name) if settings.DEMO and name in NAMES else Sink()
