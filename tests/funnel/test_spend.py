"""Spend: lines by hand, taken back and never deleted; what a new patient costs; the page."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.metrics import compute
from funnel import actions
from funnel.models import Spend
from funnel.queries.spend import spend_by_month, spend_lines
from patients.metrics import Period
from staff.models import AuditEntry, Change
from tests import make

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def enter(client, settings):
    settings.REQUIRE_TOTP = False

    def entered(role: str = "marketer"):
        client.force_login(make.user(role), backend="django.contrib.auth.backends.ModelBackend")
        client.cookies["language"] = "en"
        return client

    return entered


def line(amount: int = 10000, day: date = date(2026, 2, 3), **fields) -> Spend:
    return actions.add_spend(
        **(
            {
                "day": day,
                "channel": None,
                "purpose": "acquisition",
                "amount": amount,
                "by": make.actor(),
                "now": make.NOW,
            }
            | fields
        )
    )


def test_a_line_by_hand_is_written_told_and_noted():
    made = line(channel=make.channel())
    assert Change.objects.filter(resource="spend", object_id=made.pk).count() == 1
    assert AuditEntry.objects.latest("id").deed == "add_spend"


def test_a_line_is_taken_back_by_a_line_below_zero():
    made = line()
    back = actions.take_back_spend(spend=made, by=make.actor(), now=make.NOW)
    assert (back.amount, back.date, back.reversal_of_id) == (-10000, made.date, made.pk)
    assert Spend.objects.count() == 2
    assert spend_by_month(YEAR) == {(date(2026, 2, 1), None): 0}


def test_nothing_is_taken_back_twice():
    made = line()
    back = actions.take_back_spend(spend=made, by=make.actor(), now=make.NOW)
    for one in (made, back):
        with pytest.raises(actions.AlreadyTakenBack):
            actions.take_back_spend(spend=one, by=make.actor(), now=make.NOW)
    assert Spend.objects.count() == 2


def test_a_line_taken_back_costs_nothing():
    channel = make.channel()
    make.visit(make.patient(channel=channel), start=make.NOW - timedelta(days=3))
    made = line(channel=channel)
    period = {"from": "2026-01-01", "to": "2026-12-31", "as_of": "2026-12-31"}
    assert compute("cac", period, make.NOW)["blended"]["cac"] == "100.00"
    actions.take_back_spend(spend=made, by=make.actor(), now=make.NOW)
    assert compute("cac", period, make.NOW)["blended"]["cac"] == "0.00"


def test_lines_come_latest_first_and_page_by_page():
    for number in range(7):
        line(day=date(2026, 3, 1 + number // 2))
    first = spend_lines(YEAR, size=3)
    second = spend_lines(YEAR, after=first.after, size=3)
    third = spend_lines(YEAR, after=second.after, size=3)
    keys = [(row.date, row.pk) for page in (first, second, third) for row in page.rows]
    assert len(keys) == 7 and keys == sorted(keys, reverse=True)
    assert third.after is None


def test_the_page_adds_a_line_and_goes_back_to_its_year(enter):
    client, channel = enter(), make.channel(name="Поиск")
    today = NOW.date() - timedelta(days=1)
    sent = {
        "date": today.isoformat(),
        "channel": channel.pk,
        "purpose": "acquisition",
        "amount": "1234.50",
        "note": "счёт 7",
    }
    response = client.post("/spend/", sent)
    assert response.status_code == 303
    text = client.get(response["Location"]).content.decode()
    assert "1\xa0234.50\xa0₽" in text and "счёт 7" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0"},
        {"amount": "-5"},
        {"amount": "1e20"},
        {"date": "2199-01-01"},
        {"date": "no"},
        {"channel": "999999"},
    ],
)
def test_a_wrong_line_is_sent_back_with_what_is_wrong(enter, wrong):
    good = {"date": "2026-01-02", "purpose": "acquisition", "amount": "10", "channel": ""}
    response = enter().post("/spend/", good | wrong)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == set(wrong)
    assert not Spend.objects.exists()


def test_taking_back_is_a_post_and_a_second_click_changes_nothing(enter):
    made, client = line(), enter()
    assert client.get(f"/spend/{made.pk}/take-back/").status_code == 405
    for _click in range(2):
        assert client.post(f"/spend/{made.pk}/take-back/").status_code == 303
    assert Spend.objects.count() == 2
    assert client.post("/spend/99999/take-back/").status_code == 404


def test_the_sources_on_the_page_are_those_of_the_metric(enter):
    channel = make.channel()
    make.visit(make.patient(channel=channel), start=make.NOW - timedelta(days=3))
    line(channel=channel)
    line(amount=500)
    context = enter().get("/spend/?year=2026").context
    found = {cost["row"].code: (cost["spend"], cost["cac"]) for cost in context["costs"]}
    assert found == {channel.external_id: (10000, 10000), "unknown": (500, None)}
    assert context["blended"] == {"spend": 10500, "new_patients": 1, "cac": 10500}


def test_files_are_for_leaders_and_noted(enter):
    line()
    assert enter("marketer").get("/spend/tables/lines.csv?year=2026").status_code == 403
    client = enter("manager")
    response = client.get("/spend/tables/lines.csv?year=2026")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[1][3] == "100"
    assert AuditEntry.objects.filter(deed="export_data").latest("id").note == "spend-lines csv, rows: 1"
    assert client.get("/spend/tables/costs.xlsx?year=2026").status_code == 200
    assert client.get("/spend/tables/nothing.csv").status_code == 404


@pytest.mark.parametrize("query", ["year=19", "year=abcd"])
def test_a_crooked_year_is_not_found(enter, query):
    assert enter().get(f"/spend/?{query}").status_code == 404
