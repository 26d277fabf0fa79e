"""A visit that is booked here holds its doctor's time, whichever door books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from messaging.models import Message
from messaging.models.outbox import State
from messaging.tasks import send_due, wake
from patients.models import Visit
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    patient, doctor = make.patient(), make.doctor()
    make.service(external_id="S1")
    return {"patient": patient.pk, "doctor": doctor.pk}


def at(hour: int, minute: int = 0, days: int = 2) -> str:
    day = timezone.now().date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).isoformat()


def slot(start: int, end: int, **fields) -> dict:
    return {"start_at": at(start), "end_at": at(end), **fields}


def test_a_booking_takes_the_slot_and_the_next_one_gets_409(api, room):
    first = api.post(
        "visits/", {**room, **slot(10, 11), "goal": "осмотр", "items": [{"service_id": None, "service": _service()}]}
    )
    assert first.status_code == 201, first.content
    body = first.json()
    assert (body["status"], body["source"], len(body["items"]), body["amount"]) == ("scheduled", "crm", 1, "2000.00")
    assert not Visit.objects.get().may_overlap
    taken = api.post("visits/", {**room, "start_at": at(10, 30), "end_at": at(11, 30)})
    assert taken.status_code == 409 and "free" in taken.json()
    assert api.post("visits/", {**room, **slot(11, 12)}).status_code == 201
    cancelled = {"status": "cancelled_patient", "cancelled_at": timezone.now().isoformat()}
    assert api.post("visits/", {**room, **slot(10, 11), **cancelled}).status_code == 201


def _service():
    from patients.models import Service

    return Service.objects.get().pk


def test_moving_a_booking_obeys_the_same_rule(api, room):
    one, two = (api.post("visits/", {**room, **slot(h, h + 1)}).json()["id"] for h in (10, 12))
    assert api.patch(f"visits/{two}/", slot(10, 11)).status_code == 409
    assert api.patch(f"visits/{two}/", slot(11, 12)).status_code == 200
    assert (
        api.patch(
            f"visits/{one}/", {"status": "cancelled_clinic", "cancelled_at": timezone.now().isoformat()}
        ).status_code
        == 200
    )
    assert api.patch(f"visits/{two}/", slot(10, 11)).status_code == 200
    assert api.patch(f"visits/{one}/", {"status": "scheduled", "cancelled_at": None}).status_code == 409


def test_a_past_visit_can_be_logged_and_bad_ones_are_refused_by_field(api, room):
    past = {"start_at": at(9, days=-3), "end_at": at(10, days=-3), "status": "completed"}
    made = api.post("visits/", {**room, **past})
    assert made.status_code == 201 and made.json()["booked_at"] == made.json()["start_at"]
    for fields, name in (
        ({"end_at": at(8)}, "end_at"),
        ({"end_at": at(10, days=9)}, "end_at"),
        ({"doctor": 999999}, "doctor"),
        ({"patient": None}, "patient_id"),
        ({"start_at": "soon"}, "start_at"),
        ({"items": [{"service": 999999}]}, "items.0.service"),
        ({"color": "red"}, "color"),
    ):
        response = api.post("visits/", {**room, **slot(14, 15), **fields})
        assert response.status_code == 422, (fields, response.content)
        assert {error["field"] for error in response.json()["errors"]} == {name}
    assert Visit.objects.count() == 1


def test_visits_of_another_system_may_overlap(api, room):
    for code in ("V1", "V2"):
        row = {**room, **slot(10, 11), "booked_at": at(9, days=-1), "status": "scheduled"}
        assert api.put(f"visits/by-external/mis/{code}/", row).status_code == 201
    assert api.post("visits/", {**room, **slot(10, 11)}).status_code == 409


def test_what_follows_from_one_visit_is_done_in_its_request_and_a_batch_is_left_to_the_sweep(
    api, django_capture_on_commit_callbacks
):
    patient, doctor = make.patient(phone="+79161234567"), make.doctor()
    room = {"patient": patient.pk, "doctor": doctor.pk}
    with django_capture_on_commit_callbacks() as callbacks:
        booked = api.post("visits/", {**room, **slot(10, 11)}).json()["id"]
    assert wake in callbacks
    confirmation = Message.objects.get(visit=booked)
    assert confirmation.automation == "confirmation"
    send_due("sms")
    confirmation.refresh_from_db()
    assert confirmation.state in (State.SENT, State.DELIVERED)

    just_now = (datetime.now(UTC) - timedelta(hours=1)).isoformat()  # of an older one nobody is told any more
    foreign = {**room, **slot(12, 13), "booked_at": just_now, "status": "scheduled"}
    with django_capture_on_commit_callbacks() as callbacks:
        assert api.put("visits/by-external/mis/V1/", foreign).status_code == 201
    assert wake in callbacks and Message.objects.filter(visit__external_id="V1").exists()
    with django_capture_on_commit_callbacks() as callbacks:
        assert api.put("visits/by-external/mis/V1/", foreign).status_code == 200
    assert wake not in callbacks, "an unchanged visit wakes nobody"

    rows = [{**foreign, "external_id": code} for code in ("V2", "V3")]
    assert api.bulk("visits", *rows).json()["created"] == 2
    assert Visit.objects.filter(external_id__in=("V2", "V3"), followed_up_at=None).count() == 2


def test_a_booking_that_is_refused_follows_nothing(api, room):
    assert api.post("visits/", {**room, **slot(10, 11)}).status_code == 201
    before = Message.objects.count()
    assert api.post("visits/", {**room, **slot(10, 11)}).status_code == 409
    assert (Visit.objects.count(), Message.objects.count()) == (1, before)
