"""Workbooks (xlsx, xls, ods) and text tables behind one function; bombs are refused before they are opened."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from core.sealed import Readable
from mis.queries.tables import BadFile, csv_rows, delimiter_of, encoding_of

CSV, BOOK = "csv", "book"
MAX_UNPACKED = 300 * 1024 * 1024  # what a reader of workbooks takes into memory at once
MAX_ENTRIES = 2000
MAX_COLUMNS = 200
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
HEADER_WITHIN = 20  # rows above the header: titles, dates of the report


@dataclass(frozen=True)
class Form:
    """How a file is read; kept with the job, so that preview and worker read alike."""

    form: str  # csv or book
    encoding: str = ""
    delimiter: str = ""


def form_of(path: Readable) -> Form:
    """Detected once. Raises BadFile for what is no table."""
    with path.open("rb") as file:
        head = file.read(4)
    if head == ZIP:
        refuse_bomb(path)
        return Form(BOOK)
    if head == OLE:
        return Form(BOOK)
    if not head:
        raise BadFile(_("the file is empty"))
    encoding = encoding_of(path)
    with path.open("rb") as file:
        if encoding in ("cp1251", "utf-8") and b"\x00" in file.read(4096):
            raise BadFile(_("this is no table: only CSV, XLSX, XLS and ODS are read"))
    return Form(CSV, encoding, delimiter_of(path, encoding))


def refuse_bomb(path: Readable) -> None:
    """Raises BadFile if the archive unpacks to more than MAX_UNPACKED, or to more than it says.

    Each entry is unpacked into nothing: Python stops at the declared size and then compares the checksum, so an entry
    that lies about its size is found out, too.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise BadFile(_("the workbook unpacks to more than 300 MB: save the sheet as CSV"))
            for entry in entries:
                _unpack(archive, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BadFile(_("the workbook is damaged and cannot be opened")) from error


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as stream:
        while stream.read(1 << 20):
            pass


def rows_of(path: Readable, form: Form) -> Iterator[tuple[int, list[Any]]]:
    """(number of the row as a spreadsheet shows it, cells); empty rows are left out. Raises BadFile."""
    if form.form == CSV:
        return iter(csv_rows(path, form.encoding, form.delimiter))
    return _book_rows(path)


def _book_rows(path: Readable) -> Iterator[tuple[int, list[Any]]]:
    try:
        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as book:
            sheet = _first_filled(book)
            for number, cells in enumerate(sheet.iter_rows(), 1 + (sheet.start or (0, 0))[0]):
                if any(cell not in ("", None) for cell in cells):
                    yield number, cells
    except (CalamineError, OSError, ValueError) as error:
        raise BadFile(_("the workbook is damaged and cannot be opened")) from error


def _first_filled(book: Any) -> Any:
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        if sheet.height:
            return sheet
    raise BadFile(_("the workbook has no filled sheet"))


def with_header(path: Readable, form: Form) -> tuple[list[str], Iterator[tuple[int, list[Any]]]]:
    """The header and the rows below it. Titles above the header are passed over: the header is the first row that
    has as many texts as the widest of the first rows. Raises BadFile.
    """
    rows = rows_of(path, form)
    first = [row for _n, row in zip(range(HEADER_WITHIN), rows, strict=False)]
    if not first:
        raise BadFile(_("the file is empty"))
    width = max(_filled(cells) for _number, cells in first)
    at = next(i for i, (_number, cells) in enumerate(first) if _filled(cells) * 2 > width)
    header = [str(cell).strip() if cell is not None else "" for cell in first[at][1]]
    if len(header) > MAX_COLUMNS:
        raise BadFile(_("more than %(limit)d columns") % {"limit": MAX_COLUMNS})
    if _filled(header) < 2:
        raise BadFile(_("only one column was found: is this a table with a header?"))
    return header, chain(first[at + 1 :], rows)


def _filled(cells: list[Any]) -> int:
    return sum(cell not in ("", None) for cell in cells)
