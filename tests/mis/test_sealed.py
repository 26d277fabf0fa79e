"""The files that people send lie on the disk encrypted; everything that is done with them works all the same."""

from __future__ import annotations

import io

import pytest
import xlsxwriter

from mis.actions.jobs import receive_file
from mis.queries.jobs import original_of, originals, preview_of
from tests import make

pytestmark = pytest.mark.django_db
TEXT = "Фамилия;Имя;Телефон\nСоколова;Анна;+79123456789\n" * 3


def book() -> bytes:
    raw = io.BytesIO()
    with xlsxwriter.Workbook(raw, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for number, line in enumerate(TEXT.splitlines()[:2]):
            sheet.write_row(number, 0, line.split(";"))
    return raw.getvalue()


@pytest.mark.parametrize(
    ("name", "raw"), [("a.csv", TEXT.encode("cp1251")), ("a.csv", TEXT.encode("utf-16")), ("a.xlsx", book())]
)
def test_a_file_that_was_sent_is_sealed_and_previewed(name: str, raw: bytes):
    job = receive_file(
        chunks=[raw[:50], raw[50:]], file_name=name, source_code="mis", by=make.actor(), now=make.NOW, kind="patients"
    )
    (stored,) = originals().iterdir()
    assert stored.stat().st_mode & 0o777 == 0o600
    for clue in ("Соколова".encode("cp1251"), b"79123456789", b"PK\x03\x04", "Соколова".encode("utf-16-le")):
        assert clue not in stored.read_bytes()
    with original_of(job).open("rb") as file:
        assert file.read() == raw
    assert "Соколова" in str(preview_of(job))


def test_after_a_rotation_of_the_secret_key_the_file_is_still_read(settings):
    job = receive_file(
        chunks=[TEXT.encode()], file_name="a.csv", source_code="mis", by=make.actor(), now=make.NOW, kind="patients"
    )
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "rotated" + "2" * 50
    assert "Соколова" in str(preview_of(job))
