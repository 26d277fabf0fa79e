"""Whatever the doors do, one after another: no two visits of a doctor, nor two in a room, overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import day_start, local_date
from patients import actions as patients
from patients.actions.booking import MoveNotAllowed, SlotTaken
from patients.actions.holds import TooManyHolds, hold_slot
from patients.models import BusyTime, SlotHold, Visit
from patients.queries.slots import Slot
from staff.models import Room, Shift
from tests import make
from tests.api.conftest import Api, key_of

pytestmark = pytest.mark.django_db
TZ = "Europe/Moscow"
STEPS = st.tuples(
    st.sampled_from(["desk", "api", "hold", "move", "patch", "cancel", "reopen", "busy"]),
    st.integers(0, 1),  # whose
    st.integers(0, 7),  # when: quarters of an hour
    st.integers(1, 3),  # how long: quarters of an hour
)


def text(moment):
    return moment.astimezone(UTC).isoformat()


def do(step, branch, doctors, morning, api):
    """One deed of one door; a refusal is a fine answer, an error of the database is not."""
    deed, whose, when, length = step
    doctor, now, by = doctors[whose], datetime.now(UTC), make.actor()
    start = morning + timedelta(minutes=15 * when)
    span = {"start_at": start, "end_at": start + timedelta(minutes=15 * length)}
    said = {name: text(moment) for name, moment in span.items()}
    known = Visit.objects.order_by("pk")[whose : whose + 1].first()
    try:
        if deed == "desk":
            patients.book_visit(
                patient=make.patient(branch=branch), doctor=doctor, branch=branch, by=by, now=now, **span
            )
        elif deed == "hold":
            slot = Slot(doctor.pk, branch.pk, span["start_at"], span["end_at"], doctor.shifts.get().room_id)
            hold_slot(slot=slot, address="10.0.0.1", until=now + timedelta(minutes=10), now=now)
        elif deed == "busy":
            BusyTime.objects.create(doctor=doctor, branch=branch, **span)
        elif deed == "api":
            answer = api.post("visits/", {"patient": make.patient(branch=branch).pk, "doctor": doctor.pk, **said})
            assert answer.status_code in (201, 409), answer.content
        elif known is None:
            return
        elif deed == "patch":
            assert api.patch(f"visits/{known.pk}/", said).status_code in (200, 409)
        elif deed == "move":
            patients.move_visit(visit=known, doctor=doctor, by=by, now=now, **span)
        elif deed == "cancel":
            patients.cancel_visit(visit=known, reason="", by_clinic=False, by=by, now=now)
        else:
            patients.reopen_visit(visit=known, by=by, now=now)
    except (SlotTaken, MoveNotAllowed, TooManyHolds):
        return


def crossing(rows):
    return [
        (one, two)
        for one, two in combinations(rows, 2)
        if one.start_at < two.end_at
        and two.start_at < one.end_at
        and (one.doctor_id == two.doctor_id or (one.room_id and one.room_id == two.room_id))
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=3, max_size=10))
def test_nothing_overlaps_whatever_the_doors(steps):
    with transaction.atomic():
        branch, api = make.default_branch(), Api(key_of())
        room = Room.objects.create(branch=branch, name="1")
        morning = day_start(local_date(datetime.now(UTC), TZ), TZ) + timedelta(days=2, hours=9)
        doctors = [make.doctor(branch=branch) for _one in range(2)]
        for doctor in doctors:
            end = morning + timedelta(hours=4)
            Shift.objects.create(doctor=doctor, branch=branch, room=room, start_at=morning, end_at=end)
        for step in steps:
            do(step, branch, doctors, morning, api)
            live = [*Visit.objects.holding_slot(), *SlotHold.objects.live(datetime.now(UTC))]
            assert crossing(live) == []
        transaction.set_rollback(True)
