"""The manager's first page: where the money is lost, and what to do about it today."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analytics.queries.board import Board, board
from analytics.queries.lens import Lens
from analytics.views import board_panels, tiles
from analytics.views.filters import looked_through
from analytics.views.kept import figures
from analytics.views.panels import Panel
from staff.access import needs


@needs("see_dashboard")
def dashboard(request: HttpRequest) -> HttpResponse:
    lens, bar = looked_through(request)
    found = _board(lens)
    context = {
        "page": "dashboard",
        "bar": bar,
        "empty": found.empty,
        "may_export": lens.actor.may("export_data"),
        "may_import": lens.actor.may("import_files"),
        "may_reception": lens.actor.may("see_today"),
    }
    if not found.empty:
        context |= {"groups": tiles.groups(found, lens), "panels": board_panels.panels(found, lens)}
    return render(request, "analytics/dashboard.html", context, status=bar.status)


def _board(lens: Lens) -> Board:
    """The figures, worked out once for the data as they are."""
    return Board.restored(figures("dashboard", lens, partial(board, lens)))


def panels_of(request: HttpRequest) -> list[Panel]:
    """The panels of the address, for the export of one."""
    lens, _bar = looked_through(request)
    return board_panels.panels(_board(lens), lens)
