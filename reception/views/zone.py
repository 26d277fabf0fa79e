"""Another time zone for the clinic, with what follows from it said before it is done."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from patients.actions.zone import change_zone
from reception.forms.zone import ZoneForm
from reception.tasks import settle_days
from reception.views.pages import actor, page
from reception.views.today import see_other
from staff.access import needs
from staff.actions.people import NotAllowed
from staff.models import Clinic

AFTER = 60  # seconds: longer than any request that may still be writing in the old zone


@needs("manage_settings")
@require_http_methods(["GET", "POST"])
def zone(request: HttpRequest) -> HttpResponse:
    before = Clinic.objects.get(pk=1).tz
    form = ZoneForm(request.POST or None, initial={"tz": request.GET.get("tz", before)})
    if request.method == "POST" and form.is_valid():
        done = _change(request, form)
        if done is not None:
            return done
    context = {"form": form, "before": before}
    return page(request, "reception/zone.html", context, status=422 if form.errors else 200)


def _change(request: HttpRequest, form: forms.Form) -> HttpResponse | None:
    try:
        moved = change_zone(tz=form.cleaned_data["tz"], by=actor(request), now=timezone.now())
    except NotAllowed as error:
        form.add_error(None, str(error))
        return None
    settle_days.apply_async(countdown=AFTER)
    said = _("The time zone is changed. On another day now: %(visits)d visits, %(payments)d payments.")
    messages.success(request, said % {"visits": moved.visits, "payments": moved.payments})
    messages.info(request, _("Values of patients follow within minutes."))
    return see_other(reverse("staff:settings"))
