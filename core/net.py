"""The one place that decides from which address a request comes (used by audit, lock-out and throttle)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network


def client_ip(meta: Mapping[str, str], trusted_proxies: frozenset[str]) -> str:
    """The peer's address, or the last hop before our own proxies. A stranger's X-Forwarded-For is never believed."""
    peer = meta.get("REMOTE_ADDR", "") or "unknown"
    if peer not in trusted_proxies:
        return peer
    for hop in reversed([part.strip() for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]):
        if hop not in trusted_proxies:
            return _valid(hop) or peer
    return peer


def class_of(address: str) -> str:
    """The address by which guesses are counted: an IPv6 network of one home is one (/64), else the address itself.

    Without a peer (a local socket) it is this machine's own: PostgreSQL keeps only real ones.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return "127.0.0.1"
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False).network_address)
    return str(found)


def _valid(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
