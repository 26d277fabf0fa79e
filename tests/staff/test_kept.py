"""What was typed on a screen that had locked meanwhile is found again after the password, by the same person only."""

from __future__ import annotations

import pytest

from staff.models import AuditEntry, Doctor
from staff.rules.kept import LARGEST, SECONDS
from tests import make
from tests.staff.test_sign_in import PASSWORD, shift, sign_in, signed_in

pytestmark = pytest.mark.django_db
TYPED = {"name": "Павлов <И.>", "speciality": "терапия", "is_active": "on"}


@pytest.fixture
def locked(settings):
    settings.REQUIRE_TOTP = False
    client, _user = signed_in("manager")
    shift(client, settings.IDLE_LOCK_SECONDS + 5, "seen")
    return client


def send(client, **fields):
    return client.post("/staff/doctors/add/", TYPED | fields, HTTP_REFERER="http://testserver/staff/doctors/add/")


def unlock(client):
    return client.post("/unlock/", {"password": PASSWORD, "next": "/staff/doctors/add/"})


def test_a_form_sent_on_a_locked_screen_is_sent_with_one_press_after_the_password(locked):
    answer = send(locked)
    assert answer.url == "/unlock/?next=%2Fstaff%2Fdoctors%2Fadd%2F"
    assert "Введённое сохранено" in locked.get("/unlock/").content.decode()
    assert not Doctor.objects.exists()
    assert unlock(locked).url == "/unlock/again/"
    page = locked.get("/unlock/again/")
    fields = dict(page.context["waits"]["pairs"])
    assert fields == TYPED
    assert 'value="Павлов &lt;И.&gt;"' in page.content.decode()
    assert locked.post(page.context["waits"]["address"], fields).status_code == 303
    assert Doctor.objects.get().name == TYPED["name"]
    assert locked.get("/unlock/again/").url == "/"


def test_before_the_password_nothing_of_it_is_shown(locked):
    send(locked)
    assert "Павлов" not in locked.get("/unlock/").content.decode()
    assert locked.get("/unlock/again/").url.startswith("/unlock/")


def test_somebody_else_at_the_same_screen_does_not_get_it(locked):
    send(locked)
    locked.post("/logout/")
    sign_in(locked, make.user("manager"))
    assert locked.get("/unlock/again/").url == "/"


def test_it_can_be_thrown_away(locked):
    send(locked)
    unlock(locked)
    assert locked.post("/unlock/again/").url == "/staff/doctors/add/"
    assert locked.get("/unlock/again/").url == "/"
    assert not Doctor.objects.exists()


def test_passwords_and_forms_without_end_are_not_kept_and_an_old_one_is_forgotten(locked):
    send(locked, password="x", old="y", code="123456")
    assert {name for name, _value in locked.session["kept"]["pairs"]} == set(TYPED)
    shift_kept(locked, SECONDS + 1)
    assert unlock(locked).url == "/staff/doctors/add/"


def test_a_form_without_end_is_not_kept(locked):
    send(locked, note="я" * LARGEST)
    assert "kept" not in locked.session


def test_a_new_password_typed_on_a_locked_screen_is_not_kept(locked):
    locked.post("/profile/password/", {"old": PASSWORD, "new": "abcdefghij", "again": "abcdefghij", "next": "/"})
    assert "kept" not in locked.session


def test_nothing_of_it_stands_in_an_address_or_in_the_log(locked):
    assert "%D0" not in send(locked).url
    assert "Павлов" not in str(list(AuditEntry.objects.values()))


def shift_kept(client, seconds: int) -> None:
    session = client.session
    session["kept"] = session["kept"] | {"at": session["kept"]["at"] - seconds}
    session.save()
