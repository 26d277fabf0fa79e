"""A month to choose a day from, drawn by the server: Monday first, in the language of the page."""

from __future__ import annotations

from calendar import Calendar
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.clock import add_months, local_date
from staff.access import needs
from staff.models import Branch, Clinic

MONDAY = date(2024, 1, 1)


def _today(request: HttpRequest) -> date:
    by = request.actor  # type: ignore[attr-defined]
    place = Branch.objects.filter(pk=by.branch_id) if by.branch_id else Clinic.objects.filter(pk=1)
    return local_date(timezone.now(), place.values_list("tz", flat=True).get())


def _wanted(text: str, today: date) -> date:
    """The first of the month `2026-11`, of this one when it is none."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return first if 1900 < first.year < 2199 else today.replace(day=1)


@needs("use_product")
@require_safe
def month(request: HttpRequest) -> HttpResponse:
    """`?month=2026-11`: weeks of days; those of the neighbour months fill the edges."""
    today = _today(request)
    first = _wanted(request.GET.get("month", ""), today)
    steps = {"year_before": -12, "before": -1, "after": 1, "year_after": 12}
    context = {
        "first": first,
        "today": today,
        "weekdays": [MONDAY.replace(day=number) for number in range(1, 8)],
        "weeks": Calendar(firstweekday=0).monthdatescalendar(first.year, first.month),
        **{name: add_months(first, months) for name, months in steps.items()},
    }
    return render(request, "components/month.html", context)
