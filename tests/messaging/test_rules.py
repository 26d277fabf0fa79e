"""Quiet hours, segments, the closed language of texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import zone
from messaging.rules import texts
from messaging.rules.placeholders import BadTemplate, MissingValue, check, examples, filled, one_line
from messaging.rules.quiet import due_spans, is_quiet, night_ahead, opening
from messaging.rules.segments import segments

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ZONES = ["Europe/Kaliningrad", "Europe/Moscow", "Asia/Yekaterinburg", "Asia/Kamchatka", "Asia/Almaty", "Europe/Berlin"]
instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@calmly
@given(instants, st.sampled_from(ZONES))
def test_the_opening_is_never_quiet_never_early_and_at_most_a_night_away(at, tz):
    opens = opening(at, tz)
    assert not is_quiet(opens, tz) and at <= opens <= at + timedelta(hours=13)
    assert opens == at or opens.astimezone(zone(tz)).strftime("%H:%M") == "09:00"


@calmly
@given(instants, st.sampled_from(ZONES), st.sampled_from([timedelta(hours=2), timedelta(hours=24)]))
def test_every_visit_of_the_night_is_due_in_the_evening_before(at, tz, lead):
    night = night_ahead(at, tz)
    spans = due_spans(at, tz, lead)
    assert all(span.start < span.end for span in spans)
    if night is not None:
        middle = night.start + (night.end - night.start) / 2 + lead
        assert any(span.start <= middle < span.end for span in spans)


@pytest.mark.parametrize(
    ("text", "alphabet", "count", "left"),
    [
        ("", "GSM-7", 1, 160),
        ("a" * 160, "GSM-7", 1, 0),
        ("a" * 161, "GSM-7", 2, 145),
        ("€" * 80, "GSM-7", 1, 0),
        ("я" * 70, "UCS-2", 1, 0),
        ("я" * 71, "UCS-2", 2, 63),
        ("😀" * 35, "UCS-2", 1, 0),
        ("`", "UCS-2", 1, 69),
    ],
)
def test_segments_are_counted_as_the_operator_does(text, alphabet, count, left):
    found = segments(text)
    assert (found.alphabet, found.count, found.left) == (alphabet, count, left)


def test_an_optional_part_disappears_with_its_value_and_a_needed_value_is_needed():
    body = "[{first_name}, ]ждём вас в {time}[, {address}]."
    assert filled(body, {"first_name": "Анна", "time": "9:00"}) == "Анна, ждём вас в 9:00."
    with pytest.raises(MissingValue):
        filled(body, {"first_name": "Анна", "time": ""})


def test_a_value_is_never_read_as_a_placeholder():
    assert filled("{first_name}!", {"first_name": "{time} [x] {first_name.__class__}"}) == (
        "{time} [x] {first_name.__class__}!"
    )


@pytest.mark.parametrize(
    "body",
    ["", "  ", "{diagnosis}", "{first_name.__class__}", "{0}", "{first_name", "a } b", "[a [b]]", "a ]", "x" * 1001,
     "{{ first_name }}", "{% if x %}", "{first_name!r}"],
)  # fmt: skip
def test_anything_outside_of_the_closed_language_is_refused(body):
    with pytest.raises(BadTemplate):
        check(body)


@calmly
@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_people_write_either_is_refused_or_becomes_text(body, name):
    try:
        check(body)
        assert len(filled(body, examples("ru") | {"first_name": name or "x"})) <= 1000
    except BadTemplate:
        pass


def test_every_default_text_is_complete_and_tells_no_medical_secret():
    for (code, transport, language), words in texts.DEFAULTS.items():
        check(words.body)
        made = filled(words.body, examples(language))
        assert "{" not in made and "[" not in made, code
        assert not {"врач", "doctor", "приём у", "специал", "услуг", "диагноз"} & set(made.lower().split())
        if transport == "email":
            assert one_line(filled(words.subject, examples(language)))
        else:
            assert segments(made).count <= 3
