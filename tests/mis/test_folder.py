"""A folder in the exchange format: loaded once, twice, in pieces or shuffled, the clinic is the same."""

import csv
import json
import shutil
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analytics.metrics import compute
from funnel.models import Spend
from mis import actions
from mis.actions.folder import RejectedAny
from mis.models import WaitingRow
from mis.queries.folder import BadFolder
from patients.models import Allocation, Channel, Patient, Payment, Service, Visit, VisitItem
from staff.models import Branch, Clinic, Doctor, Shift
from tests import make
from tests.clinics import random_clinic, shuffled, split, write_folder

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLINIC90 = Path(__file__).parents[1] / "data" / "clinic90"


def load(folder: Path, **options):
    """(report, rejected rows)."""
    rejected = []
    options = {"source_code": "mis", "by": make.actor(), "now": NOW, "batch": 200} | options
    return actions.import_folder(folder=folder, rejected=rejected.append, **options), rejected


COLUMNS = {
    Patient: "external_id created_at channel__external_id birth_date sex referrer__external_id merged_into__external_id"
    " canonical__external_id natural_churn_reason natural_churn_date is_test",
    Visit: "external_id patient__external_id doctor__external_id booked_at start_at end_at day status cancelled_at"
    " diagnosis recommended_return_date amount cost",
    VisitItem: "external_id visit__external_id service__tier amount cost",
    Payment: "external_id patient__external_id visit__external_id kind paid_at day value_day amount"
    " refund_of__external_id",
    Allocation: "payment__external_id visit__external_id amount",
    Spend: "external_id channel__external_id date amount purpose campaign_code",
    Shift: "external_id doctor__external_id start_at end_at",
    Channel: "external_id name kind",
    Doctor: "external_id name speciality",
    Service: "external_id name tier",
}


def facts(source: str = "mis") -> dict[str, list]:
    """Everything that figures are made of, by external ids."""
    found = {}
    for model, columns in COLUMNS.items():
        mine = {"payment__source__code": source} if model is Allocation else {"source__code": source}
        found[model.__name__] = sorted(model.objects.filter(**mine).values_list(*columns.split()), key=str)
    return found


def changed_folder(tmp_path: Path, **tables) -> Path:
    """clinic90 with rows changed: {file: function of its rows}."""
    folder = tmp_path / "folder"
    shutil.copytree(CLINIC90, folder)
    for name, change in tables.items():
        path = folder / f"{name}.csv"
        path.chmod(0o644)
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        rows = change(rows) or rows
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


# --- the same clinic however it comes --------------------------------------------------------------------------------
def test_clinic90_comes_in_whole_and_a_second_load_changes_nothing():
    report, rejected = load(CLINIC90)
    assert not rejected
    rows = {file.name: file.rows for file in report.files}
    said = json.loads((CLINIC90 / "clinic.json").read_text())["files"]
    assert rows == {name: said[name]["rows"] for name in rows}
    assert all(file.created == file.rows for file in report.files)
    assert sorted(report.skipped) == ["campaign_members", "campaigns", "leads", "surveys"]
    before = facts()
    again, _rejected = load(CLINIC90)
    assert all(file.unchanged == file.rows for file in again.files)
    assert facts() == before


FIGURES = ("average_check", "visit_frequency", "ltv_historical", "no_show", "cac", "revenue_by_service")


def test_figures_of_clinic90_are_those_that_were_expected(tmp_path):
    folder = changed_folder(tmp_path, appointments=lambda rows: rows[::-1], payments=lambda rows: rows[::-1])
    load(folder, batch=50)
    asked = json.loads((CLINIC90 / "expected.json").read_text())["requests"]
    asked = [one for one in asked if one["metric"] in FIGURES]
    assert len(asked) > 5
    for one in asked:
        assert compute(one["metric"], one["params"], NOW) == one["result"], one["metric"]


def test_the_clinic_is_set_up_once_and_differences_are_told_later():
    load(CLINIC90)
    clinic = Clinic.objects.get()
    assert (clinic.tz, clinic.currency, clinic.theta_days, clinic.went_live_at) == (
        "Asia/Yekaterinburg",
        "RUB",
        365,
        NOW,
    )
    assert Branch.objects.get().tz == "Asia/Yekaterinburg"
    Clinic.objects.update(theta_days=200)
    report, _rejected = load(CLINIC90, now=NOW + timedelta(days=1))
    assert Clinic.objects.get().theta_days == 200
    assert any("theta_days" in note and "365" in note for note in report.notes)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("batch", [7, 5000])
def test_shuffled_or_in_pieces_it_is_the_same_clinic(tmp_path, seed, batch):
    clinic = random_clinic(seed, patients=40)
    write_folder(clinic, tmp_path / "whole")
    _report, rejected = load(tmp_path / "whole", source_code="whole", batch=batch)
    assert not rejected
    whole = facts("whole")
    write_folder(shuffled(clinic, seed), tmp_path / "shuffled")
    for part, piece in enumerate(split(shuffled(clinic, seed), 3)):
        write_folder(piece, tmp_path / f"piece{part}")
        _report, rejected = load(tmp_path / f"piece{part}", batch=batch)
        assert not rejected
    assert facts() == whole
    report, _rejected = load(tmp_path / "shuffled", batch=batch)
    assert all(file.unchanged == file.rows for file in report.files)


