"""Guessing passwords: many names from one address, one name from many addresses; and nobody is shut out for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.db.models import F
from django.test import Client

from core.net import class_of
from staff.queries.failures import FOR_ONE_NAME, FROM_ONE_ADDRESS, WINDOW
from tests import make
from tests.staff.test_sign_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plain(settings):
    settings.REQUIRE_TOTP = False


def at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def spray(address: str, count: int = FROM_ONE_ADDRESS) -> None:
    for n in range(count):
        assert at(address).post("/login/", {"username": f"name{n}", "password": "Password1"}).status_code == 422


def test_many_names_from_one_address_are_stopped_before_the_password_is_looked_at():
    user = make.user()
    spray("10.0.0.1")
    refused = sign_in(at("10.0.0.1"), user)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "900"
    assert sign_in(at("10.0.0.2"), user).status_code == 303


def test_a_desk_where_many_mistype_once_goes_on_working():
    spray("10.0.0.1", FROM_ONE_ADDRESS - 1)
    assert sign_in(at("10.0.0.1"), make.user()).status_code == 303


def test_one_name_tried_without_end_does_not_close_the_address():
    user, other = make.user(), make.user()
    for _n in range(FROM_ONE_ADDRESS + 5):
        sign_in(at("10.0.0.1"), user, "wrong")
    assert sign_in(at("10.0.0.1"), other).status_code == 303


def test_the_limit_ends_with_its_window_and_refused_tries_do_not_lengthen_it():
    user = make.user()
    spray("10.0.0.1")
    assert sign_in(at("10.0.0.1"), user, "wrong").status_code == 429
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - WINDOW - timedelta(seconds=1))
    assert sign_in(at("10.0.0.1"), user).status_code == 303


def test_one_name_from_many_addresses_is_stopped_but_not_for_the_browser_of_the_person():
    user, own, new = make.user(), Client(), at("10.9.9.9")
    sign_in(own, user)
    own.post("/logout/")
    for n in range(FOR_ONE_NAME):
        sign_in(at(f"10.0.1.{n}"), user, "wrong")
    assert sign_in(new, user).status_code == 429
    assert sign_in(own, user).status_code == 303


def test_the_browser_of_one_person_opens_nothing_for_another_and_has_five_tries():
    user, other, own = make.user(), make.user(), Client()
    sign_in(own, user)
    own.post("/logout/")
    spray("127.0.0.1")
    assert sign_in(own, other).status_code == 429
    assert [sign_in(own, user, "wrong").status_code for _n in range(5)] == [422, 422, 422, 422, 429]
    assert sign_in(own, user).status_code == 429


def test_a_forged_cookie_of_a_known_browser_is_worth_nothing():
    user, thief = make.user(), at("10.0.0.1")
    spray("10.0.0.1")
    thief.cookies["device"] = f"{user.pk}:1abcde:forged"
    assert sign_in(thief, user).status_code == 429


def test_the_answer_is_the_same_for_names_that_exist_and_for_those_that_do_not():
    user = make.user()
    spray("10.0.0.1")
    seen = {
        at("10.0.0.1").post("/login/", {"username": name, "password": "Password1"}).content.decode().split("<h1>")[1]
        for name in (user.login, "nobody-at-all")
    }
    assert len(seen) == 1


def test_addresses_of_one_home_count_as_one():
    assert class_of("2a02:6b8:0:1::1") == class_of("2a02:6b8:0:1:ffff::7") != class_of("2a02:6b8:0:2::1")
    assert [class_of(text) for text in ("10.0.0.1", "unknown", "::ffff:10.0.0.1")] == [
        "10.0.0.1",
        "127.0.0.1",
        "10.0.0.1",
    ]
