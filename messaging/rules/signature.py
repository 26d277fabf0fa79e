"""Signed delivery reports: hex HMAC-SHA256 over `timestamp.raw body`, good for five minutes."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

TOLERANCE = timedelta(minutes=5)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_signed(*, secret: str, timestamp: str, signature: str, body: bytes, now: datetime) -> bool:
    """False without a secret, for a forged signature, and for a time more than five minutes away from `now`."""
    stamped = instant_of(timestamp)
    if not secret or stamped is None or abs(now - stamped) > TOLERANCE:
        return False
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.strip().lower().encode())


def instant_of(text: object) -> datetime | None:
    """ISO 8601 (UTC where it names no offset) or seconds since 1970; None for anything else."""
    try:
        if isinstance(text, int | float) or str(text).replace(".", "", 1).isdigit():
            return datetime.fromtimestamp(float(str(text)), UTC)
        value = datetime.fromisoformat(str(text))
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
