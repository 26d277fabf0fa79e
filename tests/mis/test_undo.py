"""An import can be taken back, even late; what others did since stays, and is listed."""

from datetime import date, timedelta

import pytest

from core.clock import local_date
from followup import actions as followup
from mis import actions
from mis.actions.jobs.receive import NotNow
from mis.models import ImportedRow, ImportJob
from patients.actions import record_patients
from patients.actions.zone import change_zone
from patients.models import Patient, PatientPhone, Payment, Service, Touchpoint, Visit, VisitItem
from staff.models import Doctor, Source
from tests import make
from tests.mis.files import NOW, PATIENTS, VISITS, applied, csv_text, undone

pytestmark = pytest.mark.django_db

CHANGED = [PATIENTS[0], ["Иванова Анна Петровна", "30.05.1980", "8 912 000 00 00", "anna@mail.ru", "жен", "101"]]


def conflicts(job: ImportJob) -> dict[str, str]:
    return {row.resource: row.conflict for row in ImportedRow.objects.filter(job=job).exclude(conflict="")}


def test_everything_that_an_import_made_goes():
    job = undone(applied(csv_text(VISITS).encode()))
    assert (job.status, job.conflicts) == ("undone", 0)
    for model in (Patient, Visit, VisitItem, Payment, Service, Doctor):
        assert not model.objects.exists(), model


def test_what_an_import_changed_is_as_before():
    applied(csv_text(PATIENTS).encode())
    before = Patient.objects.values().get(card_number="101")
    job = applied(csv_text(CHANGED).encode())
    assert job.updated == 1
    undone(job)
    assert Patient.objects.values().get(card_number="101") == before
    assert list(PatientPhone.objects.filter(patient=before["id"]).values_list("number", flat=True)) == ["+79123456789"]


def test_a_field_that_somebody_changed_later_stays_and_is_listed():
    applied(csv_text(PATIENTS).encode())
    job = applied(csv_text(CHANGED).encode())
    Patient.objects.filter(card_number="101").update(birth_date=date(1980, 5, 1))
    job = undone(job)
    anna = Patient.objects.get(card_number="101")
    assert anna.birth_date == date(1980, 5, 1)
    assert anna.phones.get().number == "+79123456789"
    assert job.conflicts == 1
    assert "birth_date" in conflicts(job)["patients"]


def test_a_patient_with_a_visit_of_others_stays_and_is_listed():
    job = applied(csv_text(PATIENTS).encode())
    visit = make.visit(Patient.objects.get(card_number="101"))
    job = undone(job)
    assert Patient.objects.get().card_number == "101"
    assert Visit.objects.get() == visit
    assert job.conflicts == 1


def test_a_made_record_that_was_edited_stays():
    job = applied(csv_text(PATIENTS).encode())
    Patient.objects.filter(card_number="102").update(note="аллергия")
    job = undone(job)
    assert Patient.objects.get().card_number == "102"
    assert "note" in conflicts(job)["patients"]


def test_a_visit_that_got_a_payment_of_others_stays_with_its_patient_and_doctor():
    job = applied(csv_text(VISITS).encode())
    visit = Visit.objects.get(patient__last_name="Иванова")
    make.payment(visit.patient, 100, visit=visit)
    job = undone(job)
    assert Visit.objects.get() == visit
    assert Payment.objects.get().amount == 100
    assert {"visits", "patients", "doctors"} == set(conflicts(job))
    visit.refresh_from_db()
    assert (visit.amount, visit.cost) == (0, 0)


def test_what_the_sweep_made_of_imported_visits_is_no_obstacle():
    make.clinic(went_live_at=NOW - timedelta(days=400))
    job = applied(csv_text(VISITS).encode())
    followup.sweep(now=NOW)
    assert Visit.objects.filter(followed_up_at=None).count() == 0
    job = undone(job)
    assert job.conflicts == 0, conflicts(job)
    assert not Patient.objects.exists()
    assert not Touchpoint.objects.exists()


def test_a_later_import_of_the_same_rows_does_not_lose_by_the_undo_of_the_first():
    first = applied(csv_text(PATIENTS).encode())
    applied(csv_text(CHANGED).encode())
    first = undone(first)
    assert Patient.objects.get().birth_date == date(1980, 5, 30)
    assert first.conflicts == 1


def test_a_row_that_changed_twice_in_one_import_comes_back_to_the_beginning(monkeypatch):
    monkeypatch.setattr("mis.actions.jobs.run.BATCH", 1)
    record_patients(
        source=Source.objects.create(code="excel"),
        rows=[{"external_id": "card-101", "last_name": "Старова", "card_number": "101"}],
        by=make.actor(),
        now=NOW,
    )
    job = applied(csv_text([PATIENTS[0], PATIENTS[1], CHANGED[1]]).encode())
    undone(job)
    assert Patient.objects.get().last_name == "Старова"


def test_only_an_ended_import_can_be_undone_and_only_once():
    job = applied(csv_text(PATIENTS).encode())
    undone(job)
    with pytest.raises(NotNow):
        actions.start_undo(job_id=job.pk, by=make.actor(), now=NOW)


def test_another_zone_of_the_clinic_meanwhile_is_no_conflict_and_days_are_right_after_the_undo():
    applied(csv_text(VISITS).encode())
    kept = undone_in_another_zone(
        applied(csv_text([VISITS[0], ["Котов Пётр", "01.02.1970", "12.01.2026", "08:30", *VISITS[1][4:]]]).encode())
    )
    assert kept.conflicts == 0
    for visit in Visit.objects.all():
        assert visit.day == local_date(visit.start_at, "America/Los_Angeles")


def undone_in_another_zone(job: ImportJob) -> ImportJob:
    assert Visit.objects.filter(patient__last_name="Котов").exists()
    change_zone(tz="America/Los_Angeles", by=make.actor(), now=NOW + timedelta(minutes=1))
    job = undone(job)
    assert not Visit.objects.filter(patient__last_name="Котов").exists()
    return job
