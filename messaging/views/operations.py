"""The page "Health": is sending well, transport by transport; and what a person decides about each of them."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.money import decimal_text
from messaging import actions, queries
from messaging.forms import TransportForm
from messaging.models import TransportSetting
from messaging.queries.clock import database_now
from messaging.queries.routes import transport_settings
from messaging.transports import NAMES
from messaging.views.outbox import actor, local_times
from patients.models.person import Transport
from staff.access import needs
from staff.models import Clinic
from staff.views.login import see_other


@needs("see_outbox")
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    by = actor(request)
    found = queries.operations(database_now())
    context = {
        "found": found,
        "flows": [(_("the last hour"), found.hour), (_("the last 24 hours"), found.day)],
        "oldest_minutes": int(found.health.oldest_due // 60),
        "broken": [line.label for line in found.lines if line.breaker != "closed"],
        "may_pause": by.may("pause_sending"),
        "may_set": by.may("set_transports"),
        "may_see_money": by.may("see_money"),
        "currency": Clinic.objects.values_list("currency", flat=True).first() or "RUB",
    }
    with local_times(by):
        return render(request, "messaging/health.html", context)


@needs("set_transports")
@require_http_methods(["GET", "HEAD", "POST"])
def transport(request: HttpRequest, transport: str) -> HttpResponse:
    if transport not in NAMES:
        raise Http404
    form = TransportForm(request.POST or None, initial=_initial(transport_settings()[transport]))
    if request.method == "POST" and form.is_valid():
        actions.set_transport(transport=transport, **form.cleaned_data, by=actor(request), now=database_now())
        messages.success(request, _("Saved."))
        return see_other(reverse("messaging:health"))
    context = {"form": form, "transport": Transport(transport).label}
    return render(request, "messaging/transport.html", context, status=422 if form.errors else 200)


def _initial(setting: TransportSetting) -> dict[str, object]:
    names = ("position", "for_service", "for_adverts", "note", "fallback_minutes")
    said = {name: getattr(setting, name) for name in names}
    return said | {"note": setting.note_said, "price": decimal_text(setting.price, 100, 2)}
