"""What a folder's load rejects (metrics.md section 2): named by file and row, while the good rows are kept."""

import csv

import pytest

from mis.actions.folder import RejectedAny
from mis.models import WaitingRow
from patients.models import Patient
from staff.models import Branch
from tests.mis.folders import CLINIC90, changed_folder, load

pytestmark = pytest.mark.django_db


def rows_of(path):
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def one(rows, **conditions):
    return next(row for row in rows if all(row[name] == value for name, value in conditions.items()))


def too_large_refund(rows):
    one(rows, kind="refund")["amount"] = "99999999.00"


def end_before_start(rows):
    rows[4]["end_at"] = "2001-01-01T00:00:00Z"


def cancelled_before_booking(rows):
    row = next(row for row in rows if row["cancelled_at"])
    row["cancelled_at"] = "2001-01-01T00:00:00Z"


def cancelled_without_status(rows):
    one(rows, status="completed")["cancelled_at"] = "2025-01-01T00:00:00Z"


def ring_of_merges(rows):
    rows[0]["merged_into"], rows[1]["merged_into"] = rows[1]["patient_id"], rows[0]["patient_id"]


def unknown_doctor(rows):
    rows[7]["doctor_id"] = "nobody"


def unknown_referrer(rows):
    rows[3]["referrer_id"] = "nobody"


def other_content_under_one_id(rows):
    rows.append({**rows[5], "birth_date": "1901-01-01"})


def bad_date(rows):
    rows[2]["birth_date"] = "31.02.1980"


def bad_money(rows):
    rows[2]["amount"] = "12,50"


def bad_tier(rows):
    rows[0]["tier"] = "gold"


FAULTS = [
    ("payments", too_large_refund, "amount"),
    ("appointments", end_before_start, "end_at"),
    ("appointments", cancelled_before_booking, "cancelled_at"),
    ("appointments", cancelled_without_status, "cancelled_at"),
    ("patients", ring_of_merges, "merged_into"),
    ("appointments", unknown_doctor, "doctor_id"),
    ("patients", unknown_referrer, "referrer_id"),
    ("patients", other_content_under_one_id, "patient_id"),
    ("patients", bad_date, "birth_date"),
    ("items", bad_money, "amount"),
    ("services", bad_tier, "tier"),
]


@pytest.mark.parametrize(("table", "fault", "field"), FAULTS, ids=[fault.__name__ for _t, fault, _f in FAULTS])
def test_a_bad_row_is_named_and_the_good_ones_are_kept(tmp_path, table, fault, field):
    folder = changed_folder(tmp_path, **{table: fault})
    with (
        (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file,
        (CLINIC90 / f"{table}.csv").open(newline="", encoding="utf-8") as old,
    ):
        rows, before = list(csv.reader(file)), list(csv.reader(old))
    wrong = {n for n, row in enumerate(rows, 1) if n > len(before) or row != before[n - 1]}
    report, rejected = load(folder, batch=5000)
    named = {one.row for one in rejected if one.file == f"{table}.csv" and one.field == field}
    assert wrong <= named, (wrong, rejected[:5])
    loaded = next(file for file in report.files if file.name == {"visits": "appointments"}.get(table, table))
    assert loaded.created + loaded.failed == loaded.rows
    assert loaded.created > 0


def test_all_or_nothing_keeps_nothing(tmp_path):
    folder = changed_folder(tmp_path, items=bad_money)
    with pytest.raises(RejectedAny):
        load(folder, all_or_nothing=True)
    assert not Patient.objects.exists()
    assert not Branch.objects.exists()


def test_a_ring_of_merges_across_batches_is_found(tmp_path):
    def ring(rows):
        ids = [row["patient_id"] for row in rows]
        for at, row in enumerate(rows):
            row["merged_into"], row["referrer_id"] = ids[(at + 50) % len(ids)], ""

    folder = changed_folder(tmp_path, patients=ring)
    report, rejected = load(folder, batch=10)
    patients = next(file for file in report.files if file.name == "patients")
    assert patients.failed == patients.rows
    assert {one.field for one in rejected if one.file == "patients.csv"} == {"merged_into"}
    assert not WaitingRow.objects.filter(resource="patients").exists()


def test_the_same_row_twice_counts_once(tmp_path):
    folder = changed_folder(tmp_path, payments=lambda rows: rows.append(dict(rows[0])))
    report, rejected = load(folder)
    assert not rejected
    payments = next(file for file in report.files if file.name == "payments")
    assert (payments.repeated, payments.created, payments.rows) == (1, 377, 377)