def test_rows_in_the_wrong_order_wait_and_take_effect_with_a_later_load(tmp_path):
    clinic = random_clinic(3, patients=25)
    load_whole = tmp_path / "whole"
    write_folder(clinic, load_whole)
    empty = {table: [] for table in clinic if table != "clinic"} | {"clinic": clinic["clinic"]}
    children = empty | {name: clinic[name] for name in ("appointments", "items", "payments", "allocations")}
    parents = empty | {name: clinic[name] for name in ("patients", "channels", "doctors", "services")}
    write_folder(children, tmp_path / "children")
    write_folder(parents, tmp_path / "parents")
    first, rejected = load(tmp_path / "children")
    assert first.failed == sum(len(children[name]) for name in ("appointments", "items", "payments", "allocations"))
    assert {one.file for one in rejected} >= {"appointments.csv", "items.csv", "payments.csv"}
    assert not Visit.objects.exists()
    second, rejected = load(tmp_path / "parents")
    assert not rejected
    assert not WaitingRow.objects.exists()
    assert Visit.objects.count() == len(clinic["appointments"])
    assert sum(file.waited for file in second.files) == first.failed
    third, rejected = load(load_whole)
    assert not rejected
    assert all(file.unchanged == file.rows for file in third.files if file.name not in ("spend", "shifts"))


def test_json_files_say_the_same(tmp_path):
    folder = tmp_path / "json"
    folder.mkdir()
    for path in CLINIC90.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{k: v or None for k, v in row.items()} for row in csv.DictReader(file)]
        (folder / f"{path.stem}.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    shutil.copy(CLINIC90 / "clinic.json", folder)
    load(CLINIC90)
    before = facts()
    report, rejected = load(folder)
    assert not rejected
    assert all(file.unchanged == file.rows for file in report.files)
    assert facts() == before


# --- what section 2 rejects, with file and row -----------------------------------------------------------------------
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


# --- what is wrong with a whole file: one clear line, nothing loaded -------------------------------------------------
def rewritten(tmp_path, name, change):
    folder = changed_folder(tmp_path)
    path = folder / name
    path.chmod(0o644)
    path.write_bytes(change(path.read_bytes()))
    return folder


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("patients.csv", lambda data: data.replace(b"patient_id", b"patient", 1), "patients.csv: "),
        ("patients.csv", lambda data: data.replace(b"birth_date", b"sex", 1), "patients.csv: "),
        ("doctors.csv", lambda data: data.decode().encode("cp1251"), "doctors.csv: "),
        ("services.csv", lambda data: b"", "services.csv: "),
        ("clinic.json", lambda data: data.replace(b"Asia/Yekaterinburg", b"Asia/Nowhere"), "clinic.json: "),
        ("clinic.json", lambda data: b"{", "clinic.json: "),
    ],
)
def test_a_broken_file_is_one_clear_line_and_nothing_is_loaded(tmp_path, name, change, says):
    with pytest.raises(BadFolder) as error:
        load(rewritten(tmp_path, name, change))
    assert len(error.value.lines) == 1
    assert error.value.lines[0].startswith(says)
    assert not Patient.objects.exists()


def test_a_row_with_a_cell_too_few_is_named(tmp_path):
    folder = rewritten(tmp_path, "channels.csv", lambda data: data + b"CH99,lonely\n")
    report, rejected = load(folder)
    assert [(one.file, one.row) for one in rejected] == [("channels.csv", 8)]
    assert report.failed == 1


def test_a_missing_directory_is_said(tmp_path):
    with pytest.raises(BadFolder):
        load(tmp_path / "nowhere")
    with pytest.raises(CommandError, match="nowhere"):
        call_command("import_folder", str(tmp_path / "nowhere"), source="mis")


def test_the_command_names_rejected_rows_writes_them_down_and_exits_with_one(tmp_path):
    folder = changed_folder(tmp_path, patients=bad_date)
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command(
            "import_folder", str(folder), source="mis", rejects=tmp_path / "rejects.csv", stdout=out, stderr=err
        )
    assert stop.value.code == 1
    assert "patients.csv, row 4, birth_date" in err.getvalue() or "patients.csv, строка 4" in err.getvalue()
    rows = list(csv.DictReader((tmp_path / "rejects.csv").open(encoding="utf-8")))
    assert (rows[0]["file"], rows[0]["row"], rows[0]["field"]) == ("patients.csv", "4", "birth_date")
    assert "patients" in out.getvalue()


def test_reasons_name_nothing_personal(tmp_path):
    def phones(rows):
        return [row | {"phones": "555-тайна" if n == 3 else ""} for n, row in enumerate(rows)]

    _report, rejected = load(changed_folder(tmp_path, patients=phones))
    assert rejected[0].field == "phones"
    assert "тайна" not in rejected[0].reason


def test_unknown_columns_are_told_and_left_out(tmp_path):
    folder = changed_folder(tmp_path, doctors=lambda rows: [row | {"shoe_size": "43"} for row in rows])
    report, rejected = load(folder)
    assert not rejected
    assert any("shoe_size" in note for note in report.notes)
