"""What leaves as a table opens in a spreadsheet and runs nothing."""

import csv
import io
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook

from core.export import csv_bytes, csv_chunks, harmless, unguarded, xlsx_bytes

ATTACKS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\0=1",
    '=HYPERLINK("http://x")',
    "+7=1",
    "-1-1",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_text_that_a_spreadsheet_would_run_gets_a_quote_and_comes_back_whole(text):
    assert harmless(text) == "'" + text
    assert unguarded(harmless(text)) == text


@pytest.mark.parametrize(
    "text", ["+79123456789", "+7 912 345-67-89", "+79123456789; +74951234567", "-150.00", "Иванов", ""]
)
def test_phones_and_negative_amounts_leave_as_they_are(text):
    assert harmless(text) == text


def test_csv_opens_in_excel_and_reads_back():
    data = csv_bytes(["Имя", "Сумма"], [["=1+1", Decimal("-1.50")], ["Анна; Мария", None]])
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert rows == [["Имя", "Сумма"], ["'=1+1", "-1.50"], ["Анна; Мария", ""]]


def test_csv_of_many_rows_comes_in_pieces():
    pieces = list(csv_chunks(["n"], ([n] for n in range(2000))))
    assert len(pieces) > 3
    assert b"".join(pieces).count(b"\r\n") == 2001


def test_a_workbook_holds_text_as_text_and_numbers_as_numbers():
    data = xlsx_bytes(["Имя", "Сумма"], [[text, 5] for text in ATTACKS] + [["+79123456789", Decimal("-1.5")]])
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert sheet[0] == ["Имя", "Сумма"]
    assert sheet[1] == ["'=1+1", 5.0]
    assert sheet[-1] == ["+79123456789", -1.5]
    assert b"<f>" not in data
