"""A hundred at once for one time, through the public pages and the API together: one has it, nobody gets a 5xx."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections
from django.test import Client

from core.clock import day_start, local_date
from funnel.actions.waitlist import OfferOver, add_to_waitlist, claim_offer
from funnel.models import LeadBooking, SlotOffer, WaitlistEntry
from funnel.queries.booking import manage_path
from funnel.rules.booking import Wish
from messaging.models import Message
from patients import actions as patients
from patients.actions.booking import SlotTaken
from patients.models import SlotHold, Visit
from staff.access import PATIENT
from staff.models import ApiKey, Room, Shift
from tests import make

TZ = "Europe/Moscow"


@pytest.fixture
def database(committed, tmp_path):
    """On SQLite a file, as in production. The suite's database in memory shares one cache between threads, where a table
    that another thread reads is "locked" at once: no busy timeout is waited for, whatever the product does."""
    if connection.vendor != "sqlite":
        yield
        return
    in_memory, named = connections["default"], connections.settings["default"]["NAME"]
    with closing(sqlite3.connect(tmp_path / "race.sqlite3")) as copy:
        in_memory.connection.backup(copy)
    connections.settings["default"]["NAME"] = str(tmp_path / "race.sqlite3")
    del connections["default"]
    yield
    connection.close()
    connections.settings["default"]["NAME"] = named
    connections["default"] = in_memory


@pytest.fixture
def clinic(database):
    """Two doctors in one room, on shift tomorrow from 9 to 12, and a key of an MIS."""
    now = datetime.now(UTC)
    digest = hashlib.sha256(b"race.secret").hexdigest()
    ApiKey.objects.create(name="race", prefix="race", role="integration", created_at=now, digest=digest)
    branch = make.default_branch()
    room = Room.objects.create(branch=branch, name="1")
    doctors = [make.doctor(branch=branch), make.doctor(branch=branch)]
    start = day_start(local_date(now, TZ), TZ) + timedelta(days=1, hours=9)
    for doctor in doctors:
        Shift.objects.create(doctor=doctor, branch=branch, room=room, start_at=start, end_at=start + timedelta(hours=3))
    return branch, doctors, make.patient(branch=branch), start


def by_api(patient, doctor, start):
    body = {
        "patient": patient.pk,
        "doctor": doctor.pk,
        "start_at": start.isoformat(),
        "end_at": (start + timedelta(minutes=30)).isoformat(),
    }
    client = Client(raise_request_exception=False)
    answer = client.post("/api/v1/visits/", body, "application/json", headers={"Authorization": "Api-Key race.secret"})
    return answer.status_code


def by_page(branch, doctor, start, number):
    """To the code page, and on to the visit when the time was kept. Each from an address and a phone of his own."""
    client = Client(raise_request_exception=False, REMOTE_ADDR=f"10.0.{number // 200}.{number % 200 + 1}")
    base = f"/b/{branch.external_id}"
    held = client.post(f"{base}/hold/", {"slot": f"{doctor.pk}:{branch.pk}:{start.isoformat()}"})
    if held.status_code != 303:
        assert held.status_code >= 500 or "slots" in held.content.decode()  # the nearest free times stand there
        return held.status_code
    phone = f"+7912345{number:04d}"
    client.post(f"{base}/who/", {"first_name": "А", "last_name": "Б", "phone": phone, "processing": "on"})
    code = re.search(r"\d{6}", Message.objects.get(address=phone).text)[0]
    answer = client.post(f"{base}/code/", {"code": code})
    return 201 if answer.status_code == 303 else answer.status_code


def at_once(calls):
    def run(call):
        try:
            return call()
        finally:
            connection.close()

    workers = 20 if connection.vendor == "postgresql" else 4
    with ThreadPoolExecutor(workers) as pool:
        return Counter(pool.map(run, calls))


def test_one_time_through_every_door_at_once_is_booked_once(clinic):
    branch, doctors, patient, start = clinic
    many = 50 if connection.vendor == "postgresql" else 10
    calls = []
    for number in range(many):
        doctor = doctors[number % 2]  # the room is one: two doctors are one time too
        calls.append(lambda n=number, d=doctor: by_page(branch, d, start, n))
        calls.append(lambda d=doctor: by_api(patient, d, start))
    answers = at_once(calls)
    assert answers == {201: 1, 409: 2 * many - 1}
    assert Visit.objects.count() == 1
    assert SlotHold.objects.live(datetime.now(UTC)).count() == 0


def moved(visit, start):
    """A move by the patient's own link, as his browser makes it."""
    client = Client(raise_request_exception=False)
    client.get(manage_path(visit.pk))
    slot = f"{visit.doctor_id}:{visit.branch_id}:{start.isoformat()}"
    return client.post("/b/visit/move/", {"slot": slot}).status_code


