"""The one place that decides from which address a request comes (used by audit, lock-out and throttle)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address


def client_ip(meta: Mapping[str, str], trusted_proxies: frozenset[str]) -> str:
    """The peer's address, or the last hop before our own proxies. A stranger's X-Forwarded-For is never believed."""
    peer = meta.get("REMOTE_ADDR", "") or "unknown"
    if peer not in trusted_proxies:
        return peer
    for hop in reversed([part.strip() for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]):
        if hop not in trusted_proxies:
            return _valid(hop) or peer
    return peer


def _valid(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
