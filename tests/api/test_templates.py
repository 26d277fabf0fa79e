"""The texts over REST: `/api/v1/templates/`."""

from __future__ import annotations

import pytest

from messaging.models import Template

pytestmark = pytest.mark.django_db
ONE = "templates/confirmation/sms/ru/"


def test_every_text_is_listed_with_its_place(api):
    rows = api.get("templates/").json()["results"]
    assert {"code": "confirmation", "transport": "sms", "language": "ru", "advertises": False}.items() <= rows[
        0
    ].items()
    assert {row["language"] for row in rows} == {"ru", "en"}
    assert any(row["advertises"] for row in rows)


def test_a_marketer_replaces_a_text_and_reads_it_back(keys):
    marketer = keys("marketer")
    body = {"body": "{first_name}, вы записаны на {date} в {time}. {clinic}"}
    assert marketer.put(ONE, body).status_code == 200
    assert marketer.get(ONE).json()["body"] == body["body"] == Template.objects.get().body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": "Скидка 20 %! {clinic}"}, "body"),
        ({"body": "{diagnosis}"}, "body"),
        ({"body": ""}, "body"),
        ({"body": 5}, "body"),
        ({"body": "Ждём {date}", "link": "javascript:alert(1)"}, "link"),
        ({"body": "Ждём {date}", "state": "x"}, "state"),
    ],
)
def test_what_may_not_be_sent_is_refused_with_its_field(keys, body, field):
    answer = keys("marketer").put(ONE, body)
    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["field"] == field and not Template.objects.exists()


def test_only_who_may_edit_messages_edits_them(api, keys):
    assert api.put(ONE, {"body": "Ждём {date}"}).status_code == 403
    assert keys("administrator").put(ONE, {"body": "Ждём {date}"}).status_code == 403
    assert api.get("templates/nothing/sms/ru/").status_code == 404
