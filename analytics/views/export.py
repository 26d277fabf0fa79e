"""Tables to take away: XLSX and CSV, each noted in the audit log with its number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from analytics.rules.sheet import Column, Sheet
from analytics.views.figures import value_of
from analytics.views.filters import actor_of
from core.export import csv_chunks, xlsx_bytes
from staff.actions import record

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def plain(column: Column, value: Any) -> object:
    """A cell as a spreadsheet wants it: money in roubles, shares as fractions, dates as dates."""
    if value is None or not column.is_figure:
        return value if isinstance(value, date) or value is None else str(value)
    number = value_of(value)
    return Decimal(number) / 100 if column.kind == "money" and number is not None else number


def plain_rows(
    columns: Sequence[Column], rows: Iterable[Sequence[Any]], kinds: Sequence[str] = ()
) -> Iterator[list[object]]:
    """`kinds`: of each row, where a table stands on its side."""
    for at, row in enumerate(rows):
        first, *rest = columns
        kept = [first, *[Column(column.name, kinds[at]) for column in rest]] if kinds else columns
        yield [plain(column, value) for column, value in zip(kept, row, strict=True)]


def sheet_response(request: HttpRequest, sheet: Sheet, fmt: str) -> HttpResponseBase:
    rows = [*sheet.rows, *([sheet.foot] if sheet.foot else [])]
    return table_response(request, sheet.slug, sheet.columns, rows, count=len(rows), fmt=fmt, kinds=sheet.kinds)


def table_response(
    request: HttpRequest,
    name: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    *,
    count: int,
    fmt: str,
    kinds: Sequence[str] = (),
) -> HttpResponseBase:
    """The file. It is noted before the first byte leaves: a download that breaks off has still shown data."""
    if fmt not in ("csv", "xlsx"):
        raise Http404
    now = timezone.now()
    record(by=actor_of(request), deed="export_data", now=now, object_kind="table", note=f"{name} {fmt}, rows: {count}")
    head, body = [str(column.name) for column in columns], plain_rows(columns, rows, kinds)
    response: HttpResponse | StreamingHttpResponse
    if fmt == "xlsx":
        response = HttpResponse(xlsx_bytes(head, body, name), content_type=XLSX)
    else:
        response = StreamingHttpResponse(csv_chunks(head, body), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{now:%Y-%m-%d}.{fmt}"'
    return response
