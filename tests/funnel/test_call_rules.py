"""A call is the same whatever order its events come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations

from funnel.rules.calls import ANSWERED, BUSY, IN, MISSED, WEIGHT, Said, build_call

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


RINGS = Said("c", "1", at(0), IN, "+79001112233", "", "+74951234567", started_at=at(0))
RINGS_AT_7 = Said("c", "2", at(2), IN, extension="7")
TALKS = Said("c", "3", at(9), IN, extension="8", answered_at=at(9))
ENDS = Said("c", "4", at(69), ended_at=at(69), talk_seconds=60, outcome=MISSED)  # one leg of it was missed
RECORDED = Said("c", "5", at(80), recording="https://records.example/5.mp3")
ALL = (RINGS, RINGS_AT_7, TALKS, ENDS, RECORDED)


def test_every_order_and_repeats_build_the_same_call() -> None:
    right = build_call(ALL)
    assert (right.outcome, right.extension, right.talk_seconds) == (ANSWERED, "8", 60)
    assert (right.started_at, right.answered_at, right.ended_at) == (at(0), at(9), at(69))
    assert all(build_call((*order, *order[:2])) == right for order in permutations(ALL))


def test_one_more_event_never_takes_anything_back() -> None:
    for size in range(1, len(ALL)):
        for known in combinations(ALL, size):
            before = build_call(known)
            for more in ALL:
                after = build_call((*known, more))
                assert WEIGHT[after.outcome] >= WEIGHT[before.outcome]
                assert after.started_at <= before.started_at
                assert before.answered_at is None or (after.answered_at and after.answered_at <= before.answered_at)


def test_a_call_that_ended_and_nobody_took_is_missed() -> None:
    assert build_call([RINGS]).outcome == ""
    assert build_call([RINGS, Said("c", "9", at(30), ended_at=at(30))]).outcome == MISSED
    assert build_call([RINGS, Said("c", "9", at(30), ended_at=at(30), outcome=BUSY)]).outcome == BUSY
