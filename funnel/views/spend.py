"""Spend: what was paid to win and keep patients, by month and source, and what a new patient cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.clock import local_date
from core.export import csv_bytes, xlsx_bytes
from core.money import parse_money
from funnel import actions
from funnel.forms.spend import SpendForm
from funnel.models import Spend
from funnel.queries import spend as queries
from patients.metrics import Period, Scope
from patients.models import Channel
from staff.access import Actor, needs
from staff.actions import record
from staff.models import Clinic

YEARS = 4
KEY = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{1,18})")
TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


@needs("edit_spend")
@require_http_methods(["GET", "POST"])
def spend(request: HttpRequest) -> HttpResponse:
    """The page, and the line that is added on it."""
    clinic = Clinic.objects.get(pk=1)
    today = local_date(timezone.now(), clinic.tz)
    if request.method == "POST":
        form = SpendForm(request.POST, today=today)
        if form.is_valid():
            actions.add_spend(**_cleaned(form), by=_actor(request), now=timezone.now())
            messages.success(request, _("The line was added."))
            return _back(form.cleaned_data["date"].year)
    else:
        form = SpendForm(today=today, initial={"date": today, "purpose": Spend.Purpose.ACQUISITION})
    context = _context(request, clinic, today) | {"form": form}
    return render(request, "funnel/spend.html", context, status=422 if form.errors else 200)


def _cleaned(form: SpendForm) -> dict[str, Any]:
    data = form.cleaned_data
    return {"day": data["date"], **{name: data[name] for name in ("channel", "purpose", "amount", "note")}}


@needs("edit_spend")
@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a line back by a line below zero; a second click changes nothing."""
    line = get_object_or_404(Spend, pk=pk)
    try:
        actions.take_back_spend(spend=line, by=_actor(request), now=timezone.now())
        messages.success(request, _("The line was taken back."))
    except actions.AlreadyTakenBack:
        messages.info(request, _("This line had been taken back before."))
    return _back(line.date.year)


def _back(year: int) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('funnel:spend')}?year={year}", status=303)


def _context(request: HttpRequest, clinic: Clinic, today: date) -> dict[str, Any]:
    year, channel = _year(request, today), _channel(request)
    period = Period(date(year, 1, 1), date(year, 12, 31))
    costs, metric = queries.channel_costs(_scope(clinic, today, _actor(request)), period)
    lines = queries.spend_lines(period, channel=channel, after=_key(request.GET.get("after")))
    return {
        "years": [
            {"label": str(y), "url": f"?year={y}", "current": y == year}
            for y in range(today.year - YEARS + 1, today.year + 1)
        ],
        "year": year,
        "months": _months(queries.spend_by_month(period), costs),
        "month_heads": [date_format(date(year, month, 1), "M") for month in range(1, 13)],
        "costs": [{"row": row, "spend": parse_money(row.spend), "cac": _minor(row.cac)} for row in costs],
        "blended": _whole(metric["blended"]),
        "paid": _whole(metric["paid"]),
        "lines": lines.rows,
        "next_url": _after(year, channel, lines.after),
        "first_url": f"?year={year}" if request.GET.get("after") else "",
        "currency": clinic.currency,
        "may_export": _actor(request).may("export_data"),
    }


def _scope(clinic: Clinic, today: date, by: Actor) -> Scope:
    """Live: what is entered today shows today. A person bound to a branch sees the new patients of that branch."""
    branch = (by.branch_id,) if by.branch_id else None
    return Scope(today, clinic.tz, clinic.tz, clinic.theta_days, clinic.history_from, branch=branch)


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    return {"spend": parse_money(row["spend"]), "new_patients": row["new_patients"], "cac": _minor(row["cac"])}


def _minor(text: str | None) -> int | None:
    return None if text is None else parse_money(text)


