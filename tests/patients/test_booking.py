"""Appointments: no two of one doctor overlap, whoever books, however many at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from patients.actions import (
    arrive,
    book_visit,
    cancel_visit,
    confirm_visit,
    finish_visit,
    mark_no_show,
    move_visit,
    reopen_visit,
)
from patients.actions.booking import BadTime, MoveNotAllowed, SlotTaken
from patients.models import Visit
from staff.models import AuditEntry, Change, Shift
from tests import make

NOW = make.NOW
HOUR = timedelta(hours=1)


def book(patient, doctor, start=NOW + HOUR, minutes=30, **more):
    span = {"start_at": start, "end_at": start + timedelta(minutes=minutes)}
    return book_visit(patient=patient, doctor=doctor, branch=patient.branch, by=make.actor(), now=NOW, **span, **more)


@pytest.mark.django_db
def test_a_booking_is_stored_with_its_local_day_and_leaves_traces():
    visit = book(make.patient(), make.doctor(), start=NOW.replace(hour=21), goal="  снять   швы ")
    assert (visit.status, visit.goal, str(visit.day)) == ("scheduled", "снять швы", "2026-03-03")
    assert Change.objects.filter(resource="visits", object_id=visit.pk).count() == 1
    entry = AuditEntry.objects.get(deed="book_visit")
    assert (entry.object_id, entry.patient_id) == (visit.pk, visit.patient_id)


@pytest.mark.django_db
def test_a_taken_time_is_refused_and_the_nearest_free_times_are_offered():
    doctor = make.doctor()
    Shift.objects.create(doctor=doctor, start_at=NOW, end_at=NOW + 3 * HOUR)
    book(make.patient(), doctor)
    with pytest.raises(SlotTaken) as taken:
        book(make.patient(), doctor, start=NOW + HOUR + timedelta(minutes=10))
    starts = [slot.start_at for slot in taken.value.free]
    assert NOW in starts and NOW + HOUR not in starts and NOW + HOUR + timedelta(minutes=30) in starts
    assert Visit.objects.count() == 1


@pytest.mark.django_db
def test_back_to_back_is_no_overlap_and_a_cancelled_one_frees_its_time():
    doctor = make.doctor()
    first = book(make.patient(), doctor)
    book(make.patient(), doctor, start=NOW + HOUR + timedelta(minutes=30))
    cancel_visit(visit=first, reason="заболел", by_clinic=False, by=make.actor(), now=NOW)
    book(make.patient(), doctor)
    with pytest.raises(SlotTaken):
        reopen_visit(visit=first, by=make.actor(), now=NOW)


@pytest.mark.django_db
def test_a_row_of_another_system_holds_its_time_too():
    doctor = make.doctor()
    make.visit(make.patient(), doctor=doctor, start=NOW + HOUR, status="scheduled", may_overlap=True)
    with pytest.raises(SlotTaken):
        book(make.patient(), doctor)
    assert book(make.patient(), doctor, overlap=True).may_overlap


@pytest.mark.django_db
def test_the_database_itself_refuses_what_a_careless_door_would_write():
    doctor = make.doctor()
    book(make.patient(), doctor)
    with pytest.raises(IntegrityError, match="no_overlap"), transaction.atomic():
        make.visit(make.patient(), doctor=doctor, start=NOW + HOUR, status="scheduled")


@pytest.mark.django_db
def test_an_end_before_the_start_is_refused():
    with pytest.raises(BadTime):
        book(make.patient(), make.doctor(), minutes=0)


@pytest.mark.django_db
def test_a_moved_visit_keeps_its_id_and_has_to_be_confirmed_again():
    visit = book(make.patient(), make.doctor())
    confirm_visit(visit=visit, by=make.actor(), now=NOW)
    other = make.doctor()
    moved = move_visit(
        visit=visit, start_at=NOW + 5 * HOUR, end_at=NOW + 6 * HOUR, doctor=other, by=make.actor(), now=NOW
    )
    assert (moved.pk, moved.doctor, moved.confirmed_at) == (visit.pk, other, None)
    taken = book(make.patient(), other, start=NOW + 8 * HOUR)
    with pytest.raises(SlotTaken):
        move_visit(visit=moved, start_at=taken.start_at, end_at=taken.end_at, by=make.actor(), now=NOW)


@pytest.mark.django_db
def test_each_move_starts_only_from_the_statuses_of_the_table():
    by = make.actor()
    visit = book(make.patient(), make.doctor(), start=NOW - HOUR)
    assert arrive(visit=visit, by=by, now=NOW).status == "arrived"
    with pytest.raises(MoveNotAllowed):
        mark_no_show(visit=visit, by=by, now=NOW)
    done = finish_visit(visit=visit, by=by, now=NOW)
    assert (done.status, done.finished_at) == ("completed", NOW)
    for move in (arrive, finish_visit, confirm_visit, reopen_visit):
        with pytest.raises(MoveNotAllowed):
            move(visit=visit, by=by, now=NOW)


@pytest.mark.django_db
def test_a_visit_of_tomorrow_is_neither_over_nor_missed_today():
    visit = book(make.patient(), make.doctor(), start=NOW + 24 * HOUR)
    for move in (arrive, finish_visit, mark_no_show):
        with pytest.raises(MoveNotAllowed):
            move(visit=visit, by=make.actor(), now=NOW)


def race(url: str, doctor: int, patients: list[int]) -> list[str]:
    """Two processes of eight threads each, all at one slot; what each request was answered."""
    half = len(patients) // 2
    command = [sys.executable, "-m", "tests.patients.booking_race", str(doctor)]
    running = [
        subprocess.Popen(
            [*command, *map(str, part)],
            env={**os.environ, "DATABASE_URL": url, "SECRET_KEY": "test-only-key-" + "0" * 40},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in (patients[:half], patients[half:])
    ]
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    return " ".join(outputs).split()


def ground() -> tuple[int, list[int]]:
    return make.doctor().pk, [make.patient(branch=make.default_branch()).pk for _ in range(100)]


@pytest.fixture
def race_url(committed, tmp_path):
    """The test's own PostgreSQL database, or a copy of the SQLite one in a file: (url, doctor, patients)."""
    made = ground()
    if connection.vendor == "postgresql":
        settings = connection.settings_dict
        credentials = f"{settings['USER']}:{settings['PASSWORD']}".rstrip(":")
        return f"postgres://{credentials}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}", *made
    file = tmp_path / "race.sqlite3"
    with sqlite3.connect(file) as copy:
        connection.connection.backup(copy)
    return f"sqlite:///{file}", *made


def test_a_hundred_people_book_one_time_from_two_processes_and_one_of_them_gets_it(race_url):
    answers = race(*race_url)
    assert (answers.count("booked"), answers.count("taken")) == (1, 99)


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite queues its writers")
@pytest.mark.usefixtures("committed")
def test_moves_that_cross_end_without_deadlock_or_overlap():
    doctors = [make.doctor(), make.doctor()]
    visits = [book(make.patient(), doctor, start=NOW + n * HOUR) for n in range(1, 5) for doctor in doctors]

    def swap(visit: Visit) -> str:
        other = doctors[visit.doctor_id == doctors[0].pk]
        try:
            move_visit(
                visit=visit, doctor=other, start_at=NOW + 6 * HOUR, end_at=NOW + 7 * HOUR, by=make.actor(), now=NOW
            )
            return "moved"
        except SlotTaken:
            return "taken"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(swap, visits))
    assert answers.count("moved") == 2
