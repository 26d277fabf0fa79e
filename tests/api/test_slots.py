"""The timetable of another system, and what can be booked now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.clock import day_start, local_date
from patients.models import BusyTime, Visit
from staff.models import Room, Shift
from tests import make

pytestmark = pytest.mark.django_db
TZ = "Europe/Moscow"


def text(moment):
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@pytest.fixture
def clinic():
    """A doctor in a room, on shift tomorrow from 9 to 11; `start` is 9."""
    branch = make.default_branch()
    doctor, room = make.doctor(branch=branch), Room.objects.create(branch=branch, name="1")
    start = day_start(local_date(datetime.now(UTC), TZ), TZ) + timedelta(days=1, hours=9)
    Shift.objects.create(doctor=doctor, branch=branch, room=room, start_at=start, end_at=start + timedelta(hours=2))
    return doctor, room, start


def starts(answer):
    assert answer.status_code == 200, answer.content
    return [row["start_at"] for row in answer.json()["results"]]


def half_hours(start, *numbers):
    return [text(start + timedelta(minutes=30 * n)) for n in numbers]


def row_of(doctor, start, **fields):
    span = {"start_at": text(start), "end_at": text(start + timedelta(minutes=30))}
    return {"external_id": "t1", "doctor": doctor.pk, **span, **fields}


def test_free_slots_are_the_shift_less_what_is_taken(api, clinic):
    doctor, room, start = clinic
    assert starts(api.get("slots/free/")) == half_hours(start, 0, 1, 2, 3)
    (first, *_rest) = api.get("slots/free/").json()["results"]
    assert (first["doctor"], first["room"], first["end_at"]) == (doctor.pk, room.pk, half_hours(start, 1)[0])
    make.visit(make.patient(), doctor=doctor, start=start, status="scheduled")
    assert starts(api.get("slots/free/")) == half_hours(start, 1, 2, 3)


def test_a_pushed_timetable_takes_time_and_gives_it_back(api, keys, clinic):
    doctor, _room, start = clinic
    for _again in range(2):
        assert api.bulk("slots", row_of(doctor, start), source="mis").status_code == 200
    assert BusyTime.objects.count() == 1
    assert starts(api.get("slots/free/")) == half_hours(start, 1, 2, 3)
    assert api.bulk("slots", row_of(doctor, start, is_busy=False), source="mis").json()["updated"] == 1
    assert starts(api.get("slots/free/")) == half_hours(start, 0, 1, 2, 3)


def test_free_slots_are_narrowed_by_what_is_asked(api, clinic):
    doctor, _room, start = clinic
    service = make.service(minutes=60)
    assert starts(api.get(f"slots/free/?doctor={doctor.pk}&service={service.pk}")) == half_hours(start, 0, 1, 2)
    assert starts(api.get("slots/free/?minutes=120")) == half_hours(start, 0)
    assert starts(api.get("slots/free/?limit=2")) == half_hours(start, 0, 1)
    assert starts(api.get(f"slots/free/?speciality={doctor.speciality}&limit=1")) == half_hours(start, 0)
    for nobody in ("speciality=x", f"doctor={doctor.pk + 1}", f"branch={make.branch().pk}"):
        assert starts(api.get(f"slots/free/?{nobody}")) == []
    day = local_date(start, TZ)
    assert starts(api.get(f"slots/free/?day={day}")) == half_hours(start, 0, 1, 2, 3)
    assert starts(api.get(f"slots/free/?day={day + timedelta(days=1)}")) == []


@pytest.mark.parametrize("query", ["doctor=x", "minutes=0", "minutes=481", "limit=201", "day=tomorrow", "branch=-1"])
def test_what_cannot_be_read_is_named(api, clinic, query):
    answer = api.get(f"slots/free/?{query}")
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == [query.partition("=")[0]]


def test_a_key_of_one_branch_gets_its_own_free_times_only(keys, clinic):
    assert starts(keys(branch=make.branch()).get("slots/free/")) == []


def test_a_visit_of_our_own_is_moved_by_the_api_only_into_free_time(api, clinic):
    doctor, _room, start = clinic
    span = {"start_at": text(start), "end_at": text(start + timedelta(minutes=30))}
    made = api.post("visits/", {"patient": make.patient().pk, "doctor": doctor.pk, **span})
    assert made.status_code == 201, made.content
    from patients.actions.holds import hold_slot
    from patients.queries.slots import Slot

    now, held, busy = datetime.now(UTC), start + timedelta(minutes=30), start + timedelta(minutes=60)
    slot = Slot(doctor.pk, None, held, held + timedelta(minutes=30))
    hold_slot(slot=slot, address="10.0.0.1", until=now + timedelta(minutes=10), now=now)
    api.bulk("slots", row_of(doctor, busy), source="mis")
    for taken in (held, busy):
        into = {"start_at": text(taken), "end_at": text(taken + timedelta(minutes=30))}
        assert api.patch(f"visits/{made.json()['id']}/", into).status_code == 409
    free = start + timedelta(minutes=90)
    into = {"start_at": text(free), "end_at": text(free + timedelta(minutes=30))}
    assert api.patch(f"visits/{made.json()['id']}/", into).status_code == 200
    assert Visit.objects.get().start_at == free


def test_rooms_are_written_and_a_booking_takes_the_room_of_the_shift(api, clinic):
    doctor, room, start = clinic
    branch = make.default_branch()
    done = api.bulk("rooms", {"external_id": "r2", "name": "Кабинет 2", "branch": branch.pk})
    assert done.status_code == 200, done.content
    assert done.json()["created"] == 1, done.content
    span = {"start_at": text(start), "end_at": text(start + timedelta(minutes=30))}
    made = api.post("visits/", {"patient": make.patient().pk, "doctor": doctor.pk, **span}).json()
    assert made["room_id"] == room.external_id
    other = make.doctor()
    same_room = {"room": room.pk, "doctor": other.pk, "patient": make.patient().pk, **span}
    assert api.post("visits/", same_room).status_code == 409
