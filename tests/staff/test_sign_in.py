"""In, out, locked, second step: what a thief of a password, a screen or a database cannot do."""

from __future__ import annotations

import re
import time

import pytest
from cryptography.exceptions import InvalidTag
from django.test import Client
from django_otp.oath import TOTP

from staff.models import ApiKey, AuditEntry, CodeDevice, User
from tests import make

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _plain(settings):
    settings.REQUIRE_TOTP = False


def sign_in(client: Client, user: User, password: str = PASSWORD, **extra: str):
    return client.post("/login/", {"username": user.login, "password": password, **extra})


def signed_in(role: str = "administrator", **fields: object) -> tuple[Client, User]:
    client, user = Client(), make.user(role, **fields)
    assert sign_in(client, user).status_code == 303
    return client, user


def code_of(device: CodeDevice, step: int = 0) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + step * 30
    return f"{totp.token():06d}"


def test_a_right_password_gives_a_new_session_and_the_page_that_was_wanted():
    client, user = Client(), make.user("administrator")
    client.get("/login/?next=/work/")
    before = client.session.session_key
    answer = sign_in(client, user, next="/work/?kind=call_back")
    assert (answer.status_code, answer.url) == (303, "/work/?kind=call_back")
    assert client.session.session_key != before
    assert AuditEntry.objects.get().deed == "sign_in"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", ""]
)
def test_a_foreign_next_is_not_followed(wanted: str):
    assert sign_in(Client(), make.user("administrator"), next=wanted).url == "/"


def test_unknown_wrong_and_closed_get_equal_answers():
    def body(name: str, password: str) -> str:
        answer = Client().post("/login/", {"username": name, "password": password})
        assert answer.status_code == 422
        text = re.sub(
            r'csrfmiddlewaretoken" value="\w+"|X-CSRFToken": "\w+"|nonce="[^"]+"', "", answer.content.decode()
        )
        return text.replace(name, "")

    right, closed = make.user(), make.user(is_active=False)
    assert body(right.login, "wrong") == body("nobody", "wrong") == body(closed.login, PASSWORD)


def test_the_login_is_locked_by_name_and_address_and_nobody_else_is():
    user, other = make.user(), make.user()
    for _n in range(5):
        answer = sign_in(Client(), user, "wrong")
    assert answer.status_code == 429
    assert sign_in(Client(), user).status_code == 429
    assert sign_in(Client(), other).status_code == 303
    assert (
        Client(REMOTE_ADDR="10.0.0.9").post("/login/", {"username": user.login, "password": PASSWORD}).status_code
        == 303
    )
    assert "15" in answer.content.decode()


def test_signing_out_needs_a_post_and_clears_the_browser():
    client, _user = signed_in()
    assert client.get("/logout/").status_code == 405
    answer = client.post("/logout/")
    assert '"storage"' in answer.headers["Clear-Site-Data"]
    assert client.get("/profile/").status_code == 302


def test_a_form_without_its_token_is_refused_in_words():
    client = Client(enforce_csrf_checks=True)
    assert client.post("/login/", {"username": "a", "password": "b"}).status_code == 403


def test_a_closed_account_is_out_at_once():
    client, user = signed_in()
    assert client.get("/profile/").status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/profile/").status_code == 302


def test_a_new_password_ends_the_other_sessions():
    (here, user), there = signed_in(), Client()
    sign_in(there, user)
    form = {"old": PASSWORD, "new": "another long sentence", "again": "another long sentence"}
    assert here.post("/profile/password/", form | {"old": "wrong"}).status_code == 422
    assert here.post("/profile/password/", form | {"new": "1234567890", "again": "1234567890"}).status_code == 422
    assert here.post("/profile/password/", form).status_code == 303
    assert here.get("/profile/").status_code == 200
    assert there.get("/profile/").status_code == 302


def test_a_first_password_has_to_be_changed_before_work():
    client, _user = signed_in(must_change_password=True)
    assert client.get("/profile/").url.startswith("/profile/password/")
    client.post("/profile/password/", {"old": PASSWORD, "new": "my own long words", "again": "my own long words"})
    assert client.get("/profile/").status_code == 200


def shift(client: Client, seconds: int, *names: str) -> None:
    session = client.session
    for name in names:
        session[name] -= seconds
    session.save()


def test_a_screen_left_alone_asks_for_the_password_and_keeps_the_session(settings):
    client, user = signed_in()
    shift(client, settings.IDLE_LOCK_SECONDS + 5, "seen")
    assert client.get("/profile/?a=1").url == "/unlock/?next=%2Fprofile%2F%3Fa%3D1"
    assert client.get("/api/v1/patients/").status_code in (401, 403)
    posted = client.post("/profile/password/", {}, HTTP_REFERER="http://testserver/work/?kind=other")
    assert posted.url == "/unlock/?next=%2Fwork%2F%3Fkind%3Dother"
    assert client.get("/work/", headers={"HX-Request": "true"}).headers["HX-Redirect"].startswith("/unlock/")
    assert client.post("/unlock/", {"password": "wrong"}).status_code == 422
    assert client.get("/profile/").status_code == 302
    assert client.post("/unlock/", {"password": PASSWORD, "next": "/profile/"}).url == "/profile/"
    assert client.get("/profile/").status_code == 200
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_page_that_asks_by_itself_keeps_nothing_awake(settings):
    client, _user = signed_in()
    shift(client, settings.IDLE_LOCK_SECONDS - 30, "seen")
    seen = client.session["seen"]
    client.get("/profile/", headers={"X-Poll": "1"})
    assert client.session["seen"] == seen
    client.get("/profile/")
    assert client.session["seen"] > seen


