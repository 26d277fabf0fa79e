"""The month that opens beside a field of a day."""

from __future__ import annotations

import re

import pytest

from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def month(client, settings):
    settings.REQUIRE_TOTP = False
    client.force_login(make.user("administrator"))
    return lambda wanted="": client.get(f"/month/?month={wanted}").content.decode()


def test_the_week_begins_on_monday_and_days_read_day_month_year(month):
    page = month("2026-11")
    assert re.findall(r'<abbr title="(\w+)"', page)[0] == "Понедельник"
    days = re.findall(r'data-day-value="([\d.]+)"', page)
    assert (days[0], days[6], len(days)) == ("26.10.2026", "01.11.2026", 42)
    assert "Ноябрь 2026" in page


def test_what_is_no_month_is_this_month(month):
    for wanted in ("", "2026-13", "x", "0001-01", "9999-12"):
        assert 'aria-current="date"' in month(wanted)


def test_no_form_uses_the_inputs_that_follow_the_browser_s_language():
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    files = [*root.glob("templates/**/*.html"), *(f for a in root.iterdir() if a.is_dir() and a.name.isidentifier()
             and a.name not in ("tests", "benchmarks", "var", "staticfiles") for f in a.rglob("*.py"))]  # fmt: skip
    native = re.compile(r"""["']?type["']?\s*[:=]\s*["'](date|time|month|week|datetime-local)["']|input_type = "date""")
    assert [str(file.relative_to(root)) for file in files if native.search(file.read_text(encoding="utf-8"))] == []
