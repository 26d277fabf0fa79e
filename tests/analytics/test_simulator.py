"""What-if: stages multiply, chairs limit, and nothing changes when nothing is changed."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from analytics.rules.simulator import Business, outcome, without_advertising

NOW = Business(
    spend=Fraction(100_000),
    paid_leads=Fraction(100),
    other_leads=Fraction(50),
    booked=Fraction(1, 2),
    came=Fraction(4, 5),
    paid=Fraction(3, 4),
    first_money=Fraction(10_000),
    base_money=Fraction(900_000),
    repeat=Fraction(3, 10),
)
SHARES = st.fractions(min_value=Fraction(1, 100), max_value=1)


def test_the_stages_multiply():
    found = outcome(NOW, NOW)
    assert (found.leads, found.arrivals, found.patients) == (150, 60, 45)
    assert found.acquired_money == 450_000
    assert found.money == 450_000 + 900_000 - 100_000
    assert found.cac == Fraction(100_000, 45)
    assert found.base_share == Fraction(900, 1350)


def test_a_tenth_more_at_each_of_four_stages_is_nearly_half_as_much_again():
    more = replace(
        NOW,
        paid_leads=NOW.paid_leads * Fraction(11, 10),
        other_leads=NOW.other_leads * Fraction(11, 10),
        booked=NOW.booked * Fraction(11, 10),
        came=NOW.came * Fraction(11, 10),
        paid=NOW.paid * Fraction(11, 10),
    )
    assert outcome(NOW, more).patients == 45 * Fraction(11, 10) ** 4


def test_chairs_limit_what_comes_above_today():
    wish = replace(NOW, booked=Fraction(1), free_seconds=10 * 1800, visit_seconds=1800)
    found = outcome(NOW, wish)
    assert (found.wanted, found.arrivals, found.lost_to_chairs) == (120, 70, 50)


def test_without_advertising_the_base_and_the_other_leads_stay():
    found = without_advertising(NOW)
    assert (found.spend, found.leads, found.patients) == (0, 50, 15)
    assert found.base_money == 900_000


@given(booked=SHARES, came=SHARES, paid=SHARES, free=st.integers(0, 10**7))
def test_more_is_never_less_and_never_more_than_the_chairs(booked, came, paid, free):
    then = replace(NOW, booked=booked, came=came, paid=paid, free_seconds=free)
    found = outcome(NOW, then)
    assert found.arrivals <= found.wanted
    assert found.arrivals <= 60 + Fraction(free, 1800)
    assert outcome(NOW, replace(then, free_seconds=free + 1800)).arrivals >= found.arrivals
