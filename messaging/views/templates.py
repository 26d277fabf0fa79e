"""The page of one text: edit it, see it as a patient would, how long it is and what is wrong with it, try it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from messaging import actions, automations, queries
from messaging.forms import TemplateForm, spoken
from messaging.models import Picture, Template
from messaging.models.outbox import Reason
from messaging.models.words import in_words
from messaging.queries.lint import findings
from messaging.queries.preview import (
    Shown,
    example_values,
    patient_to_preview,
    policy_for,
    shown,
    values_for,
    was_noted,
)
from messaging.queries.texts import TRANSPORTS
from messaging.rules.automation import Automation
from messaging.rules.placeholders import examples
from messaging.rules.texts import Wording
from messaging.tasks import wake
from messaging.views.automations import LANGUAGE_NAMES, page
from messaging.views.outbox import actor
from patients.models import Patient
from patients.models.person import Transport
from patients.queries.find import find_patients
from staff import actions as staff
from staff.access import needs
from staff.views.login import see_other

AGAIN = timedelta(minutes=15)  # how long one look at a patient stands in the audit log for all keys pressed in it
FIELDS = ("subject", "body", "promotion", "link", "without_warning")


@dataclass(frozen=True)
class Text:
    """Which text: of an automation, a transport and a language; `words` as it is now."""

    automation: Automation
    transport: str
    language: str
    words: Wording

    @property
    def address(self) -> list[str]:
        return [self.automation.template, self.transport, self.language]


def found(code: str, transport: str, language: str) -> Text:
    automation = next((one for one in automations.registered() if one.template == code), None)
    words = queries.wording(code, transport, language)
    if automation is None or words is None or transport not in TRANSPORTS or language not in LANGUAGE_NAMES:
        raise Http404
    return Text(automation, transport, language, words)


def form_of(text: Text, data: Any = None, files: Any = None) -> TemplateForm:
    return TemplateForm(
        data,
        files,
        mail=text.transport == "email",
        advertises=text.automation.advertises,
        pictured=bool(text.words.picture),
        initial={name: getattr(text.words, name) for name in FIELDS},
    )


@needs("edit_messages")
@require_http_methods(["GET", "HEAD", "POST"])
def template(request: HttpRequest, code: str, transport: str, language: str) -> HttpResponse:
    """GET: form and preview; POST: save, or with `preview` only look (for a browser without scripts)."""
    text = found(code, transport, language)
    form = form_of(text, request.POST or None, request.FILES or None)
    wrong: list[str] = []
    if request.method == "POST" and "preview" not in request.POST and form.is_valid():
        try:
            _save(request, text, form)
        except actions.BadText as error:
            wrong = [spoken(finding) for finding in error.findings]
        else:
            messages.success(request, _("The text is saved."))
            return see_other(reverse("messaging:automation", args=[text.automation.code]))
    typed = _typed(request, text)
    context = {
        "text": text,
        "form": form,
        "wrong": wrong,
        "transport": Transport(transport).label,
        "language": LANGUAGE_NAMES[language],
        "placeholders": [(f"{{{name}}}", value) for name, value in examples(language).items()],
        "edited": Template.objects.filter(code=code, transport=transport, language=language).exists(),
        "own_address": actions.address_of(request.user, transport),  # type: ignore[arg-type]
        **_preview(request, text, typed),
    }
    return page(request, "messaging/template.html", context, status=422 if form.errors or wrong else 200)


def _save(request: HttpRequest, text: Text, form: TemplateForm) -> None:
    given, now = form.cleaned_data, timezone.now()
    picture = Picture.objects.filter(pk=text.words.picture).first() if not given.get("no_picture") else None
    if given.get("picture"):
        picture = actions.add_picture(content=given["picture"], now=now)
    actions.save_template(
        code=text.automation.template,
        transport=text.transport,
        language=text.language,
        **{name: given.get(name, "") for name in FIELDS},
        picture=picture,
        advertises=text.automation.advertises,
        by=actor(request),
        now=now,
    )


def _typed(request: HttpRequest, text: Text) -> Wording:
    """What stands in the form just now, saved or not."""
    if request.method != "POST":
        return text.words
    given = {name: request.POST.get(name, "").replace("\r\n", "\n").strip()[:1000] for name in FIELDS}
    return Wording(**given, picture="" if request.POST.get("no_picture") else text.words.picture)


def _preview(request: HttpRequest, text: Text, words: Wording) -> dict[str, Any]:
    """What the fragment messaging/preview.html shows."""
    now, advertises = timezone.now(), text.automation.advertises
    patient, answer = _patient(request, now), None
    if patient is None:
        values = example_values(text.language, words)
    else:
        values = values_for(patient, text.automation, words, text.language, now)
        answer = policy_for(patient, text.automation, text.transport, now)
    found_in_it = findings(words, transport=text.transport, language=text.language, advertises=advertises)
    return {
        "text": text,
        "shown": shown(words, values, text.transport, text.language, advertises=advertises),
        "errors": [spoken(finding) for finding in found_in_it if finding.is_error],
        "warnings": [spoken(finding) for finding in found_in_it if not finding.is_error],
        "patient": patient,
        "answer": answer,
        "why": in_words(Reason(answer.reason), text.transport) if answer is not None and answer.reason else "",
        "picture": _picture(words) if text.transport == "email" else "",
    }


def _patient(request: HttpRequest, now: datetime) -> Patient | None:
    """The patient who was chosen; his data were opened, so the audit log says so."""
    chosen = request.POST.get("patient", "")
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
        return None
    by = actor(request)
    patient = patient_to_preview(int(chosen), by)
    if patient is None:
        raise Http404
    if not was_noted(by, patient.pk, now - AGAIN):
        pk = patient.pk
        staff.record(by=by, deed="preview_message", now=now, object_kind="patient", object_id=pk, patient_id=pk)
    return patient


def _picture(words: Wording) -> str:
    """As a data: address: a page of its own would be one more door."""
    row = Picture.objects.filter(pk=words.picture).first() if words.picture else None
    return f"data:{row.content_type};base64,{base64.b64encode(bytes(row.content)).decode()}" if row else ""


@needs("see_automations")
@require_POST
def preview(request: HttpRequest, code: str, transport: str, language: str) -> HttpResponse:
    """While typing: the fragment with text, size and findings."""
    text = found(code, transport, language)
    return page(request, "messaging/preview.html", _preview(request, text, _typed(request, text)))


@needs("see_automations")
@require_POST
def patients(request: HttpRequest) -> HttpResponse:
    """While typing: patients to preview with. `q` is posted, so that no name stands in an address."""
    given = request.POST.get("q", "")[:100]
    context = {"found": find_patients(text=given, by=actor(request)), "typed": given}
    return page(request, "messaging/preview_patients.html", context)


@needs("edit_messages")
@require_POST
def trial(request: HttpRequest, code: str, transport: str, language: str) -> HttpResponse:
    """The saved text with example values, to whoever asks."""
    text = found(code, transport, language)
    words, advertises = text.words, text.automation.advertises
    made = shown(words, example_values(language, words), transport, language, advertises=advertises) or Shown()
    if made.missing or not made.text:
        messages.error(request, _("The text cannot be put together: %(word)s.") % {"word": made.missing})
        return see_other(reverse("messaging:template", args=text.address))
    given = {"text": made.text, "subject": made.subject, "code": code, "transport": transport, "language": language}
    try:
        actions.send_trial(**given, user=request.user, by=actor(request), now=timezone.now())  # type: ignore[arg-type]
        wake(transport)
        messages.success(request, _("On its way to you."))
    except actions.NoAddress:
        messages.error(request, _("Your profile has no address for it."))
    return see_other(reverse("messaging:template", args=text.address))


@needs("edit_messages")
@require_POST
def reset(request: HttpRequest, code: str, transport: str, language: str) -> HttpResponse:
    """Back to the text that the product came with."""
    text = found(code, transport, language)
    row = get_object_or_404(Template, code=code, transport=transport, language=language)
    actions.reset_template(template=row, by=actor(request), now=timezone.now())
    messages.success(request, _("The text is as it came."))
    return see_other(reverse("messaging:automation", args=[text.automation.code]))