def _months(found: dict[tuple[date, int | None], int], costs: Sequence[queries.ChannelCost]) -> list[dict[str, Any]]:
    """A row a source with its twelve months, and one for all; those without spend in the year are left out."""
    names = dict(Channel.objects.values_list("id", "name"))
    channels = sorted({channel for _month, channel in found}, key=lambda pk: names.get(pk or 0, "~"))
    rows = [
        _month_row(names.get(channel or 0, _("no source")), {m.month: v for (m, c), v in found.items() if c == channel})
        for channel in channels
    ]
    total: dict[int, int] = {}
    for (month, _channel), value in found.items():
        total[month.month] = total.get(month.month, 0) + value
    return [*rows, _month_row(_("Total"), total)] if rows else []


def _month_row(name: str, months: dict[int, int]) -> dict[str, Any]:
    return {"name": name, "cells": [months.get(month) for month in range(1, 13)], "sum": sum(months.values())}


def _year(request: HttpRequest, today: date) -> int:
    text = request.GET.get("year", str(today.year))
    if not (text.isascii() and text.isdigit() and 1971 <= int(text) <= 2199):
        raise Http404
    return int(text)


def _channel(request: HttpRequest) -> int | None:
    text = request.GET.get("channel", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _key(text: str | None) -> queries.Key | None:
    if not text:
        return None
    match = KEY.fullmatch(text)
    try:
        return (date.fromisoformat(match[1]), int(match[2])) if match else None
    except ValueError:
        return None


def _after(year: int, channel: int | None, key: queries.Key | None) -> str:
    only = f"&channel={channel}" if channel else ""
    return f"?year={year}{only}&after={key[0].isoformat()}_{key[1]}" if key else ""


@needs("export_data")
@require_GET
def export(request: HttpRequest, table: str, fmt: str) -> HttpResponse:
    """`costs` (M09 by source) or `lines` of a year as a file, noted in the audit log."""
    if fmt not in TYPES or table not in ("costs", "lines"):
        raise Http404
    clinic = Clinic.objects.get(pk=1)
    today, now = local_date(timezone.now(), clinic.tz), timezone.now()
    year = _year(request, today)
    period = Period(date(year, 1, 1), date(year, 12, 31))
    head, rows = _cost_rows(clinic, today, period, request) if table == "costs" else _line_rows(period)
    record(
        by=_actor(request),
        deed="export_data",
        now=now,
        object_kind="table",
        note=f"spend-{table} {fmt}, rows: {len(rows)}",
    )
    body = xlsx_bytes(head, rows) if fmt == "xlsx" else csv_bytes(head, rows)
    response = HttpResponse(body, content_type=TYPES[fmt])
    response.headers["Content-Disposition"] = f'attachment; filename="spend-{table}-{year}.{fmt}"'
    return response


def _cost_rows(clinic: Clinic, today: date, period: Period, request: HttpRequest) -> tuple[list[str], list[list[Any]]]:
    costs, _metric = queries.channel_costs(_scope(clinic, today, _actor(request)), period)
    rows = [
        [row.name or _("no source"), row.kind, Decimal(row.spend), row.new_patients, row.cac and Decimal(row.cac)]
        for row in costs
    ]
    return [_("Source"), _("Kind"), _("Spend"), _("New patients"), _("Cost of a new patient")], rows


def _line_rows(period: Period) -> tuple[list[str], list[list[Any]]]:
    """All lines of the year: entered by hand and by systems a day at a time, so a few thousand at most."""
    rows: list[list[Any]] = []
    after: queries.Key | None = None
    while True:
        page = queries.spend_lines(period, after=after, size=1000)
        rows += [
            [
                line.date,
                line.channel.name if line.channel else "",
                line.get_purpose_display(),
                Decimal(line.amount) / 100,
                line.note,
            ]
            for line in page.rows
        ]
        if page.after is None:
            return [_("Day"), _("Source"), _("What for"), _("Amount"), _("Note")], rows
        after = page.after
