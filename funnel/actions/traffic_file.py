"""A file of traffic or of spend, made in a spreadsheet: all of it is taken, or nothing and every mistake is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from core.names import clean_text, folded
from funnel.actions.traffic import BadRows, FileRow, take_spend, take_traffic
from funnel.models import Spend
from funnel.queries.channels import channels_named
from funnel.rules.table import day_in, is_spend, money_in, read_table, whole_in
from patients.models import Channel
from staff.access import Actor


class BadFile(ValueError):
    """What is wrong, by row: [(number of the row in the file, column, reason)]. Nothing was written."""

    def __init__(self, mistakes: list[tuple[int, str, str]]) -> None:
        super().__init__(f"{len(mistakes)} mistakes")
        self.mistakes = mistakes


@dataclass(frozen=True)
class Taken:
    """`rows` of the file, of which `changed` said something new."""

    rows: int
    changed: int


def take_file(*, data: bytes, today: date, by: Actor, now: datetime) -> Taken:
    """Traffic, or spend where the table has amounts. Raises `funnel.rules.table.NoTable`, BadFile."""
    table = read_table(data)
    reader = _Reader(channels_named(), today)
    spend = is_spend(table[0][1])
    rows = [reader.row(number, cells, spend=spend) for number, cells in table]
    if reader.mistakes:
        raise BadFile(reader.mistakes)
    try:
        changed = (take_spend if spend else take_traffic)(rows=rows, by=by, now=now)
    except BadRows as error:
        raise BadFile(
            [
                (table[index][0], field, reason)
                for index, fields in sorted(error.errors.items())
                for field, reasons in fields.items()
                for reason in reasons
            ]
        ) from error
    return Taken(len(rows), changed)


class _Reader:
    """Reads cells and collects what cannot be read, so that a person mends a file once and not row by row."""

    def __init__(self, channels: dict[str, Channel | None], today: date) -> None:
        self.channels, self.today = channels, today
        self.mistakes: list[tuple[int, str, str]] = []

    def row(self, number: int, cells: dict[str, str], *, spend: bool) -> FileRow:
        def cell(name: str, read: Callable[[str], Any], said: str) -> Any:
            try:
                return read(cells.get(name, ""))
            except ValueError:
                self.mistakes.append((number, name, said))
                return None

        day = cell("date", self._day, _("must be a day that has been, such as 31.05.2026"))
        channel = cell("channel", self._channel, _("there is no such source, or there are two of that name"))
        if spend:
            values = {
                "amount": cell("amount", _above_zero, _("must be an amount above zero such as 1234.50")),
                "purpose": cell("purpose", _purpose, _("must be acquisition or retention")),
                "note": clean_text(cells.get("note", ""))[:300],
            }
        else:
            said = _("must be a whole number")
            values = {name: cell(name, whole_in, said) for name in ("reach", "clicks")}
        return FileRow(channel, day, values)

    def _day(self, text: str) -> date:
        day = day_in(text)
        if not date(1971, 1, 1) <= day <= self.today:
            raise ValueError(text)
        return day

    def _channel(self, text: str) -> Channel | None:
        if not text:
            return None
        found = self.channels.get(folded(text))
        if found is None:
            raise ValueError(text)
        return found


def _above_zero(text: str) -> str:
    amount = money_in(text)
    if amount.startswith("-") or not amount.strip("0."):
        raise ValueError(text)
    return amount


def _purpose(text: str) -> str:
    """Empty is acquisition: what most files are of. As the code or as the page says it."""
    if not text:
        return Spend.Purpose.ACQUISITION.value
    words = {folded(word): one.value for one in Spend.Purpose for word in (one.value, str(one.label))}
    if folded(text) not in words:
        raise ValueError(text)
    return words[folded(text)]
