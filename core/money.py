"""Money is an integer of minor units (kopecks); one rounding, at the very end, half away from zero (metrics.md 1)."""

from __future__ import annotations

import re
from typing import TypedDict

MONEY = re.compile(r"^(-?)(\d{1,15})(?:\.(\d{1,2}))?$")
MAX_MINOR = 10**14  # 1 000 000 000 000.00: far above any bill, far below what an 8-byte sum can hold


def parse_money(text: str) -> int:
    """'123.45' -> 12345. Raises ValueError for anything but a decimal string of at most two digits."""
    match = MONEY.match(text.strip())
    if not match:
        raise ValueError(f"not an amount of money: {text!r}")
    sign, whole, cents = match.groups()
    minor = int(whole) * 100 + int((cents or "0").ljust(2, "0"))
    if minor > MAX_MINOR:
        raise ValueError(f"amount too large: {text!r}")
    return -minor if sign else minor


def round_half_away(num: int, den: int) -> int:
    """num/den to the nearest integer, halves away from zero. den > 0."""
    quotient, rest = divmod(abs(num), den)
    result = quotient + (1 if 2 * rest >= den else 0)
    return -result if num < 0 else result


def decimal_text(num: int, den: int, digits: int) -> str | None:
    """num/den as a string with `digits` decimals, or None when den is 0 (metrics.md "Zero denominator")."""
    if den == 0:
        return None
    if den < 0:
        num, den = -num, -den
    scaled = round_half_away(num * 10**digits, den)
    whole, part = divmod(abs(scaled), 10**digits)
    text = f"{whole}.{part:0{digits}d}" if digits else str(whole)
    return f"-{text}" if scaled < 0 else text


def money_text(minor: int) -> str:
    """12345 -> '123.45'."""
    return decimal_text(minor, 100, 2) or "0.00"


def mean_money(minor: int, count: int) -> str | None:
    """Sum of minor units / count as a decimal string, rounded once; None for count 0."""
    return decimal_text(minor, 100 * count, 2)


class Ratio(TypedDict):
    num: int
    den: int
    value: str | None


def ratio(num: int, den: int, digits: int = 6) -> Ratio:
    """The `{num, den, value}` of metrics.md: exact integers, never reduced, value rounded to `digits`."""
    return {"num": num, "den": den, "value": decimal_text(num, den, digits)}
