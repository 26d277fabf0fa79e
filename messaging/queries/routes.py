"""In which order transports are tried: those with a provider that may carry this purpose, by position, then price."""

from __future__ import annotations

from datetime import datetime

from messaging.models import TransportSetting
from messaging.transports import NAMES, configured
from patients.models.contact import ADVERTISES


def transport_settings() -> dict[str, TransportSetting]:
    """Of every transport; one that nobody has ever decided about as it is by default (not saved)."""
    found = {row.transport: row for row in TransportSetting.objects.filter(transport__in=NAMES)}
    return {name: found.get(name) or TransportSetting(transport=name) for name in NAMES}


def is_allowed(setting: TransportSetting, purpose: str) -> bool:
    """The legal switch."""
    return setting.for_adverts if purpose in ADVERTISES else setting.for_service


def routes(purpose: str) -> list[str]:
    """Best first. Where the law's switches leave none, all that have a provider: the policy then ends the message with
    the reason."""
    given, ready = transport_settings(), configured()
    ready.sort(key=lambda name: (given[name].position, given[name].price, NAMES.index(name)))
    return [name for name in ready if is_allowed(given[name], purpose)] or ready


def working_routes(purpose: str, now: datetime) -> list[str]:
    """Those of `routes` that also carry something now: not paused by a person, their breaker closed."""
    given = transport_settings()
    waiting = {n for n, row in given.items() if row.paused or is_broken(row, now)}
    return [name for name in routes(purpose) if name not in waiting and is_allowed(given[name], purpose)]


def is_broken(setting: TransportSetting, now: datetime) -> bool:
    """The breaker is open: nothing is sent before `broken_until`, then one small batch tries."""
    return setting.broken_at is not None and setting.broken_until is not None and setting.broken_until > now
