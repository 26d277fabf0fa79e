"""What a message costs, in minor units: by our price list when it is handed over, then as the provider says."""

from __future__ import annotations

from messaging.rules.segments import segments


def size_and_cost(transport: str, text: str, price: int, told: int | None = None) -> tuple[int, int]:
    """(parts, minor units). An SMS costs `price` a part; anything else `price` a message and has no parts. `told` is what
    the provider named: it stands above our list."""
    parts = segments(text).count if transport == "sms" else 0
    return parts, price * max(parts, 1) if told is None else told
