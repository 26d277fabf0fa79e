"""A small table from a spreadsheet program: which column is which, and what its cells mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from core.names import folded

MOST_ROWS = 5_000
DELIMITERS = (";", "\t", ",")
# Name of a column -> how people head it.
HEADS = {
    "date": ("date", "day", "дата", "день"),
    "channel": ("channel", "source", "канал", "источник"),
    "reach": ("reach", "impressions", "охват", "показы"),
    "clicks": ("clicks", "клики", "переходы", "трафик"),
    "amount": ("amount", "spend", "cost", "сумма", "расход", "затраты"),
    "purpose": ("purpose", "what for", "назначение", "на что"),
    "note": ("note", "примечание", "заметка", "комментарий"),
}
NAMES = {folded(head): name for name, heads in HEADS.items() for head in heads}


class NoTable(ValueError):
    """`args[0]`: "text" (no text at all), "heads" (the first row names no day), "empty", "long" or "shape"."""


def read_table(data: bytes) -> list[tuple[int, dict[str, str]]]:
    """(number of the row as a spreadsheet shows it, {column: cell}); unknown columns are left out. Raises NoTable."""
    text = _decoded(data)
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), strict=True)
    try:
        heads = [NAMES.get(folded(cell), "") for cell in next(rows, [])]
        if "date" not in heads or any(heads.count(name) > 1 for name in heads if name):
            raise NoTable("heads")
        found = []
        for number, cells in enumerate(rows, 2):
            if any(cell.strip() for cell in cells):
                given = zip(heads, cells, strict=False)
                found.append((number, {name: cell.strip() for name, cell in given if name}))
            if len(found) > MOST_ROWS:
                raise NoTable("long")
    except csv.Error as error:
        raise NoTable("shape") from error
    if not found:
        raise NoTable("empty")
    return found


def _decoded(data: bytes) -> str:
    """UTF-8, or what Excel writes in Russian."""
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise NoTable("text")


def day_in(cell: str) -> date:
    """2026-05-31 or 31.05.2026. Raises ValueError."""
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(cell, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise ValueError(cell)


def whole_in(cell: str) -> int:
    """'1 200' -> 1200; an empty cell is 0. Raises ValueError."""
    bare = _bare(cell)
    if not bare:
        return 0
    if not (bare.isascii() and bare.isdigit() and len(bare) <= 12):
        raise ValueError(cell)
    return int(bare)


def money_in(cell: str) -> str:
    """'1 234,5' -> '1234.50', as amounts are written at every door. Raises ValueError."""
    bare = _bare(cell).replace(",", ".")
    try:
        value = Decimal(bare)
    except InvalidOperation as error:
        raise ValueError(cell) from error
    if not value.is_finite() or value != round(value, 2):
        raise ValueError(cell)
    return f"{value:.2f}"


def _bare(cell: str) -> str:
    return "".join(cell.split())


def is_spend(row: Mapping[str, str]) -> bool:
    """A table with amounts is one of spend, with reach or clicks one of traffic."""
    return "amount" in row
