"""Files that mean harm, and files that are only large."""

import io
import struct
import tracemalloc
import zipfile

import pytest

from mis import actions
from mis.models import RejectedRow
from mis.queries import books
from mis.queries.tables import BadFile
from patients.models import Patient
from tests import make
from tests.mis.files import PATIENTS, applied, csv_text, received, workbook
from tests.mis.folders import NOW

pytestmark = pytest.mark.django_db


def bomb(size: int) -> bytes:
    """A workbook whose sheet unpacks to `size` zeros."""
    data = io.BytesIO(workbook(PATIENTS))
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", b"\0" * size)
    return data.getvalue()


def test_a_zip_bomb_is_refused_by_its_declared_size(monkeypatch):
    monkeypatch.setattr(books, "MAX_UNPACKED", 5_000_000)
    data = bomb(6_000_000)
    assert len(data) < 50_000
    with pytest.raises(BadFile):
        received(data, name="bomb.xlsx")


def test_an_entry_that_lies_about_its_size_is_found_out():
    data = bytearray(bomb(6_000_000))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # local and central header
        place = data.rindex(b"xl/media/zeros.bin", 0, data.rindex(mark) + 200)
        start = data.rindex(mark, 0, place)
        data[start + at : start + at + 4] = struct.pack("<I", 10)
    with pytest.raises(BadFile):
        received(bytes(data), name="bomb.xlsx")


def test_an_entity_in_a_workbook_reads_no_file():
    source = zipfile.ZipFile(io.BytesIO(workbook(PATIENTS)))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in source.namelist():
            text = source.read(name)
            if name.endswith(("sharedStrings.xml", "sheet1.xml")):
                evil = b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                head, _mark, rest = text.partition(b"?>")
                text = head + b"?>" + evil + rest.replace("Иванова".encode(), b"&x;")
            archive.writestr(name, text)
    try:
        applied(data.getvalue(), name="evil.xlsx", kind="patients")
    except BadFile:
        return
    assert not Patient.objects.filter(last_name__contains="root").exists()
    assert not any("root:" in str(cell) for row in RejectedRow.objects.all() for cell in row.cells)


def test_formulas_come_in_as_they_are_and_leave_harmless():
    rows = [PATIENTS[0], ["=cmd|'/C calc'!A0 Иван", "31.05.1980", "", "", "м", "7"]]
    applied(csv_text(rows).encode())
    assert Patient.objects.get().last_name == "=cmd|'/C"


def folder_of(path, patients: int):
    path.mkdir()
    (path / "clinic.json").write_text('{"tz": "Europe/Moscow"}')
    with (path / "patients.csv").open("w", encoding="utf-8") as file:
        file.write("patient_id,created_at\n")
        file.writelines(f"P{n},2024-01-01T00:00:00Z\n" for n in range(patients))
    return path


def test_memory_does_not_grow_with_the_folder(tmp_path):
    def peak(patients: int) -> int:
        folder = folder_of(tmp_path / str(patients), patients)
        tracemalloc.start()
        actions.import_folder(
            folder=folder, source_code=f"s{patients}", by=make.actor(), now=NOW, batch=300, rejected=print
        )
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(300)  # what is loaded once
    few, many = peak(900), peak(4500)
    assert many < few * 1.5
