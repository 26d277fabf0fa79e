"""What the desk and the owner do with bookings: a room, the waiting list, the rules of the public page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from core.clock import day_start, local_date
from funnel.models import BookingRules, WaitlistEntry
from patients.models import Visit
from staff.models import AuditEntry, Room, Shift
from tests import make

pytestmark = pytest.mark.django_db
TZ = "Europe/Moscow"
NUMBERS = (
    "days_ahead",
    "notice_minutes",
    "hold_minutes",
    "stale_minutes",
    "wave_size",
    "wave_minutes",
    "offer_minutes",
)


def signed_in(role, **user):
    client = Client()
    client.force_login(make.user(role, **user))
    return client


@pytest.fixture(autouse=True)
def _no_second_step(settings):
    settings.REQUIRE_TOTP = False


@pytest.fixture
def clinic():
    branch = make.default_branch()
    doctor = make.doctor(branch=branch)
    start = day_start(local_date(datetime.now(UTC), TZ), TZ) + timedelta(days=1, hours=9)
    rooms = [Room.objects.create(branch=branch, name=name) for name in ("Кабинет 1", "Кабинет 2")]
    Shift.objects.create(doctor=doctor, branch=branch, room=rooms[0], start_at=start, end_at=start + timedelta(hours=2))
    return branch, doctor, rooms, start


@pytest.mark.parametrize("chosen", [0, 1])
def test_the_desk_books_into_the_room_of_the_shift_or_another(clinic, chosen):
    branch, doctor, rooms, start = clinic
    patient = make.patient(branch=branch)
    form = {
        "doctor": doctor.pk,
        "minutes": 30,
        "slot": f"{doctor.pk}:{branch.pk}:{start.isoformat()}",
        "room": rooms[1].pk if chosen else "",
    }
    client = signed_in("administrator")
    assert "Кабинет 2" in client.get(f"/patients/{patient.pk}/book/").content.decode()
    assert client.post(f"/patients/{patient.pk}/book/", form).status_code == 303
    assert Visit.objects.get().room == rooms[chosen]


def test_a_room_of_another_branch_cannot_be_named(clinic):
    branch, doctor, _rooms, start = clinic
    patient, foreign = make.patient(branch=branch), Room.objects.create(branch=make.branch(), name="x")
    form = {
        "doctor": doctor.pk,
        "minutes": 30,
        "slot": f"{doctor.pk}:{branch.pk}:{start.isoformat()}",
        "room": foreign.pk,
    }
    assert signed_in("administrator").post(f"/patients/{patient.pk}/book/", form).status_code == 422
    assert not Visit.objects.exists()


def test_the_desk_puts_a_patient_on_the_waiting_list_and_takes_him_off(clinic):
    branch, doctor, _rooms, _start = clinic
    patient, client = make.patient(branch=branch), signed_in("administrator")
    form = {"doctor": doctor.pk, "weeks": 2, "part": "morning"}
    for _twice in range(2):
        assert client.post(f"/patients/{patient.pk}/wait/", form).status_code == 302
    entry = WaitlistEntry.objects.get()
    assert (entry.patient, entry.doctor, entry.state) == (patient, doctor, "waiting")
    assert patient.short_name in client.get("/waitlist/").content.decode()
    client.post(f"/waitlist/{entry.pk}/leave/")
    assert WaitlistEntry.objects.get().state == "left"


def test_a_wish_for_nobody_is_refused(clinic):
    patient = make.patient(branch=clinic[0])
    assert signed_in("administrator").post(f"/patients/{patient.pk}/wait/", {"weeks": 2}).status_code == 422
    assert not WaitlistEntry.objects.exists()


def test_the_owner_sets_the_rules_and_the_page_closes(clinic):
    branch, *_rest = clinic
    owner = signed_in("owner")
    page = owner.get("/booking/settings/").content.decode()
    assert f"/b/{branch.external_id}/" in page
    rules = dict.fromkeys(NUMBERS, 5)
    assert owner.post("/booking/settings/", rules | {"hold_minutes": 15, "mis_fetches": "on"}).status_code == 302
    saved = BookingRules.objects.get()
    assert (saved.is_open, saved.hold_minutes, saved.mis_fetches) == (False, 15, True)
    assert AuditEntry.objects.filter(deed="change_booking_rules").count() == 1
    assert Client().get(f"/b/{branch.external_id}/").status_code == 404
    assert owner.post("/booking/settings/", rules | {"hold_minutes": 500}).status_code == 422


def test_a_manager_of_one_branch_does_not_set_the_rules_of_all(clinic):
    manager = signed_in("manager", branch=clinic[0])
    rules = dict.fromkeys(NUMBERS, 5)
    assert manager.post("/booking/settings/", rules).status_code == 422
    assert not BookingRules.objects.filter(days_ahead=5).exists()
