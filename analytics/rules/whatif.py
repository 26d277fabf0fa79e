"""The formula by hand (R2, R3, M05): sales are per year, the relationship is in months, so divide by 12."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

KOPECK = Decimal("0.01")


@dataclass(frozen=True)
class WhatIf:
    """`full`: margin, `simple`: revenue of one patient over the whole relationship, in roubles."""

    full: Decimal
    simple: Decimal


def what_if(*, check: Decimal, sales: Decimal, months: Decimal, share: Decimal) -> WhatIf:
    """3000 roubles, 4 sales a year, 30 months, 35 % -> full 10 500.00, simple 30 000.00. One rounding, at the end."""
    simple = check * sales * months / 12
    full = simple * share / 100
    return WhatIf(full.quantize(KOPECK, ROUND_HALF_UP), simple.quantize(KOPECK, ROUND_HALF_UP))
