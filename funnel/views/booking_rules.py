"""`/booking/settings/`: how the clinic is booked online, and where its public pages are."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from funnel.actions.booking_rules import change_booking_rules
from funnel.forms.booking_rules import BookingRulesForm
from funnel.queries.booking import rules_of_booking
from staff.access import Actor, needs
from staff.actions.people import NotAllowed
from staff.models import Branch
from staff.views.tabs import staff_tabs


@require_http_methods(["GET", "HEAD", "POST"])
@needs("manage_settings")
def booking_rules(request: HttpRequest) -> HttpResponse:
    by: Actor = request.actor  # type: ignore[attr-defined]
    form = BookingRulesForm(request.POST or None, rules=rules_of_booking())
    if request.method == "POST" and form.is_valid():
        try:
            change_booking_rules(fields=form.cleaned_data, by=by, now=timezone.now())
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("funnel:booking_rules")
    context = {
        "form": form,
        "branches": Branch.objects.order_by("name", "id")[:200],
        "site": settings.PUBLIC_URL,
        "webhook": bool(settings.BOOKING_WEBHOOK_URL),
        "tabs": staff_tabs(request),
    }
    return render(request, "funnel/booking_rules.html", context, status=422 if form.errors else 200)
