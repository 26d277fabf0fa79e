"""Working seconds: what they add up to, over clock changes and past midnight."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.rules.hours import Hours, is_open, working_seconds

DAY = Hours(time(9), time(20), "12345")
NIGHT = Hours(time(22), time(6), "1234567")
ZONES = ["Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Almaty", "Africa/Cairo", "Australia/Lord_Howe"]
moments = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))
lengths = st.integers(0, 20 * 86400).map(lambda seconds: timedelta(seconds=seconds))
times = st.times().map(lambda at: at.replace(microsecond=0))
hours = st.builds(Hours, times, times, st.sets(st.sampled_from("1234567")).map(lambda days: "".join(sorted(days))))


def at(text: str, tz: str = "+03:00") -> datetime:
    return datetime.fromisoformat(f"{text}{tz}")


@pytest.mark.parametrize(
    ("start", "end", "rule", "seconds"),
    [
        ("2026-03-02T10:00:00", "2026-03-02T10:02:00", DAY, 120),
        ("2026-03-02T08:59:00", "2026-03-02T09:01:00", DAY, 60),
        ("2026-03-06T19:59:00", "2026-03-09T09:01:00", DAY, 120),  # Friday evening to Monday morning
        ("2026-03-07T10:00:00", "2026-03-07T18:00:00", DAY, 0),  # a Saturday
        ("2026-03-02T23:00:00", "2026-03-03T01:00:00", NIGHT, 7200),
        ("2026-03-02T05:00:00", "2026-03-02T23:00:00", NIGHT, 7200),
        ("2026-03-02T10:00:00", "2026-03-02T09:00:00", DAY, 0),
        ("2026-03-02T10:00:00", "2026-03-03T10:00:00", Hours(None, None), 86400),
    ],
)
def test_only_the_time_in_which_the_phone_is_answered_counts(start, end, rule, seconds):
    assert working_seconds(at(start), at(end), "Europe/Moscow", rule) == seconds


def test_the_night_of_a_clock_change_is_an_hour_shorter_or_longer():
    night = Hours(time(0), time(6))
    spring = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)
    assert working_seconds(*spring, "Europe/Berlin", night) == 5 * 3600
    assert working_seconds(*autumn, "Europe/Berlin", night) == 7 * 3600


@given(moments, lengths, st.sampled_from(ZONES), hours)
def test_never_below_zero_nor_longer_than_the_clock(start, length, tz, rule):
    assert 0 <= working_seconds(start, start + length, tz, rule) <= length.total_seconds()


@given(moments, lengths, lengths, st.sampled_from(ZONES), hours)
def test_two_waits_one_after_the_other_add_up(start, first, second, tz, rule):
    middle = start.replace(microsecond=0) + first
    whole = working_seconds(start.replace(microsecond=0), middle + second, tz, rule)
    parts = working_seconds(start.replace(microsecond=0), middle, tz, rule) + working_seconds(
        middle, middle + second, tz, rule
    )
    assert whole == parts


@given(moments, lengths, st.sampled_from(ZONES), times)
def test_at_all_hours_every_second_counts(start, length, tz, opens):
    start = start.replace(microsecond=0)
    assert working_seconds(start, start + length, tz, Hours(opens, opens)) == length.total_seconds()


@given(moments, st.sampled_from(ZONES), hours)
def test_a_second_counts_when_it_is_open_at_its_beginning(start, tz, rule):
    start = start.replace(microsecond=0)
    assert working_seconds(start, start + timedelta(seconds=1), tz, rule) == int(is_open(start, tz, rule))
