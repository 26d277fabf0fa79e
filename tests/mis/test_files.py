"""A file as clinics bring it: read in any spelling, recorded once, refused with a reason."""

import csv
import io
from datetime import date, datetime

import pytest
from django.utils.translation import override

from core.export import csv_bytes
from mis import actions
from mis.models import ImportJob, RejectedRow
from mis.queries.jobs import rejected_table
from mis.queries.tables import BadFile
from patients.models import Patient, Payment, Service, Visit
from staff.models import Doctor
from tests import make
from tests.mis.files import NOW, PATIENTS, VISITS, applied, csv_text, received, workbook

pytestmark = pytest.mark.django_db

ENCODINGS = ["utf-8", "utf-8-sig", "cp1251", "utf-16", "utf-16-le"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_encoding_and_delimiter_gives_the_same_patients(encoding, delimiter):
    job = applied(csv_text(PATIENTS, delimiter).encode(encoding))
    assert (job.kind, job.created, job.failed) == ("patients", 2, 0)
    anna = Patient.objects.get(card_number="101")
    assert (anna.last_name, anna.first_name, anna.middle_name) == ("Иванова", "Анна", "Петровна")
    assert (anna.birth_date, anna.sex, anna.email) == (date(1980, 5, 31), "f", "anna@mail.ru")
    assert [phone.number for phone in anna.phones.all()] == ["+79123456789"]


def test_the_way_of_reading_is_kept_with_the_job():
    job = received(csv_text(PATIENTS, "\t").encode("cp1251"))
    assert (job.encoding, job.delimiter, job.form) == ("cp1251", "\t", "csv")
    assert job.mapping == ["full_name", "birth_date", "phones", "email", "sex", "card_number"]


def test_commas_inside_cells_do_not_win_over_semicolons():
    rows = [
        ["ФИО", "Телефон", "Номер карты"],
        ["Ли, Анна, мл.", "89120000001", "1"],
        ["Ли, Ян, ст.", "89120000002", "2"],
    ]
    job = received(csv_text(rows, ";").encode())
    assert job.delimiter == ";"


def test_the_same_file_again_creates_nothing():
    data = csv_text(PATIENTS).encode()
    applied(data)
    again = applied(data)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)
    assert Patient.objects.count() == 2


def test_a_visits_file_brings_people_doctors_services_visits_items_and_money():
    job = applied(csv_text(VISITS).encode())
    assert (job.kind, job.created, job.failed) == ("visits", 3, 0)
    assert (Patient.objects.count(), Doctor.objects.count(), Service.objects.count()) == (2, 1, 2)
    visit = Visit.objects.get(patient__last_name="Иванова")
    assert visit.start_at == datetime.fromisoformat("2026-01-12T10:30:00+03:00")
    assert (visit.status, visit.amount, visit.items.count()) == ("completed", 400000, 2)
    assert sorted(Payment.objects.values_list("amount", flat=True)) == [150000, 250000]  # a no-show pays nothing
    again = applied(csv_text(VISITS).encode())
    assert (again.created, again.unchanged) == (0, 3)


def test_patients_of_a_visits_file_are_those_of_the_patients_file_by_name_and_birth_date():
    applied(csv_text(PATIENTS).encode())
    applied(csv_text(VISITS).encode())
    anna = Patient.objects.get(last_name="Иванова")
    assert anna.card_number == "101"
    assert anna.visits.count() == 1


def test_a_doctor_known_by_name_is_not_made_twice():
    mine = make.doctor(name="Сидоров  С. С.")
    applied(csv_text(VISITS).encode())
    assert Visit.objects.filter(doctor=mine).count() == 2


def test_namesakes_without_birth_date_or_phone_are_refused():
    rows = [["Пациент", "Дата приёма", "Врач"], ["Иванов Иван", "12.01.2026", "Сидоров"]]
    job = applied(csv_text(rows).encode())
    assert job.failed == 1
    assert "full_name" in RejectedRow.objects.get().errors


def test_equal_payments_of_one_day_are_two_and_the_file_again_adds_none():
    applied(csv_text(PATIENTS).encode())
    rows = [["Номер карты", "Дата оплаты", "Сумма платежа"], ["101", "12.01.2026", "500"], ["101", "12.01.2026", "500"]]
    job = applied(csv_text(rows).encode(), kind="payments")
    assert (job.created, Payment.objects.count()) == (2, 2)
    again = applied(csv_text(rows).encode(), kind="payments")
    assert (again.unchanged, Payment.objects.count()) == (2, 2)


def test_a_workbook_with_real_dates_and_numbers_reads_like_the_csv():
    rows = [PATIENTS[0], ["Иванова Анна Петровна", date(1980, 5, 31), 89123456789, "", "жен", 101]]
    job = applied(workbook(rows), name="b.xlsx")
    assert (job.created, job.form) == (1, "book")
    anna = Patient.objects.get()
    assert (anna.card_number, anna.birth_date) == ("101", date(1980, 5, 31))
    assert [phone.number for phone in anna.phones.all()] == ["+79123456789"]


