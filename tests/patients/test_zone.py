"""Another zone for a clinic that works: equal to a clinic that was loaded in that zone from the start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.clock import local_date
from loyalty.actions import follow_rules, refresh_values
from loyalty.models import PatientValue
from patients.actions.zone import Moved, change_zone, derive_days
from patients.models import Payment, Visit
from staff.actions.people import NotAllowed
from staff.models import AuditEntry, Branch, Clinic
from tests import make
from tests.analytics.test_clinic90 import FOLDER
from tests.load import load
from tests.oracle import read_folder

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
FAR = "America/Los_Angeles"  # has summer time, and half a day lies between it and the clinic's own


def loaded(tz: str) -> None:
    data = read_folder(FOLDER)
    load({**data, "clinic": data["clinic"] | {"tz": tz}})


def days() -> dict[str, Any]:
    return {
        "visits": dict(Visit.objects.values_list("external_id", "day")),
        "payments": {
            code: (day, value)
            for code, day, value in Payment.objects.values_list("external_id", "day", "value_day")
        },
    }  # fmt: skip


def figures() -> dict[str, Any]:
    fields = ("first_day", "last_day", "visits", "visit_days", "revenue", "revenue_12", "state", "segment", "rfm")
    rows = PatientValue.objects.values_list("patient__external_id", *fields)
    return {code: rest for code, *rest in rows}


def test_days_and_values_equal_those_of_a_clinic_loaded_in_the_new_zone():
    from django.db import transaction

    with transaction.atomic():
        loaded(FAR)
        refresh_values(patients=None, now=NOW)
        wanted, wanted_figures = days(), figures()
        transaction.set_rollback(True)
    loaded("Asia/Yekaterinburg")
    refresh_values(patients=None, now=NOW)
    before = days()
    moved = change_zone(tz=FAR, by=make.actor(), now=NOW)
    assert days() == wanted
    assert before != wanted
    assert moved.visits == sum(before["visits"][code] != day for code, day in wanted["visits"].items()) > 100
    assert moved.payments == sum(before["payments"][code][0] != pair[0] for code, pair in wanted["payments"].items())
    assert follow_rules(now=NOW)
    assert figures() == wanted_figures


def test_back_again_is_as_if_nothing_had_been():
    loaded("Asia/Yekaterinburg")
    before = days()
    for tz in (FAR, "Pacific/Kiritimati", "Asia/Yekaterinburg"):
        change_zone(tz=tz, by=make.actor(), now=NOW)
    assert days() == before


def test_every_day_is_what_python_says_about_its_instant():
    loaded("Asia/Yekaterinburg")
    change_zone(tz="Australia/Lord_Howe", by=make.actor(), now=NOW)  # summer time of half an hour
    for start, day in Visit.objects.values_list("start_at", "day"):
        assert local_date(start, "Australia/Lord_Howe") == day


def test_a_refund_counts_on_the_new_day_of_what_it_gives_back():
    patient = make.patient()
    evening = datetime(2026, 1, 31, 20, 30, tzinfo=UTC)  # 23:30 in Moscow, the first of February in Almaty
    paid = make.payment(patient, 1000, at=evening)
    refund = make.payment(patient, 400, at=evening + timedelta(days=40), refund_of=paid)
    change_zone(tz="Asia/Almaty", by=make.actor(), now=NOW)
    refund.refresh_from_db()
    assert (refund.day.isoformat(), refund.value_day.isoformat()) == ("2026-03-13", "2026-02-01")


def test_the_change_is_noted_and_the_second_time_nothing_moves():
    loaded("Asia/Yekaterinburg")
    moved = change_zone(tz=FAR, by=make.actor(), now=NOW)
    entry = AuditEntry.objects.filter(deed="change_zone").get()
    assert entry.note == f"Asia/Yekaterinburg → {FAR}; visits {moved.visits}, payments {moved.payments}"
    assert change_zone(tz=FAR, by=make.actor(), now=NOW) == Moved(0, 0) == derive_days()
    assert AuditEntry.objects.filter(deed="change_zone").count() == 1


def test_whoever_wrote_in_the_old_zone_meanwhile_is_put_right():
    change_zone(tz="Asia/Almaty", by=make.actor(), now=NOW)
    late = make.visit(make.patient(), start=datetime(2026, 1, 31, 20, 30, tzinfo=UTC), tz="Europe/Moscow")
    assert derive_days() == Moved(1, 0)
    late.refresh_from_db()
    assert late.day.isoformat() == "2026-02-01"


def test_only_who_answers_for_all_branches_may_and_only_to_a_zone_that_exists():
    with pytest.raises(NotAllowed):
        change_zone(tz=FAR, by=make.actor(branch_id=make.branch().pk), now=NOW)
    with pytest.raises(ValueError, match="unknown time zone"):
        change_zone(tz="Mars/Olympus", by=make.actor(), now=NOW)


@pytest.mark.parametrize("size", [1, 30])
def test_the_number_of_statements_does_not_depend_on_the_number_of_visits(size: int, django_assert_max_num_queries):
    patient = make.patient()
    for n in range(size):
        make.visit(patient, start=make.NOW + timedelta(days=n))
    with django_assert_max_num_queries(22):
        change_zone(tz=FAR, by=make.actor(), now=NOW)


def test_settings_ask_on_a_page_of_its_own_and_the_answer_is_counted(client, settings):
    settings.REQUIRE_TOTP = False
    user = make.user("owner")
    client.force_login(user)
    patient = make.patient()
    form = {
        "name": "Ромашка",
        "tz": "Asia/Almaty",
        "currency": "RUB",
        "theta_days": 395,
        "natural_allowance_percent": 3,
    }
    from patients.actions.booking import book_visit

    doctor = make.doctor(branch=Branch.objects.get())
    at = datetime(2026, 1, 31, 20, 30, tzinfo=UTC)
    book_visit(patient=patient, doctor=doctor, branch=patient.branch, start_at=at, end_at=at + timedelta(minutes=30),
               goal="", by=make.actor(), now=at - timedelta(days=1), overlap=False)  # fmt: skip
    answer = client.post("/staff/settings/", form)
    assert answer.url == "/staff/settings/zone/?tz=Asia/Almaty"
    assert Clinic.objects.get().tz == "Europe/Moscow"
    assert "Asia/Almaty" in client.get(answer.url).content.decode()
    assert client.post("/staff/settings/zone/", {"tz": "Asia/Almaty"}).status_code == 422
    done = client.post("/staff/settings/zone/", {"tz": "Asia/Almaty", "sure": "on"}, follow=True)
    assert "1 " in done.content.decode()
    assert (Clinic.objects.get().tz, Visit.objects.get().day.isoformat()) == ("Asia/Almaty", "2026-02-01")