def test_a_session_ends_at_its_absolute_limit(settings):
    client, _user = signed_in()
    shift(client, settings.SESSION_COOKIE_AGE + 5, "since")
    assert client.get("/profile/").url.startswith("/login/")


def set_up(client: Client) -> tuple[CodeDevice, list[str]]:
    page = client.post("/second-step/set-up/", {"begin": "1"}).content.decode()
    device = CodeDevice.objects.get(confirmed=False)
    assert "<svg" in page
    assert device.typed_key in page
    done = client.post("/second-step/set-up/", {"code": code_of(device)})
    return CodeDevice.objects.get(confirmed=True), done.context["codes"]


@pytest.mark.parametrize("role", ["owner", "manager", "marketer"])
def test_leaders_work_only_after_the_second_step(settings, role: str):
    settings.REQUIRE_TOTP = True
    client, _user = signed_in(role)
    for page in ("/profile/", "/staff/", "/audit/", "/profile/password/"):
        assert client.get(page).url.startswith("/second-step/set-up/")
    assert client.get("/api/v1/patients/").status_code in (401, 403)
    set_up(client)
    assert client.get("/profile/").status_code == 200


def test_others_work_without_it_but_give_it_once_they_have_it(settings):
    settings.REQUIRE_TOTP = True
    client, user = signed_in("administrator")
    assert client.get("/profile/").status_code == 200
    device, _codes = set_up(client)
    again = Client()
    sign_in(again, user)
    assert again.get("/profile/").url.startswith("/second-step/")
    assert again.get("/second-step/set-up/").url == "/second-step/"
    assert again.post("/second-step/set-up/", {"begin": "1"}).url == "/second-step/"
    assert again.post("/second-step/", {"code": "000000"}).status_code == 422
    CodeDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    code = code_of(device, 1)
    assert again.post("/second-step/", {"code": code, "next": "/profile/"}).url == "/profile/"
    assert again.get("/profile/").status_code == 200


def test_a_code_works_once():
    client, user = signed_in()
    device, codes = set_up(client)
    code = code_of(device, 1)
    answers = []
    for _n in range(2):
        again = Client()
        sign_in(again, user)
        answers.append(again.post("/second-step/", {"code": code}).status_code)
    assert answers == [303, 422]
    answers = []
    for _n in range(2):
        again = Client()
        sign_in(again, user)
        answers.append(again.post("/second-step/", {"code": codes[3].upper()}).status_code)
    assert answers == [303, 422]


def test_the_key_is_shown_once_and_the_database_holds_neither_key_nor_codes():
    client, _user = signed_in()
    device, codes = set_up(client)
    for page in ("/second-step/set-up/", "/profile/", "/second-step/recovery/"):
        assert device.typed_key not in client.get(page).content.decode()
    kept = CodeDevice.objects.values_list("key", flat=True).get()
    assert device.bin_key.hex() not in kept
    device.user_id += 1  # the row copied to another account does not open
    with pytest.raises(InvalidTag):
        _key = device.bin_key
    assert codes[0].replace("-", "") not in str(list(User.objects.get().staticdevice_set.values("token_set__token")))


def test_devices_survive_a_rotation_of_the_secret_key(settings):
    client, _user = signed_in()
    device, _codes = set_up(client)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    before = device.bin_key
    settings.SECRET_KEY = "rotated" + "2" * 50
    assert CodeDevice.objects.get().bin_key == before


def test_new_recovery_codes_need_a_code_and_end_the_old_ones():
    client, user = signed_in()
    device, old = set_up(client)
    assert client.post("/second-step/recovery/", {"code": "111111"}).status_code == 422
    CodeDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    new = client.post("/second-step/recovery/", {"code": code_of(device, 1)}).context["codes"]
    assert len(set(new) | set(old)) == 20
    again = Client()
    sign_in(again, user)
    assert again.post("/second-step/", {"code": old[0]}).status_code == 422


def test_switches_of_language_and_colours_need_no_account_and_lead_nowhere_else():
    client = Client()
    assert client.post("/theme/", {"theme": "dark", "next": "//evil.example"}).url == "/"
    assert client.cookies["theme"].value == "dark"
    client.post("/language/", {"language": "en", "next": "/login/"})
    assert "Sign in" in client.get("/login/").content.decode()
    assert client.get("/theme/").status_code == 405


def test_pages_of_signed_in_people_are_not_kept_by_the_browser():
    client, _user = signed_in()
    assert client.get("/profile/").headers["Cache-Control"] == "no-store"


def test_a_revoked_key_is_out_at_once():
    from django.core.management import call_command

    from tests.staff.test_people import output

    text = output(call_command, "create_api_key", "МИС", role="integration")
    client = Client(headers={"Authorization": f"Api-Key {text}"})
    assert client.get("/api/v1/patients/").status_code == 200
    ApiKey.objects.update(revoked_at=make.NOW)
    assert client.get("/api/v1/patients/").status_code == 401
