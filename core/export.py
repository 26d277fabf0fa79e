"""Tables written for spreadsheets: CSV and XLSX, with text that a spreadsheet would run made harmless (ASVS 1.2.10).

Rows are sequences of plain values (str, int, float, Decimal, date, None). Nothing here knows HTTP.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import xlsxwriter

TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
# What begins with a trigger and still cannot be a formula: a phone, several phones, a negative number.
PHONES = re.compile(r"\+\d[\d ()\-]{6,20}(?:[;,] ?\+\d[\d ()\-]{6,20})*")
NUMBER = re.compile(r"[+-]\d{1,15}(?:[.,]\d{1,6})?")
GUARD = "'"
CHUNK_ROWS = 500
XLSX_MAX_ROWS = 1_048_576  # of the file format, the header included

Cell = object
Row = Sequence[Cell]


class TooManyRows(ValueError):
    """More rows than a sheet of a workbook can hold."""


def harmless(text: str) -> str:
    """The text with a quote before it if a spreadsheet would take it for a formula: '=1+1' -> "'=1+1".

    Phones ('+79123456789') and negative numbers come out as they are, so that they survive export -> import.
    """
    if not text.startswith(TRIGGERS) or PHONES.fullmatch(text) or NUMBER.fullmatch(text):
        return text
    return GUARD + text


def unguarded(text: str) -> str:
    """The reverse of `harmless`, for reading our own exports."""
    return text[1:] if text.startswith(GUARD) and text[1:].startswith(TRIGGERS) else text


def cell_text(value: Cell) -> str:
    """How a value stands in CSV: dates as ISO 8601, None as an empty cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="seconds")
    return str(value)


def csv_chunks(header: Sequence[str], rows: Iterable[Row], delimiter: str = ";") -> Iterator[bytes]:
    """CSV in UTF-8 with BOM, piece by piece: as many rows as there are, in flat memory.

    The default `;` and the BOM are what Excel in Russian opens with a double click.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow([harmless(str(name)) for name in header])
    yield b"\xef\xbb\xbf"
    for number, row in enumerate(rows, 1):
        writer.writerow([cell_text(value) for value in row])
        if number % CHUNK_ROWS == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    data = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return data


def csv_bytes(header: Sequence[str], rows: Iterable[Row], delimiter: str = ";") -> bytes:
    """The whole of `csv_chunks`, for small tables."""
    return b"".join(csv_chunks(header, rows, delimiter))


def xlsx_bytes(header: Sequence[str], rows: Iterable[Row], sheet: str = "Data") -> bytes:
    """A workbook of one sheet. Text stays text (never a formula or a link), numbers and dates are real ones.

    Raises TooManyRows past the format's 1 048 576 rows.
    """
    with TemporaryDirectory(prefix="export") as folder:
        path = Path(folder) / "table.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": folder}
        with xlsxwriter.Workbook(str(path), options) as book:
            _write_sheet(book, header, rows, sheet)
        return path.read_bytes()


def _write_sheet(book: xlsxwriter.Workbook, header: Sequence[str], rows: Iterable[Row], sheet: str) -> None:
    page = book.add_worksheet(sheet[:31])
    formats: dict[type, str] = {dt.date: "dd.mm.yyyy", dt.datetime: "dd.mm.yyyy hh:mm"}
    looks = {kind: book.add_format({"num_format": text}) for kind, text in formats.items()}
    page.write_row(0, 0, [harmless(str(name)) for name in header], book.add_format({"bold": True}))
    page.freeze_panes(1, 0)
    for number, row in enumerate(rows, 1):
        if number >= XLSX_MAX_ROWS:
            raise TooManyRows(f"more than {XLSX_MAX_ROWS - 1} rows")
        for column, value in enumerate(row):
            if value is not None:
                plain = _sheet_value(value)
                page.write(number, column, plain, looks.get(type(plain)))


def _sheet_value(value: Cell) -> Cell:
    """Numbers and dates as the workbook knows them (it knows no time zones), everything else as harmless text."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int | float | dt.date) and not isinstance(value, bool):
        return value
    return cell_text(value)
