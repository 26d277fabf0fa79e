"""How figures, dates and components are written: in Russian, in English, for nothing known; and the two dark themes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

from core import formats

ROOT = Path(__file__).resolve().parents[2]
S = "\u00a0"


@pytest.fixture
def ru() -> Iterator[None]:
    with translation.override("ru"):
        yield


@pytest.fixture
def en() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("minor", "text"),
    [
        (123456700, f"1{S}234{S}567{S}₽"),
        (123450, f"1{S}234,50{S}₽"),
        (5, f"0,05{S}₽"),
        (0, f"0{S}₽"),
        (-9900, f"−99{S}₽"),
        (None, "—"),
    ],
)
def test_money_is_exact_and_hides_kopecks_only_when_there_are_none(ru: None, minor: int | None, text: str) -> None:
    assert formats.money(minor) == text


def test_money_in_english_changes_only_the_decimal_sign(en: None) -> None:
    assert formats.money(123450) == f"1{S}234.50{S}₽"
    assert formats.money(100000, "KZT") == f"1{S}000{S}₸"


def test_totals_round_half_away_from_zero(ru: None) -> None:
    assert formats.money_whole(123450) == f"1{S}235{S}₽"
    assert formats.money_whole(-123450) == f"−1{S}235{S}₽"
    assert formats.money_whole(-40) == f"0{S}₽"
    assert formats.money_whole(123450, plus=True) == f"+1{S}235{S}₽"


def test_a_share_has_one_digit_of_a_percent(ru: None) -> None:
    assert formats.percent(Decimal("0.4755")) == f"47,6{S}%"
    assert formats.percent("0.125", 0) == f"13{S}%"
    assert formats.percent(Decimal("-0.021"), plus=True) == f"−2,1{S}%"
    assert formats.percent(None) == "—"
    with translation.override("en"):
        assert formats.percent(Decimal("0.4755")) == "47.6%"


def test_axes_are_short(ru: None) -> None:
    assert formats.compact(9500) == f"9{S}500"
    with translation.override("en"):
        assert formats.compact(12_340) == "12.3K"
        assert formats.compact(1_200_000) == "1.2M"
        assert formats.compact_money(500_000_000) == f"5M{S}₽"
        assert formats.compact(-2_000_000_000) == "−2B"


def test_a_phone_is_grouped_and_a_foreign_one_left_alone() -> None:
    assert formats.phone("+79123456789") == f"+7{S}912{S}345-67-89"
    assert formats.phone("+998901234567") == "+998901234567"
    assert formats.phone("") == "—"


def test_dates_are_the_same_in_both_languages_and_local(en: None) -> None:
    at = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)
    with timezone.override("Europe/Moscow"):
        assert formats.day(at) == "22.11.2026"
        assert formats.moment(at) == f"22.11.2026{S}01:05"
        assert formats.clock(at) == "01:05"
    assert formats.day(date(2026, 11, 22)) == "22.11.2026"
    assert formats.day_long(date(2026, 11, 22)) == f"22{S}November{S}2026"
    with translation.override("ru"):
        assert formats.day_long(date(2026, 11, 22)) == f"22{S}ноября{S}2026"
    assert (formats.day(None), formats.moment(None), formats.clock(None)) == ("—", "—", "—")


def test_durations_read_like_the_running_timers() -> None:
    assert [formats.duration(seconds) for seconds in (0, 95, 3725, None)] == ["0:00", "1:35", "1:02:05", "—"]


def test_initials_come_from_the_first_two_words() -> None:
    assert formats.initials("Соколова Анна Петровна") == "СА"
    assert formats.initials("7 Иван") == "И"


def draw(text: str, **values: object) -> str:
    return Template("{% load look %}" + text).render(Context(values))


def test_an_icon_is_hidden_from_readers_unless_it_is_named() -> None:
    assert 'aria-hidden="true"' in draw('{% icon "phone" %}')
    named = draw('{% icon "phone" 20 label %}', label='a "b"')
    assert 'aria-label="a &quot;b&quot;"' in named
    assert "aria-hidden" not in named


def test_wrap_draws_a_component_round_its_body_and_lets_nothing_leak_in() -> None:
    html = draw('{% wrap "card" note="n" %}<i>{{ x }}</i>{% endwrap %}', x="<b>", title="leaks")
    assert "<i>&lt;b&gt;</i>" in html
    assert "leaks" not in html


def test_query_keeps_filters_and_drops_what_is_set_to_nothing(rf: object) -> None:
    request = rf.get("/", {"branch": "main", "after": "5"})  # type: ignore[attr-defined]
    assert draw('{% query sort="-paid" after=None %}', request=request) == "?branch=main&amp;sort=-paid"


def test_filters_work_in_templates(ru: None) -> None:
    assert draw("{{ m|money }} {{ s|percent1 }} {{ p|phone }}", m=100, s=0.5, p="+79123456789") == (
        f"1{S}₽ 50,0{S}% +7{S}912{S}345-67-89"
    )


def test_the_two_dark_blocks_of_the_tokens_are_equal() -> None:
    css = (ROOT / "static/css/tokens.css").read_text()
    by_system, by_choice = re.findall(r"color-scheme: dark;(.*?)}", css, re.S)
    assert by_system.split() == by_choice.split()


def test_style_sheets_take_their_colours_from_the_tokens() -> None:
    sheets = [path for path in (ROOT / "static/css").glob("*.css") if path.name != "tokens.css"]
    assert [path.name for path in sheets if re.search(r"#[0-9a-f]{3,8}\b|rgb\(", path.read_text())] == []


def test_every_token_that_is_used_exists() -> None:
    texts = [path.read_text() for path in (ROOT / "static/css").glob("*.css")]
    used = {name for text in texts for name in re.findall(r"var\((--[a-z0-9-]+)", text)}
    made = {name for text in texts for name in re.findall(r"^\s*(--[a-z0-9-]+):", text, re.M)}
    assert used - made == set()


def test_every_component_opens_with_a_comment_that_names_its_inputs() -> None:
    for path in (ROOT / "templates/components").rglob("*.html"):
        opening = path.read_text().split("{% endcomment %}")[0]
        assert opening.startswith("{% comment %}"), path.name
        assert "nput" in opening, path.name
