"""Reach and clicks by day: entered by hand, or with spend from a file."""

from __future__ import annotations

import re
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from core.clock import local_date
from funnel.actions.traffic import set_traffic
from funnel.actions.traffic_file import BadFile, take_file
from funnel.forms.channels import TableForm, TrafficForm
from funnel.queries.channels import Key, traffic_days
from funnel.rules.table import MOST_ROWS, NoTable
from funnel.views.channels import actor_of, gone_to, source_tabs
from staff.access import needs
from staff.models import Clinic

KEY = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{1,18})", re.ASCII)
SHOWN = 100  # mistakes; who has more mends these first


@needs("edit_spend")
@require_http_methods(["GET", "POST"])
def traffic(request: HttpRequest) -> HttpResponse:
    """The page, and the day that is entered on it."""
    today = _today()
    form = TrafficForm(request.POST or None, today=today, initial={"date": today})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        values = {name: data[name] for name in ("channel", "reach", "clicks")}
        set_traffic(day=data["date"], **values, by=actor_of(request), now=timezone.now())
        messages.success(request, _("The day was entered."))
        return gone_to("funnel:traffic")
    return _page(request, form, TableForm())


@needs("edit_spend")
@require_POST
def traffic_file(request: HttpRequest) -> HttpResponse:
    """A file: all its rows, or none and what is wrong with which."""
    today = _today()
    table, mistakes = TableForm(request.POST, request.FILES), []
    if table.is_valid():
        try:
            taken = take_file(data=table.cleaned_data["file"], today=today, by=actor_of(request), now=timezone.now())
        except NoTable as error:
            table.add_error("file", _no_table(str(error.args[0])))
        except BadFile as error:
            mistakes = error.mistakes
            table.add_error("file", _("Nothing was taken: mend the rows below and send the file again."))
        else:
            said = ngettext("%(rows)d row was read", "%(rows)d rows were read", taken.rows) % {"rows": taken.rows}
            messages.success(
                request, _("%(read)s, new or changed: %(changed)d.") % {"read": said, "changed": taken.changed}
            )
            return gone_to("funnel:traffic")
    return _page(request, TrafficForm(today=today, initial={"date": today}), table, mistakes)


def _today() -> date:
    return local_date(timezone.now(), Clinic.objects.get(pk=1).tz)


def _no_table(reason: str) -> str:
    said = {
        "text": _("This is no text file. Save the table as CSV."),
        "heads": _("The first row must name the columns, a date among them, each once."),
        "empty": _("There are no rows in it."),
        "long": _("At most %(most)d rows at once.") % {"most": MOST_ROWS},
        "shape": _("The table is broken: a quotation mark is not closed."),
    }
    return said[reason]


def _page(
    request: HttpRequest, form: TrafficForm, table: TableForm, mistakes: list[tuple[int, str, str]] | None = None
) -> HttpResponse:
    days = traffic_days(after=_key(request.GET.get("after", "")))
    context = {
        "form": form,
        "table": table,
        "mistakes": (mistakes or [])[:SHOWN],
        "more": max(len(mistakes or []) - SHOWN, 0),
        "days": days.rows,
        "after": f"{days.after[0].isoformat()}_{days.after[1]}" if days.after else "",
        "tabs": source_tabs(request),
    }
    return render(request, "funnel/traffic.html", context, status=422 if form.errors or table.errors else 200)


def _key(text: str) -> Key | None:
    match = KEY.fullmatch(text)
    try:
        return (date.fromisoformat(match[1]), int(match[2])) if match else None
    except ValueError:
        return None
