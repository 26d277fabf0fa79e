"""Days and times are read as people type them, and written in one way."""

from __future__ import annotations

import contextlib
from datetime import date, time, timedelta

import pytest
from django import forms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.days import NotADay, read_day, read_time
from core.fields import DayField, TimeField

TODAY = date(2026, 11, 25)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "future", "past"),
    [
        ("25.11.2026", "2026-11-25", "2026-11-25"),
        ("2026-11-26", "2026-11-26", "2026-11-26"),
        ("1.2", "2027-02-01", "2026-02-01"),
        ("25.11", "2026-11-25", "2026-11-25"),
        ("24,11", "2027-11-24", "2026-11-24"),
        ("01/12/26", "2026-12-01", "2026-12-01"),
        ("12.03.85", "2085-03-12", "1985-03-12"),
        ("12031985", "1985-03-12", "1985-03-12"),
        ("29.02", "2028-02-29", "2024-02-29"),
        ("5 мая", "2027-05-05", "2026-05-05"),
        ("5 марта 2027 г.", "2027-03-05", "2027-03-05"),
        ("7 August", "2027-08-07", "2026-08-07"),
        (" Завтра ", "2026-11-26", "2026-11-26"),
        ("yesterday", "2026-11-24", "2026-11-24"),
        ("пт", "2026-11-27", "2026-11-27"),
        ("среду", "2026-12-02", "2026-12-02"),
        ("+14", "2026-12-09", "2026-12-09"),
    ],
)
def test_a_day_is_read_as_it_was_meant(text: str, future: str, past: str):
    assert read_day(text, today=TODAY, lean="future") == date.fromisoformat(future)
    assert read_day(text, today=TODAY, lean="past") == date.fromisoformat(past)


@pytest.mark.parametrize(
    "text", ["", "31.02", "31.02.2026", "12", "2511", "32.1", "1.13.2026", "когда-нибудь", "5 ноль", "01.01.1800", "+"]
)
def test_what_names_no_day_is_refused(text: str):
    with pytest.raises(NotADay):
        read_day(text, today=TODAY, lean="future")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%d%m%Y", "%d/%m/%Y"]))
def test_a_whole_date_means_itself_whatever_day_it_is(day: date, form: str):
    text = day.strftime(form)
    assert {
        read_day(text, today=TODAY + timedelta(days=n), lean=lean) for n in (0, 400) for lean in ("past", "near")
    } == {day}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_day_or_none(text: str):
    with contextlib.suppress(NotADay):
        assert isinstance(read_day(text, today=TODAY, lean="past"), date)


@pytest.mark.parametrize(
    ("text", "at"),
    [("9", time(9)), ("930", time(9, 30)), ("0930", time(9, 30)), ("9.05", time(9, 5)), ("23:59", time(23, 59))],
)
def test_a_time_is_read_as_it_was_meant(text: str, at: time):
    assert read_time(text) == at


@pytest.mark.parametrize("text", ["", "24", "9:60", "утром", "9:5", "12345"])
def test_what_names_no_time_is_refused(text: str):
    with pytest.raises(NotADay):
        read_time(text)


class Form(forms.Form):
    day = DayField(lean="future")
    at = TimeField()


def test_what_was_typed_is_shown_again_as_the_day_that_it_meant():
    form = Form({"day": "1.2.27", "at": "930"})
    assert form.is_valid()
    assert form.cleaned_data == {"day": date(2027, 2, 1), "at": time(9, 30)}
    assert 'value="01.02.2027"' in str(form["day"])
    assert 'value="09:30"' in str(form["at"])


def test_what_cannot_be_read_stays_as_typed_with_the_reason():
    form = Form({"day": "31.02<", "at": "утром"})
    assert set(form.errors) == {"day", "at"}
    assert 'value="31.02&lt;"' in str(form["day"])
    assert 'value="утром"' in str(form["at"])


def test_tomorrow_is_reckoned_from_the_day_of_the_form():
    form = Form({"day": "завтра", "at": "9"})
    form.fields["day"].today = date(2030, 12, 31)
    assert form.is_valid()
    assert form.cleaned_data["day"] == date(2031, 1, 1)
