"""What is wrong with a whole file of a folder, and what the command says: one clear line, nothing loaded."""

import csv
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from mis.queries.folder import BadFolder
from patients.models import Patient
from tests.mis.folders import changed_folder, load
from tests.mis.test_folder_rejects import bad_date

pytestmark = pytest.mark.django_db


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
