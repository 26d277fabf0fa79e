"""A patient's place on the ladder, the doctor's word on his next step, and his answer to the offer (R45)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.clock import from_day_number
from funnel.actions.ladder import NoReason, NotIndicated, indicate, offer_step
from funnel.forms.ladder import OUTCOMES, OfferForm, WordForm
from funnel.queries.ladder_page import place_of_patient
from funnel.views.ladder import actor, live_scope
from patients.models import Patient
from patients.models.price import Tier
from patients.queries.card import record_ids, root_of
from staff.access import needs
from staff.actions import record
from staff.models import Clinic, Doctor

SAID = dict(OUTCOMES)


def find_patient(request: HttpRequest, pk: int) -> Patient:
    """The canonical patient of that record; 404 when it is another branch's or unknown."""
    return get_object_or_404(Patient.objects.select_related("branch"), pk__in=root_of(pk, actor(request)))


def _back(patient: Patient) -> HttpResponse:
    return HttpResponseRedirect(reverse("reception:card", args=[patient.pk]), status=303)


@require_GET
@needs("see_card")
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the card, asked for once the card stands; without htmx a page of its own."""
    patient, by, now = find_patient(request, pk), actor(request), timezone.now()
    found = place_of_patient(live_scope(by), record_ids(patient.pk), by)
    fields = ("ladder", "indications", *(("reason",) if by.may("see_medical") else ()))
    record(
        by=by, deed="see_card", now=now, object_kind="patient", object_id=patient.pk, patient_id=patient.pk,
        fields=fields,
    )  # fmt: skip
    context = {
        "patient": patient,
        "place": found,
        "standing": [
            {"speciality": row["speciality"], "tier": Tier(row["tier"]).label, "day": from_day_number(row["day"])}
            for row in found.positions
        ],
        "outcomes": OUTCOMES,
        "answers": [{"at": a.at, "note": a.note, "said": SAID.get(a.outcome, a.outcome)} for a in found.answers],
        "currency": Clinic.objects.get(pk=1).currency,
        **{deed: by.may(deed) for deed in ("see_medical", "indicate", "offer_step", "book_visits")},
    }
    part = getattr(request, "htmx", False)
    with timezone.override(patient.branch.tz):
        answer = render(request, "funnel/card_ladder.html" if part else "funnel/patient_ladder.html", context)
    answer.headers["Vary"] = "HX-Request, Cookie, Accept-Language"
    return answer


@require_http_methods(["GET", "POST"])
@needs("indicate")
def word(request: HttpRequest, pk: int) -> HttpResponse:
    """Indicated or contraindicated, with the reason; the former word on the service is closed."""
    patient = find_patient(request, pk)
    own = Doctor.objects.filter(user=request.user.pk).first()
    form = WordForm(request.POST or None, own=own)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        doctor: Doctor = own or data["doctor"]
        try:
            indicate(
                patient=patient, service=data["service"], kind=data["kind"], doctor=doctor, reason=data["reason"],
                by=actor(request), now=timezone.now(),
            )  # fmt: skip
            return _back(patient)
        except NoReason:
            form.add_error("reason", _("Write the reason."))
    context = {"form": form, "patient": patient}
    return render(request, "funnel/ladder_word.html", context, status=422 if form.errors else 200)


@require_POST
@needs("offer_step")
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    """What he said to an indicated step. Refused when no doctor indicates it any more."""
    patient, form = find_patient(request, pk), OfferForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose what the patient said."))
        return _back(patient)
    try:
        offer_step(patient=patient, **form.cleaned_data, by=actor(request), now=timezone.now())
        messages.success(request, _("The answer was noted."))
    except NotIndicated:
        messages.error(request, _("No doctor indicates this service now: it is not offered."))
    return _back(patient)
