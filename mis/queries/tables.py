"""Text tables read as a stream: encoding and delimiter are decided once, rows come one at a time."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from core.sealed import Readable

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DELIMITERS = (";", ",", "\t")
SAMPLE = 64 * 1024
CHUNK = 1 << 20
Numbered = tuple[int, list[str]]
csv.field_size_limit(1 << 20)


class BadFile(ValueError):
    """The file cannot be read as a table; the text is one line for a person."""


def encoding_of(path: Readable) -> str:
    """`utf-8-sig` and `utf-16` by their marks, `utf-8` if the whole file is that, else `cp1251` (Excel in Russian)."""
    with path.open("rb") as file:
        head = file.read(4)
        for mark, name in BOMS:
            if head.startswith(mark):
                return name
        file.seek(0)
        bare = _utf16_without_mark(file.read(SAMPLE))
    return bare or ("utf-8" if bad_byte(path) is None else "cp1251")


def _utf16_without_mark(sample: bytes) -> str:
    """UTF-16 shows itself by NULs in every other byte of spaces, digits and delimiters."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 20 < len(sample) or min(even, odd) * 4 > max(even, odd):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def bad_byte(path: Readable) -> int | None:
    """The line (from 1) of the first byte that is not UTF-8, or None."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return line + chunk.count(b"\n", 0, max(error.start, 0))
            line += chunk.count(b"\n")
    try:
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return line
    return None


def delimiter_of(path: Readable, encoding: str) -> str:
    """The delimiter that splits the first rows most evenly; commas inside cells must not win over `;`."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(SAMPLE)
    return max(DELIMITERS, key=lambda mark: _evenness(sample, mark))


def _evenness(sample: str, mark: str) -> tuple[float, int]:
    """(share of rows as wide as the header, columns of the header); one column is no table."""
    rows = []
    for row in csv.reader(sample.splitlines(keepends=True)[:60], delimiter=mark):
        if any(row):
            rows.append(len(row))
    if not rows or rows[0] < 2:
        return (0.0, 0)
    complete = rows[:-1] if len(rows) > 2 else rows  # the last row of the sample may be cut
    return (sum(width == rows[0] for width in complete) / len(complete), rows[0])


def csv_rows(path: Readable, encoding: str, delimiter: str) -> Iterator[Numbered]:
    """(number of the row as a spreadsheet shows it, cells); empty rows are left out. Raises BadFile."""
    with path.open(encoding=encoding, newline="") as file:
        number = 0
        try:
            for number, cells in enumerate(csv.reader(file, delimiter=delimiter), 1):
                if any(cells):
                    yield number, cells
        except UnicodeDecodeError as error:
            raise BadFile(
                _("row %(row)d is not %(encoding)s text") % {"row": number + 1, "encoding": encoding}
            ) from error
        except csv.Error as error:
            raise BadFile(_("row %(row)d cannot be read: %(error)s") % {"row": number + 1, "error": error}) from error


def json_rows(path: Readable) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number from 1, object) of a JSON array of objects, or of one object a line. Raises BadFile.

    Read in pieces: a file of millions of rows takes no more memory than its longest row.
    """
    decoder = json.JSONDecoder()
    number = 0
    with path.open(encoding="utf-8-sig") as file:
        buffer, at, ended = "", 0, False
        while True:
            at = _skip(buffer, at)
            if at < len(buffer):
                try:
                    value, end = decoder.raw_decode(buffer, at)
                    complete = end < len(buffer) or ended
                except json.JSONDecodeError as error:
                    value, end, complete = None, at, False
                    if ended or len(buffer) - at > 16 * CHUNK:
                        raise BadFile(_("row %(row)d is not JSON") % {"row": number + 1}) from error
                if complete:
                    number += 1
                    if not isinstance(value, dict):
                        raise BadFile(_("row %(row)d is no JSON object") % {"row": number})
                    yield number, value
                    at = end
                    continue
            elif ended:
                return
            try:
                more = file.read(CHUNK)
            except UnicodeDecodeError as error:
                raise BadFile(_("it is not UTF-8 text")) from error
            buffer, at, ended = buffer[at:] + more, 0, not more


def _skip(buffer: str, at: int) -> int:
    """Past spaces and the signs between the objects of an array."""
    while at < len(buffer) and buffer[at] in " \t\r\n,[]":
        at += 1
    return at
