"""Short signed codes for links in messages: `<number in base 36>-<132 bits of HMAC>`. Bound to one purpose.

A code proves that we made it for this number and this purpose; it cannot be guessed, and a code for clicks does not
unsubscribe anybody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
LONGEST = 40  # of a code that we could have made: 12 digits, a dash, 22 characters of MAC
MAC = 22


def signed(purpose: str, number: int, *, secret: str) -> str:
    """The code of a row id (≥ 0)."""
    return f"{_base36(number)}-{_mac(purpose, number, secret)}"


def unsigned(purpose: str, code: str, *, secrets: Sequence[str]) -> int | None:
    """The number, or None for anything that was not signed for this purpose with one of `secrets`."""
    digits, dash, mac = code.partition("-")
    if not dash or not digits or len(code) > LONGEST or not digits.isascii() or not digits.isalnum():
        return None
    number = int(digits, 36)
    given = mac.encode()
    fits = [hmac.compare_digest(_mac(purpose, number, secret).encode(), given) for secret in secrets]
    return number if any(fits) else None


def _mac(purpose: str, number: int, secret: str) -> str:
    digest = hmac.new(secret.encode(), f"messaging.link:{purpose}:{number}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()[:MAC]


def _base36(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = DIGITS[rest] + text
    return text or "0"
