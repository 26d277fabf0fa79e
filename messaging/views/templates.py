"""The page "Texts and automations": switches with the last 30 days, and the texts with preview and segment count."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from messaging import actions, automations, queries
from messaging.forms import TemplateForm
from messaging.queries.texts import TemplateRow
from messaging.rules.placeholders import BadTemplate, check, examples, filled, one_line
from messaging.rules.segments import Segments, segments
from messaging.rules.texts import Wording
from messaging.views.outbox import actor
from patients.models.person import Transport
from staff.access import needs
from staff.views.login import see_other

LANGUAGE_NAMES = {"ru": "Русский", "en": "English"}


@dataclass(frozen=True)
class Preview:
    subject: str
    text: str
    size: Segments


def _preview(words: Wording, language: str) -> Preview | None:
    """With example values; None for a text that may not be saved."""
    try:
        check(words.body)
    except BadTemplate:
        return None
    values = examples(language)
    text = filled(words.body, values)
    subject = one_line(filled(words.subject, values)) if words.subject and "{" in words.subject else words.subject
    return Preview(subject, text, segments(text))


def _names() -> dict[str, str]:
    return {automation.template: str(automation.name) for automation in automations.registered()}


def _shown(row: TemplateRow, names: dict[str, str]) -> dict[str, object]:
    return {
        "row": row,
        "name": names[row.code],
        "transport": Transport(row.transport).label,
        "language": LANGUAGE_NAMES[row.language],
        "preview": _preview(row.wording, row.language),
    }


@needs("edit_messages")
@require_safe
def templates(request: HttpRequest) -> HttpResponse:
    names = _names()
    context = {
        "automations": queries.automation_rows(automations.registered(), now=timezone.now()),
        "texts": [_shown(row, names) for row in queries.template_rows(list(names))],
    }
    return render(request, "messaging/templates.html", context)


@needs("edit_messages")
@require_POST
def switch(request: HttpRequest, code: str) -> HttpResponse:
    """`on` = 1 or 0."""
    if code not in {automation.code for automation in automations.registered()}:
        raise Http404
    is_on = request.POST.get("on") == "1"
    actions.switch_automation(code=code, is_on=is_on, by=actor(request), now=timezone.now())
    messages.success(request, _("Switched on.") if is_on else _("Switched off: what was waiting is not sent either."))
    return see_other(reverse("messaging:templates"))


@needs("edit_messages")
@require_http_methods(["GET", "HEAD", "POST"])
def template(request: HttpRequest, code: str, transport: str, language: str) -> HttpResponse:
    """GET: form and preview; POST: save, or with `preview` only look."""
    names, words = _names(), queries.wording(code, transport, language)
    if code not in names or transport not in ("sms", "email") or language not in LANGUAGE_NAMES or words is None:
        raise Http404
    mail = transport == "email"
    form = TemplateForm(request.POST or None, mail=mail, initial={"subject": words.subject, "body": words.body})
    valid = request.method == "POST" and form.is_valid()
    if valid:
        words = Wording(form.cleaned_data["body"], form.cleaned_data.get("subject", ""))
        if "preview" not in request.POST:
            key = {"code": code, "transport": transport, "language": language}
            actions.save_template(**key, subject=words.subject, body=words.body, by=actor(request), now=timezone.now())
            messages.success(request, _("The text is saved."))
            return see_other(reverse("messaging:templates"))
    context = {
        "form": form,
        "name": names[code],
        "transport": Transport(transport).label,
        "language": LANGUAGE_NAMES[language],
        "placeholders": [(f"{{{name}}}", value) for name, value in examples(language).items()],
        "preview": None if request.method == "POST" and not valid else _preview(words, language),
        "is_sms": not mail,
    }
    return render(request, "messaging/template.html", context, status=422 if form.errors else 200)
