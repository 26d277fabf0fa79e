"""The very rows of a metric: on a page, and to take away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.metrics import REGISTRY, BadParams, NotAllowed
from analytics.metrics.columns import COLUMNS
from analytics.queries import row_page
from analytics.queries.lens import Lens
from analytics.queries.row_page import Names, Rows
from analytics.queries.rows import BadCursor, read_cursor, write_cursor
from analytics.rules.sheet import Column, Sheet
from analytics.views.export import table_response
from analytics.views.filters import Bar, changed, looked_through
from analytics.views.panels import Panel
from analytics.views.value_panels import GROUPS
from analytics.views.words import AUDIENCES, HEADS, OF_COLUMN, unknown_or, word
from staff.access import needs

SIZE = 50
KINDS = {"money": "money", "day": "day", "int": "count"}


@needs("see_metric_rows")
def rows(request: HttpRequest, slug: str) -> HttpResponse:
    """A page of rows. 404 for an unknown metric; wrong parameters are named on the page (422)."""
    lens, bar, found, errors = _asked(request, slug)
    if found is None:
        context = {"metric": REGISTRY[slug], "bar": bar, "errors": errors}
        return render(request, "analytics/rows.html", context, status=422)
    page = row_page.page(found, _after(request, found), SIZE + 1)
    context = _context(request, lens, bar, found, page)
    return render(request, "analytics/rows.html", context, status=bar.status)


@needs("export_data")
def rows_export(request: HttpRequest, slug: str, fmt: str) -> HttpResponseBase:
    """All rows of the same address."""
    lens, _bar, found, _errors = _asked(request, slug)
    if found is None:
        raise Http404
    columns = _columns(found, named=lens.actor.may("see_card"))
    return table_response(request, slug, columns, _all(found, lens), count=row_page.count(found), fmt=fmt)


def _asked(request: HttpRequest, slug: str) -> tuple[Lens, Bar, Rows | None, dict[str, str]]:
    if slug not in REGISTRY:
        raise Http404
    lens, bar = looked_through(request)
    raw = {name: str(value) for name, value in request.GET.items() if value}
    if "from" in REGISTRY[slug].params:
        raw |= {"from": lens.period.first.isoformat(), "to": lens.period.last.isoformat()}
    try:
        return lens, bar, row_page.rows_of(REGISTRY[slug], lens, raw), {}
    except NotAllowed as error:
        raise PermissionDenied from error
    except BadParams as error:
        return lens, bar, None, error.errors


def _after(request: HttpRequest, found: Rows) -> list[int | str] | None:
    cursor = request.GET.get("after")
    try:
        return read_cursor(found.facts.key, cursor) if cursor else None
    except BadCursor as error:
        raise Http404 from error


def _context(request: HttpRequest, lens: Lens, bar: Bar, found: Rows, page: list[dict[str, Any]]) -> dict[str, Any]:
    shown = page[:SIZE]
    names = row_page.names_for(shown, lens)
    key = [shown[-1][name] for name in found.facts.key] if len(page) > SIZE else None
    sheet = Sheet(
        slug=found.metric.slug,
        title=str(found.metric.name),
        columns=_columns(found, named=bool(names.people)),
        rows=[_row(row, found, names) for row in shown],
        urls=_cards(shown, names),
    )
    return {
        "metric": found.metric,
        "bar": bar,
        "panel": Panel(sheet, currency=lens.currency),
        "columns": [(str(HEADS[name]), COLUMNS[name].text) for name in found.columns],
        "next_url": changed(request, {"after": write_cursor(key)}) if key else "",
        "first_url": changed(request, {}) if request.GET.get("after") else "",
        "wheres": [_where(request, name, value) for name, value in found.where.items()],
        "params": _params(found),
        "standing": "from" not in found.metric.params,
        "may_export": lens.actor.may("export_data"),
    }


def _where(request: HttpRequest, name: str, value: str) -> dict[str, Any]:
    """A chip: which column is narrowed down, and the address without it."""
    said = word(OF_COLUMN.get(name, {}), value) if COLUMNS[name].kind == "text" else _yes_no(value in ("1", "true"))
    return {"label": f"{HEADS[name]}: {said}", "url": changed(request, {name: None})}


def _params(found: Rows) -> str:
    """Parameters of the metric other than the period, as people say them."""
    said = {"year": _("year"), "days": _("days"), "months": _("months"), "by": _("groups"), "audience": _("audience")}
    shown = {
        name: (AUDIENCES if name == "audience" else GROUPS).get(value, value) for name, value in found.params.items()
    }
    return ", ".join(f"{said[name]}: {value}" for name, value in shown.items() if name in said)


def _columns(found: Rows, *, named: bool) -> list[Column]:
    """One heading a column; the patient's name, where it may be seen, stands before the code."""
    columns = [Column(str(HEADS[name]), KINDS.get(COLUMNS[name].kind, "text")) for name in found.columns]
    return [Column(_("Name"), "text"), *columns] if named else columns


def _row(row: dict[str, Any], found: Rows, names: Names) -> list[Any]:
    cells = [_said(name, row_page.cell(name, row, found, names)) for name in found.columns]
    return [names.people.get(row["patient_id"] or 0, ""), *cells] if names.people else cells


def _said(name: str, value: Any) -> Any:
    kind = COLUMNS[name].kind
    if kind == "flag":
        return _yes_no(bool(value))
    if name == "grp":
        return unknown_or(str(value))
    return word(OF_COLUMN[name], value) if name in OF_COLUMN and value else value


def _yes_no(value: bool) -> str:
    return _("yes") if value else _("no")


def _cards(shown: list[dict[str, Any]], names: Names) -> list[str]:
    """Address of each row's patient card, for those who may open it."""
    return [card_url(row["patient_id"]) if row["patient_id"] in names.people else "" for row in shown]


def card_url(patient_id: int) -> str:
    return reverse("reception:card", args=[patient_id])


def _all(found: Rows, lens: Lens) -> Iterator[list[Any]]:
    """Row by row; names are asked for batch by batch, so memory stays flat."""
    named = lens.actor.may("see_card")
    for batch in row_page.batches(found):
        names = row_page.names_for(batch, lens)
        for row in batch:
            cells = [_said(name, row_page.cell(name, row, found, names)) for name in found.columns]
            yield [names.people.get(row["patient_id"] or 0, ""), *cells] if named else cells
