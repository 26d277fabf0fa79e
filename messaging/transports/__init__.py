"""How messages leave. Each transport is an adapter behind one small interface (`messaging.transports.base`)."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from messaging.transports.base import Transport
from messaging.transports.mailbox import Mailbox
from messaging.transports.sink import Sink
from messaging.transports.sms_gateway import SmsGateway
from messaging.transports.smsc import Smsc
from messaging.transports.smtp import Smtp
from messaging.transports.telegram import Telegram

NAMES = ("sms", "email", "telegram")


def _smpp() -> Transport:
    from messaging.transports.smpp import Smpp  # only who speaks SMPP loads its library

    return Smpp.from_settings()


# Who carries SMS: the scheme of SMS_GATEWAY_URL says which contract the provider speaks.
SMS: dict[str, Callable[[], Transport]] = {
    "http": SmsGateway.from_settings,
    "https": SmsGateway.from_settings,
    "smsc+http": Smsc.from_settings,
    "smsc+https": Smsc.from_settings,
    "smpp": _smpp,
    "smpps": _smpp,
}


def _sms() -> Transport:
    """Raises ValueError for a scheme that nobody speaks."""
    scheme = settings.SMS_GATEWAY_URL.partition("://")[0].lower()
    if scheme not in SMS:
        raise ValueError(f"SMS_GATEWAY_URL: nothing speaks {scheme!r}; known are {', '.join(SMS)}")
    return SMS[scheme]()


def _given() -> dict[str, str]:
    """The setting of each transport; empty = no provider."""
    return {"sms": settings.SMS_GATEWAY_URL, "email": settings.EMAIL_URL, "telegram": settings.TELEGRAM_BOT_TOKEN}


def configured() -> list[str]:
    """Transports that have a provider: in the demo all of them, for the local mailbox takes the rest."""
    given = _given()
    return [name for name in NAMES if given[name] or settings.DEMO]


def transport(name: str) -> Transport:
    """The adapter of that name. Without a provider: the demo's mailbox, elsewhere a sink that refuses and says why."""
    if name in NAMES and _given()[name]:
        return ADAPTERS[name]()
    return Mailbox(name) if settings.DEMO and name in NAMES else Sink()


def listens(name: str) -> bool:
    """Whether its provider waits to be asked for receipts and answers, instead of calling us."""
    return name == "sms" and settings.SMS_GATEWAY_URL.partition("://")[0].lower() in ("smpp", "smpps")


ADAPTERS: dict[str, Callable[[], Transport]] = {
    "sms": _sms,
    "email": Smtp.from_settings,
    "telegram": Telegram.from_settings,
}
