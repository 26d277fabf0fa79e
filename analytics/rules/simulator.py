"""What-if (R12, R26, R103): stages multiply, chair hours limit, the result is patients and money, with its formula.

Everything is per period. Money in minor units as exact fractions, rounded once by whoever shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True)
class Business:
    """The clinic as it is, or as it might be.

    `paid_leads` grow with `spend`, `other_leads` do not. Rates are of the stage before. `first_money`: margin of a new
    patient in the horizon (LTV); `base_money`: margin of the period from patients who were there before; `repeat`: share of
    first-time patients who come again, to which the base's money is proportional. `free_seconds`: unsold time of shifts.
    """

    spend: Fraction
    paid_leads: Fraction
    other_leads: Fraction
    booked: Fraction
    came: Fraction
    paid: Fraction
    first_money: Fraction
    base_money: Fraction
    repeat: Fraction
    free_seconds: int | None = None
    visit_seconds: int = 1800


@dataclass(frozen=True)
class Outcome:
    """`arrivals` is what the chairs can take of `wanted`; `lost_to_chairs` is the rest. Money in minor units."""

    leads: Fraction
    wanted: Fraction
    arrivals: Fraction
    patients: Fraction
    acquired_money: Fraction
    base_money: Fraction
    spend: Fraction

    @property
    def lost_to_chairs(self) -> Fraction:
        return self.wanted - self.arrivals

    @property
    def money(self) -> Fraction:
        """Margin of new and old patients less the spend."""
        return self.acquired_money + self.base_money - self.spend

    @property
    def cac(self) -> Fraction | None:
        return self.spend / self.patients if self.patients else None

    @property
    def base_share(self) -> Fraction | None:
        whole = self.acquired_money + self.base_money
        return self.base_money / whole if whole else None


def outcome(now: Business, then: Business) -> Outcome:
    """`then` against `now`: leads × booked × came, no more than free chairs take above what comes already, × paid.

    Leads of advertising are proportional to the spend: an assumption that is told beside the result.
    """
    grown = then.spend / now.spend if now.spend else Fraction(1)
    leads = now.paid_leads * grown * _ratio(then.paid_leads, now.paid_leads) + then.other_leads
    wanted = leads * then.booked * then.came
    arrivals = wanted
    if then.free_seconds is not None:
        today = (now.paid_leads + now.other_leads) * now.booked * now.came
        arrivals = min(wanted, today + Fraction(then.free_seconds, then.visit_seconds))
    patients = arrivals * then.paid
    kept = _ratio(then.repeat, now.repeat)
    return Outcome(
        leads=leads,
        wanted=wanted,
        arrivals=arrivals,
        patients=patients,
        acquired_money=patients * then.first_money,
        base_money=now.base_money * kept,
        spend=then.spend,
    )


def without_advertising(now: Business) -> Outcome:
    """What would stay with advertising at zero (R26)."""
    return outcome(now, replace(now, spend=Fraction(0), paid_leads=Fraction(0)))


def _ratio(then: Fraction, now: Fraction) -> Fraction:
    return then / now if now else Fraction(1)
