"""Accounts, keys and the clinic's settings: who may make whom, and what is shown once."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from core.clock import zone
from staff.actions.clinic import ShiftsOverlap, ZoneIsFixed, change_settings, set_week
from staff.actions.people import LastOwner, NotAllowed, add_user, change_user
from staff.models import ApiKey, AuditEntry, Branch, Change, Clinic, Doctor, LossRule, Shift, User
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture(autouse=True)
def _plain(settings):
    settings.REQUIRE_TOTP = False


def output(command: Callable[..., Any], *args: Any, **options: Any) -> str:
    out = io.StringIO()
    command(*args, stdout=out, **options)
    return out.getvalue().strip()


def client_of(role: str = "owner", **fields: Any) -> Client:
    client = Client()
    client.force_login(make.user(role, **fields))
    return client


def by(user: User) -> Any:
    return make.actor(user.role, kind="user", id=user.pk, branch_id=user.branch_id)


def form(**fields: Any) -> dict[str, Any]:
    return {"login": "petrova", "full_name": "Петрова", "role": "administrator", "language": "ru"} | fields


def test_a_new_person_gets_a_first_password_that_is_shown_once():
    client = client_of()
    page = client.post("/staff/add/", form(login="Petrova"))
    password = page.context["password"]
    user = User.objects.get(login="petrova")
    assert user.check_password(password)
    assert user.must_change_password
    assert password not in client.get(f"/staff/{user.pk}/").content.decode()
    assert client.post("/staff/add/", form(login="PETROVA")).status_code == 422


def test_a_manager_makes_no_owner_and_touches_none():
    client, owner = client_of("manager"), make.user("owner")
    assert client.post("/staff/add/", form(role="owner")).status_code == 422
    assert client.post(f"/staff/{owner.pk}/", form(login=owner.login, role="doctor")).status_code == 200
    for door in ("access", "password", "second-step"):
        assert client.post(f"/staff/{owner.pk}/{door}/").status_code == 303
    kept = User.objects.get(pk=owner.pk)
    assert (kept.role, kept.is_active, kept.password) == ("owner", True, owner.password)
    assert User.objects.filter(role="owner").count() == 1


def test_nobody_raises_himself_or_anybody_above_himself():
    manager, other = make.user("manager"), make.user("administrator")
    for user_id, role in ((manager.pk, "owner"), (other.pk, "owner"), (manager.pk, "doctor")):
        with pytest.raises(NotAllowed):
            change_user(user_id=user_id, fields={"role": role}, by=by(manager), now=NOW)
    with pytest.raises(NotAllowed):
        add_user(fields=form(role="owner"), by=by(manager), now=NOW)


def test_the_last_owner_stays():
    owner = make.user("owner")
    for fields in ({"is_active": False}, {"role": "manager"}):
        with pytest.raises(LastOwner):
            change_user(user_id=owner.pk, fields=fields, by=make.actor(), now=NOW)


def test_a_branch_manager_sees_and_makes_only_people_of_his_branch():
    here, there = make.branch(), make.branch()
    client, stranger = client_of("manager", branch=here), make.user("administrator", branch=there)
    assert client.get(f"/staff/{stranger.pk}/").status_code == 404
    assert client.post(f"/staff/{stranger.pk}/access/").status_code == 404
    assert stranger.full_name not in client.get("/staff/").content.decode()
    assert client.post("/staff/add/", form()).status_code == 422
    assert client.post("/staff/add/", form(branch=there.pk)).status_code == 422
    assert client.post("/staff/add/", form(branch=here.pk)).status_code == 200
    assert client.get(f"/staff/branches/{there.pk}/").status_code == 404


def test_an_account_is_closed_and_opened_again():
    client, user = client_of(), make.user("administrator")
    client.post(f"/staff/{user.pk}/access/")
    assert not User.objects.get(pk=user.pk).is_active
    client.post(f"/staff/{user.pk}/access/", {"open": "1"})
    assert User.objects.get(pk=user.pk).is_active
    assert AuditEntry.objects.filter(deed="change_user", fields=["is_active"]).count() == 2


def test_fields_that_the_form_does_not_have_are_not_assigned():
    client, user = client_of(), make.user("administrator")
    client.post(
        f"/staff/{user.pk}/", form(login=user.login, is_active="", password="x", id=99, must_change_password="on")
    )
    kept = User.objects.get(pk=user.pk)
    assert (kept.is_active, kept.password, kept.must_change_password) == (True, user.password, False)


def test_a_key_is_shown_once_kept_as_a_digest_and_revoked_on_the_page():
    client = client_of()
    text = client.post("/staff/keys/", {"name": "МИС", "role": "integration"}).context["text"]
    key = ApiKey.objects.get()
    assert text not in str(ApiKey.objects.values().get())
    assert text.partition(".")[2] not in client.get("/staff/keys/").content.decode()
    assert client.post("/staff/keys/", {"name": "МИС", "role": "integration"}).status_code == 422
    assert client.post(f"/staff/keys/{key.pk}/revoke/").status_code == 303
    assert ApiKey.objects.get().revoked_at
    assert client_of("manager").get("/staff/keys/").status_code == 403


def test_create_api_key_prints_only_the_key():
    branch = make.branch(external_id="north")
    text = output(call_command, "create_api_key", "МИС", role="integration", branch="north")
    assert len(text.split()) == 1
    key = ApiKey.objects.get()
    assert (key.prefix, key.branch, key.role) == (text.partition(".")[0], branch, "integration")


@pytest.mark.parametrize("options", [{"role": "boss"}, {"role": "integration", "branch": "nowhere"}])
def test_create_api_key_refuses_in_one_line(options: dict):
    with pytest.raises(CommandError) as raised:
        call_command("create_api_key", "МИС", **options)
    assert raised.value.returncode == 2
    assert "\n" not in str(raised.value)


def test_create_user_prints_a_password_or_reads_it(monkeypatch):
    text = output(call_command, "create_user", "Boss", role="owner")
    assert User.objects.get(login="boss").check_password(text)
    monkeypatch.setattr("sys.stdin", io.StringIO("a sentence of my own\n"))
    assert output(call_command, "create_user", "second", role="manager", password_stdin=True) == ""
    assert User.objects.get(login="second").check_password("a sentence of my own")
    for wrong in (("boss", "owner"), ("third", "boss"), ("x", "owner")):
        with pytest.raises(CommandError):
            call_command("create_user", wrong[0], role=wrong[1])


def test_settings_and_loss_rules_say_what_changed():
    make.doctor(speciality="ортодонтия")
    client = client_of()
    page = client.get("/staff/settings/")
    rule = next(name for name, speciality in page.context["form"].rule_names.items() if speciality == "ортодонтия")
    values = {
        "name": "Клиника",
        "tz": "Europe/Moscow",
        "currency": "RUB",
        "theta_days": 365,
        "natural_allowance_percent": 3,
    }
    done = client.post("/staff/settings/", values | {rule: 180}, follow=True)
    assert "395 → 365" in done.content.decode()
    assert (Clinic.objects.get().theta_days, LossRule.objects.get().theta_days) == (365, 180)
    client.post("/staff/settings/", values)
    assert not LossRule.objects.exists()
    assert client.post("/staff/settings/", values | {"theta_days": 0}).status_code == 422


def test_the_zone_is_fixed_once_there_are_visits():
    change_settings(fields={"tz": "Asia/Almaty"}, rules={}, by=make.actor(), now=NOW)
    Change.objects.create(at=NOW, resource="visits", object_id=1)
    with pytest.raises(ZoneIsFixed):
        change_settings(fields={"tz": "Europe/Moscow"}, rules={}, by=make.actor(), now=NOW)


def test_branches_and_doctors_are_added_and_changed():
    client = client_of()
    values = {"name": "Север", "tz": "Asia/Omsk", "phone_region": "RU", "is_default": "on"}
    assert client.post("/staff/branches/add/", values).status_code == 303
    branch = Branch.objects.get()
    assert client.post("/staff/branches/add/", values | {"name": "Юг"}).status_code == 303
    assert [b.name for b in Branch.objects.filter(is_default=True)] == ["Юг"]
    doctor = {"name": "Белова", "speciality": " хирургия ", "branch": branch.pk, "is_active": "on"}
    assert client.post("/staff/doctors/add/", doctor).status_code == 303
    made = Doctor.objects.get()
    assert (made.speciality, made.branch) == ("хирургия", branch)
    assert client.post(f"/staff/doctors/{made.pk}/", doctor | {"is_active": ""}).status_code == 303
    assert not Doctor.objects.get().is_active
    assert client.get("/staff/doctors/").status_code == client.get("/staff/branches/").status_code == 200


def test_a_week_of_shifts_is_replaced_and_keeps_what_another_system_sent():
    branch = make.branch(tz="Asia/Omsk")
    doctor = make.doctor(branch=branch)
    monday = date(2026, 3, 2)
    client = client_of()
    url = f"/staff/doctors/{doctor.pk}/shifts/?week=2026-03-04&branch={branch.pk}"
    assert (
        client.post(url, {"branch": branch.pk, "day_0": "9:00-13:00, 14.00–18:00", "day_2": "10:00-12:00"}).status_code
        == 303
    )
    first = Shift.objects.order_by("start_at").first()
    assert first.start_at.astimezone(zone("Asia/Omsk")).time() == time(9)
    assert "14:00-18:00" in client.get(url).content.decode()
    client.post(url, {"branch": branch.pk, "day_0": "9:00-13:00"})
    assert list(Shift.objects.values_list("pk", flat=True)) == [first.pk]
    assert Change.objects.filter(resource="shifts", kind="deleted").count() == 2
    assert client.post(url, {"branch": branch.pk, "day_0": "с девяти"}).status_code == 422
    with pytest.raises(ShiftsOverlap):
        hours = {0: [(time(9), time(12)), (time(11), time(13))]}
        set_week(doctor=doctor, branch=branch, monday=monday, hours=hours, by=make.actor(), now=NOW)


def test_the_audit_page_filters_and_pages():
    from staff import actions

    client, person = client_of(), make.user("administrator")
    for n in range(60):
        actions.record(by=by(person), deed="see_card", now=NOW, patient_id=n % 2 + 1)
    page = client.get("/audit/")
    assert len(page.context["rows"]) == 50
    assert len(client.get(f"/audit/?after={page.context['after']}").context["rows"]) == 10
    assert len(client.get("/audit/?patient=1").context["rows"]) == 30
    assert (
        len(client.get(f"/audit/?who=user:{person.pk}&deed=see_card&since=2026-03-02&until=2026-03-02").context["rows"])
        == 50
    )
    assert len(client.get("/audit/?since=2026-03-03").context["rows"]) == 0
    assert client.get("/audit/?since=31.02.2026").status_code == 422
    assert "открыл карту" in page.content.decode()
    assert "see_card</td>" not in page.content.decode()


def test_every_deed_and_kind_that_is_written_has_words_or_is_shown_as_it_is():
    from staff.views.audit_words import deed_options, said

    known, other = AuditEntry(deed="sign_in", object_kind="user", fields=["tz"]), AuditEntry(deed="x", fields=["y"])
    said([known, other])
    assert (str(known.deed_said), str(known.kind_said), known.fields_said) == ("вход", "учётная запись", "часовой пояс")
    assert (other.deed_said, other.fields_said) == ("x", "y")
    options = deed_options("x")
    assert [one["value"] for one in options if one["selected"]] == ["x"]
    assert len({one["label"] for one in options}) == len(options)


@pytest.mark.parametrize("url", ["/staff/", "/staff/keys/", "/staff/branches/", "/staff/doctors/", "/audit/"])
def test_lists_cost_the_same_for_few_and_many_rows(url: str, django_assert_max_num_queries):
    client = client_of()
    for n in range(30):
        branch = make.branch()
        make.user("administrator", branch=branch)
        make.doctor(branch=branch)
        ApiKey.objects.create(
            name=f"k{n}", prefix=f"p{n}", digest="", role="integration", created_at=NOW, branch=branch
        )
    client.get(url)
    with django_assert_max_num_queries(12):
        assert client.get(url).status_code == 200