def cancelled(visit):
    client = Client(raise_request_exception=False)
    client.get(manage_path(visit.pk))
    return client.post("/b/visit/cancel/").status_code


def booked(branch, doctor, start):
    return patients.book_visit(
        patient=make.patient(branch=branch),
        doctor=doctor,
        branch=branch,
        start_at=start,
        end_at=start + timedelta(minutes=30),
        by=make.actor(),
        now=datetime.now(UTC),
    )


def test_one_time_that_many_move_to_at_once_has_one_visit(clinic):
    branch, doctors, patient, start = clinic
    wanted = start + timedelta(minutes=150)
    visits = [booked(branch, doctors[n % 2], start + timedelta(minutes=30 * n)) for n in range(5)]
    calls = [lambda v=visit: moved(v, wanted) for visit in visits]
    calls += [lambda d=doctor: by_api(patient, d, wanted) for doctor in doctors for _again in range(3)]
    answers = at_once(calls)
    assert answers[303] + answers[201] == 1
    assert sum(answers.values()) == answers[303] + answers[201] + answers[409]
    assert Visit.objects.holding_slot().filter(start_at=wanted).count() == 1


def test_a_move_and_a_cancellation_at_once_are_one_after_the_other(clinic):
    branch, doctors, _patient, start = clinic
    visit, later = booked(branch, doctors[0], start), start + timedelta(hours=1)
    calls = [lambda: moved(visit, later), lambda: cancelled(visit)] * 3
    answers = at_once(calls)
    assert set(answers) <= {303, 409}
    row = Visit.objects.get()
    assert row.status == "cancelled_patient"
    assert row.start_at in (start, later)
    assert booked(branch, doctors[0], row.start_at).status == "scheduled"


def test_one_freed_time_claimed_by_many_at_once_is_one_visit(clinic):
    branch, doctors, _patient, start = clinic
    now, today = datetime.now(UTC), local_date(datetime.now(UTC), TZ)
    entries = [
        add_to_waitlist(
            patient=make.patient(branch=branch),
            branch=branch,
            doctor=doctors[0],
            speciality="",
            wish=Wish(today, today + timedelta(days=5)),
            by=make.actor(),
            now=now,
        )
        for _one in range(8)
    ]
    span = {"start_at": start, "end_at": start + timedelta(minutes=30)}
    offers = [
        SlotOffer.objects.create(
            entry=entry,
            doctor=doctors[0],
            branch=branch,
            offered_at=now,
            expires_at=now + timedelta(hours=1),
            **span,
        )
        for entry in entries
    ]

    def claim(offer):
        try:
            claim_offer(offer_id=offer.pk, by=PATIENT, now=now)
        except (OfferOver, SlotTaken):
            return "late"
        return "taken"

    assert at_once([lambda o=offer: claim(o) for offer in offers]) == {"taken": 1, "late": 7}
    assert (Visit.objects.count(), LeadBooking.objects.count()) == (1, 1)
    assert Counter(WaitlistEntry.objects.values_list("state", flat=True)) == {"booked": 1, "waiting": 7}
    assert Counter(SlotOffer.objects.values_list("state", flat=True)) == {"taken": 1, "lost": 7}