def test_serial_dates_of_excel_are_dates():
    rows = [PATIENTS[0], ["Иванова Анна", "29372", "89123456789", "", "ж", "101"]]
    applied(csv_text(rows).encode())
    assert Patient.objects.get().birth_date == date(1980, 5, 31)


@pytest.mark.parametrize("damaged", ["2,98E+13", "2.98E+13", "2,98e13"])
def test_identifiers_damaged_by_excel_are_refused_with_an_explanation(damaged):
    rows = [["Код пациента", "ФИО"], [damaged, "Иванова Анна"]]
    job = applied(csv_text(rows).encode(), kind="patients", language="en")
    assert (job.created, job.failed) == (0, 1)
    assert "damaged by a spreadsheet" in RejectedRow.objects.get().errors["patient_id"][0]


def test_phones_damaged_by_excel_and_numbers_too_long_for_it_are_refused():
    rows = [["Код пациента", "ФИО", "Телефон"], [1, "А Б", "7,91E+10"], [1234567890123456, "В Г", "89120000000"]]
    job = applied(workbook(rows), name="b.xlsx", kind="patients")
    assert job.failed == 2


def test_rejected_rows_come_back_with_reasons_and_load_when_corrected():
    rows = [PATIENTS[0], *PATIENTS[1:], ["=Злодей Иван", "31.02.1980", "123", "", "жен", "103"]]
    job = applied(csv_text(rows).encode(), language="en")
    assert (job.created, job.failed) == (2, 1)
    with override("en"):
        header, body = rejected_table(job)
        data = csv_bytes(header, list(body))
    table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert table[1][0] == "'=Злодей Иван"
    assert "birth date" in table[1][-1]
    corrected = data.decode("utf-8-sig").replace("31.02.1980", "28.02.1980").replace(";123;", ";89120000000;")
    again = applied(corrected.encode())
    assert (again.created, again.failed) == (1, 0)
    assert Patient.objects.get(card_number="103").last_name == "=Злодей"


def test_a_row_has_one_fate_a_bad_payment_takes_its_visit_along():
    rows = [[*VISITS[0], "Оплачено"], [*VISITS[1], "-5"], [*VISITS[3], ""]]
    job = applied(csv_text(rows).encode())
    assert (job.created, job.failed) == (1, 1)
    assert Visit.objects.count() == 1
    assert not Patient.objects.filter(last_name="Иванова").exists()


def test_the_mapping_is_remembered_for_files_with_the_same_columns():
    rows = [["Кто", "Мобила", "№"], ["Иванова Анна", "89123456789", "101"]]
    by = make.actor()
    job = received(csv_text(rows).encode(), kind="patients", by=by)
    assert job.mapping == ["", "", ""]
    actions.choose_columns(
        job_id=job.pk, kind="patients", mapping=["full_name", "phones", "card_number"], by=by, now=NOW
    )
    actions.start_import(job_id=job.pk, by=by, now=NOW)
    turned = [[row[2], row[0], row[1]] for row in rows]
    assert received(csv_text(turned).encode(), kind="patients").mapping == ["card_number", "full_name", "phones"]


def test_columns_that_are_missing_are_named_before_anything_starts():
    job = received(csv_text([["Врач", "Услуга"], ["А", "Б"]]).encode(), kind="visits")
    with pytest.raises(actions.jobs.receive.WrongColumns):
        actions.start_import(job_id=job.pk, by=make.actor(), now=NOW)


def test_the_preview_says_what_would_happen_and_changes_nothing():
    job = received(csv_text([*PATIENTS, ["Без Даты", "вчера", "", "", "", "7"]]).encode())
    seen = actions.dry_run(job=job, by=make.actor(), now=NOW)
    assert [one.status for one in seen] == ["created", "created", "failed"]
    assert "birth_date" in seen[2].errors
    assert not Patient.objects.exists()


def test_a_price_list_and_spend_come_in():
    prices = [
        ["Услуга", "Специальность", "Цена", "Себестоимость"],
        ["Приём кардиолога", "Кардиология", "2 500 ₽", "900"],
    ]
    assert applied(csv_text(prices).encode(), kind="services").created == 1
    assert Service.objects.get().price == 250000
    spend = [["Дата", "Канал", "Сумма"], ["01.02.2026", "Контекст", "1 000,50"], ["01.02.2026", "Контекст", "10"]]
    job = applied(csv_text(spend).encode(), kind="spend")
    assert (job.created, job.failed) == (2, 0)
    assert applied(csv_text(spend).encode(), kind="spend").unchanged == 2


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01\x02\x03binary\x00", b"PK\x03\x04broken", b"one\r\ntwo\r\n", b"\xd0\xcf\x11\xe0junk"]
)
def test_what_is_no_table_is_refused_in_one_line_and_not_kept(data, settings):
    with pytest.raises(BadFile):
        received(data)
    assert not ImportJob.objects.exists()
    assert not list((settings.MEDIA_ROOT / "imports").glob("*"))


def test_a_file_over_the_limit_is_refused_while_it_arrives(settings):
    settings.IMPORT_MAX_BYTES = 1000
    with pytest.raises(BadFile):
        received(b"a;b\r\n" * 1000)
    assert not list((settings.MEDIA_ROOT / "imports").glob("*"))
