"""The list of patients, a new one, and the correction of one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET

from loyalty.models import PatientValue
from patients.actions import edit_patient, record_consent, register_patient
from patients.models import Patient
from patients.queries.desk import made_before
from patients.queries.duplicates import Possible, possible_duplicates
from patients.rules.consents import TEXTS
from patients.rules.duplicates import Person
from reception.forms.person import ConsentForm, NewPatientForm, PatientForm
from reception.queries.people import people
from reception.views.find import TYPED
from reception.views.pages import actor, find_patient, page
from reception.views.today import see_other
from staff.access import Actor, needs
from staff.models import Branch


def columns(by: Actor) -> list[dict[str, Any]]:
    labels = [_("Name"), _("Birth date"), _("Phone"), _("State"), _("Segment"), _("Last visit")]
    money = [{"label": _("LTV by revenue"), "num": True}] if by.may("see_money") else []
    return [*({"label": label} for label in labels), *money]


# What the RFM segments of M28 are called.
SEGMENTS = [
    ("champions", _lazy("champions")),
    ("loyal", _lazy("loyal")),
    ("promising", _lazy("promising")),
    ("new", _lazy("new")),
    ("needs_attention", _lazy("need attention")),
    ("at_risk", _lazy("at risk")),
    ("lost", _lazy("lost")),
]


@require_GET
@needs("find_patients")
def patients(request: HttpRequest) -> HttpResponse:
    by, asked = actor(request), request.GET
    state = asked.get("state", "") if asked.get("state") in PatientValue.State.values else ""
    segment = asked.get("segment", "")[:16]
    order = "value" if asked.get("order") == "value" and by.may("see_money") else "name"
    found = people(by=by, state=state, segment=segment, order=order, after=asked.get("after", "")[:400])
    context = {
        "found": found,
        "states": [(value, label) for value, label in PatientValue.State.choices],
        "segments": SEGMENTS,
        "state": state,
        "segment": segment,
        "order": order,
        "may_see_money": by.may("see_money"),
        "may_add": by.may("edit_patients"),
        "columns": columns(by),
    }
    return page(request, "reception/patients.html", context)


def split_name(text: str) -> dict[str, str]:
    """What was typed into the search as the beginnings of a form: digits are a phone, words are names in order."""
    words = text.strip()[:200].split()
    if words and not any(letter.isalpha() for letter in text):
        return {"phones": text.strip()[:60]}
    names = dict(zip(("last_name", "first_name", "middle_name"), words, strict=False))
    return {name: word[:1].upper() + word[1:] for name, word in names.items()}


@needs("edit_patients")
def new(request: HttpRequest) -> HttpResponse:
    """Possible duplicates are shown before anything is saved; saving past them takes a tick."""
    by = actor(request)
    form = NewPatientForm(request.POST or None, by=by, initial=_start(request))
    alike: list[Possible] = []
    if request.method == "POST" and form.is_valid():
        key = str(form.cleaned_data["key"])
        again = made_before(deed="register_patient", key=key, by=by)  # a double click is no duplicate of itself
        alike = [] if again else similar_to(form, by)
        if not alike or form.cleaned_data["seen_similar"]:
            draft = form.draft(form.consent_drafts())
            patient = register_patient(draft=draft, submission_key=key, by=by, now=timezone.now())
            messages.success(request, _("The patient is entered."))
            return see_other(reverse("reception:card", args=[patient.pk]))
        form.add_error("seen_similar", _("Look at the people alike; is one of them the same person?"))
    status = 422 if form.errors else 200
    return page(request, "reception/patient_new.html", {"form": form, "alike": alike, "texts": TEXTS}, status=status)


def _start(request: HttpRequest) -> dict[str, Any]:
    home = (
        Branch.objects.filter(pk=actor(request).branch_id or 0).first()
        or Branch.objects.order_by("-is_default").first()
    )
    return {"branch": home, "language": "ru", **split_name(request.session.pop(TYPED, ""))}


def similar_to(form: PatientForm, by: Actor) -> list[Possible]:
    """People who look like the one being entered."""
    data = form.cleaned_data
    names = {name: data[name] for name in ("last_name", "first_name", "middle_name", "birth_date", "sex")}
    draft = Person(phones=frozenset(one.number for one in data["numbers"]), email=data["email"].lower(), **names)
    return possible_duplicates(draft, by)


@needs("edit_patients")
def similar(request: HttpRequest) -> HttpResponse:
    """While typing: the people alike, as a part of the form."""
    by = actor(request)
    form = PatientForm(request.POST or None, by=by)
    alike = similar_to(form, by) if form.is_valid() else []
    return page(request, "reception/similar.html", {"alike": alike})


@needs("edit_patients")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    by, patient = actor(request), find_patient(request, pk)
    form = PatientForm(request.POST or None, by=by, initial=_said_of(patient))
    if request.method == "POST" and form.is_valid():
        edit_patient(patient=patient, draft=form.draft(), by=by, now=timezone.now())
        messages.success(request, _("Saved."))
        return see_other(reverse("reception:card", args=[patient.pk]))
    status = 422 if form.errors else 200
    return page(request, "reception/patient_edit.html", {"form": form, "patient": patient}, status=status)


def _said_of(patient: Patient) -> dict[str, Any]:
    names = [name for name in PatientForm.base_fields if hasattr(patient, name) and name not in ("phones", "family")]
    start = {name: getattr(patient, name) for name in names}
    return {**start, "phones": ", ".join(phone.number for phone in patient.phones.all())}


@needs("edit_patients")
def consent(request: HttpRequest, pk: int) -> HttpResponse:
    """One line of the ledger, given or withdrawn."""
    patient = find_patient(request, pk)
    form = ConsentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        record_consent(patient=patient, draft=form.draft(), by=actor(request), now=timezone.now())
        messages.success(request, _("The consent is on record."))
        return see_other(reverse("reception:card", args=[patient.pk]))
    context = {"form": form, "patient": patient}
    return page(request, "reception/consent.html", context, status=422 if form.errors else 200)
