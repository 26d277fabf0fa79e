"""`/calls/lines/`: lines of telephony (a secret is shown once) and who sits at which extension."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core.pages import page_after
from funnel.actions.telephony import CodeTaken, free_seat, make_line, seat_operator, stop_line
from funnel.forms.calls import LineForm, SeatForm
from funnel.models import Operator, TelephonyLine
from funnel.queries import calls as asked
from funnel.views.calls import actor
from staff.access import needs


@never_cache
@require_http_methods(["GET", "POST"])
@needs("set_telephony")
def lines(request: HttpRequest) -> HttpResponse:
    form, made = LineForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            line, secret = make_line(**form.cleaned_data, by=actor(request), now=timezone.now())
            made, form = _address(request, line, secret), LineForm()
        except CodeTaken:
            form.add_error("code", _("A line with this code works already."))
    return _page(request, form, SeatForm(), made)


def _address(request: HttpRequest, line: TelephonyLine, secret: str) -> dict[str, str]:
    """Where the provider has to send its events, and what is shown this once."""
    address = request.build_absolute_uri(reverse("call-hook", args=[line.source.code]))
    if line.kind == TelephonyLine.Kind.UIS:
        return {"address": request.build_absolute_uri(reverse("call-hook-uis", args=[line.source.code, secret]))}
    return {"address": address, "secret": secret}


def _page(request: HttpRequest, form: LineForm, seat_form: SeatForm, made: dict[str, str] | None) -> HttpResponse:
    seats, after = page_after(asked.seats(), request.GET.get("after", ""))
    context = {
        "form": form, "seat_form": seat_form, "made": made, "lines": asked.lines(), "seats": seats, "after": after
    }  # fmt: skip
    return render(request, "funnel/lines.html", context, status=422 if form.errors or seat_form.errors else 200)


@require_POST
@needs("set_telephony")
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    stop_line(line=get_object_or_404(TelephonyLine, pk=pk), by=actor(request), now=timezone.now())
    messages.success(request, _("The line is stopped: its events are refused."))
    return _back()


@require_POST
@needs("set_telephony")
def seat(request: HttpRequest) -> HttpResponse:
    form = SeatForm(request.POST)
    if not form.is_valid():
        return _page(request, LineForm(), form, None)
    seat_operator(**form.cleaned_data, by=actor(request), now=timezone.now())
    messages.success(request, _("Saved."))
    return _back()


@require_POST
@needs("set_telephony")
def free(request: HttpRequest, pk: int) -> HttpResponse:
    free_seat(seat=get_object_or_404(Operator, pk=pk), by=actor(request), now=timezone.now())
    messages.success(request, _("Saved."))
    return _back()


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("funnel:telephony"), status=303)
