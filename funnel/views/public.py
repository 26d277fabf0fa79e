"""`/f/<code>/` a page with a form for enquiries, `/w/<code>/` the same in a frame on the clinic's site.

No cookie is needed or set, no script is on the page; the signed token of the form stands where a CSRF token would.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from csp.constants import NONE, SELF
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from funnel.actions.incoming import Enquiry
from funnel.actions.public import AlreadySent, Flood, Sent, take_form
from funnel.forms.public import HIDDEN, TRAP, EnquiryForm
from funnel.models import Lead, LeadForm
from funnel.queries.public import words_of
from funnel.rules.public import FASTEST, make_token, read_token
from messaging.views.hooks import too_long
from patients.models.contact import Purpose
from staff.access import PATIENT, public
from staff.middleware import address_of

LANGUAGES = frozenset(code for code, _name in settings.LANGUAGES)
THEMES = frozenset({"light", "dark"})
KEPT = (*HIDDEN, "theme")  # what goes on from the address of the frame to the address of the other language


@public
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def form_page(request: HttpRequest, code: str) -> HttpResponse:
    """The page by itself: nobody may frame it."""
    return _spoken(request, code, framed=False)


@public
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def widget(request: HttpRequest, code: str) -> HttpResponse:
    """The page in a frame, on the sites that the form lists."""
    return _spoken(request, code, framed=True)


def _spoken(request: HttpRequest, code: str, *, framed: bool) -> HttpResponse:
    """In the language of the address (`?lang=`), since a frame without cookies remembers none. 404, 413."""
    form = LeadForm.objects.select_related("branch", "channel").filter(code=code, is_active=True).first()
    if form is None or not words_of(form, "ru").get(Purpose.PROCESSING.value):
        raise Http404
    if too_long(request):
        return HttpResponse(status=413)
    asked = request.GET.get("lang", "")
    with override(asked if asked in LANGUAGES else get_language()):
        response = _answered(request, form) if request.method == "POST" else _shown(request, form)
    return _guarded(response, form.sites if framed else [])


def _guarded(response: HttpResponse, sites: list[str]) -> HttpResponse:
    """Our own policy: no script at all, and framed by nobody but the form's sites."""
    response._csp_replace = {  # type: ignore[attr-defined]
        "script-src": [NONE],
        "connect-src": [NONE],
        "form-action": [SELF],
        "frame-ancestors": sites or [NONE],
    }
    if sites:
        response.xframe_options_exempt = True
    return response


def _shown(request: HttpRequest, form: LeadForm, fields: EnquiryForm | None = None, **more: Any) -> HttpResponse:
    """The form, empty or as it came back (422)."""
    now, language = timezone.now(), get_language() or "ru"
    if fields is None:
        fields = EnquiryForm(form=form, words=words_of(form, language), initial=_signs(request, form))
        since = now
    else:
        since = now - FASTEST - timedelta(seconds=1)  # somebody who mends one field needs no second for it
    context = {
        "lead_form": form,
        "form": fields,
        "trap": TRAP,
        "token": make_token(form.code, since, secrets.token_hex(16), secret=settings.SECRET_KEY),
        "languages": [(code, _other(request, code)) for code, _name in settings.LANGUAGES],
        "only_theme": _theme(request),
    }
    status = 422 if fields.is_bound else 200
    return render(request, "funnel/form.html", context | more, status=status)


def _other(request: HttpRequest, language: str) -> str:
    kept = {name: value for name in KEPT if (value := request.GET.get(name))}
    return f"?{urlencode(kept | {'lang': language})}"


def _signs(request: HttpRequest, form: LeadForm) -> dict[str, str]:
    """Where the visitor came from: as the address says, else the page that frames us, where it is one of the form's."""
    found = {name: request.GET.get(name, "")[:limit] for name, limit in HIDDEN.items()}
    framing = urlsplit(request.headers.get("Referer", ""))
    origin = f"{framing.scheme}://{framing.netloc}"
    if not found["page"] and origin in form.sites:
        found["page"] = f"{origin}{framing.path}"
    return found


def _answered(request: HttpRequest, form: LeadForm) -> HttpResponse:
    """Thanks, or the form with what is wrong (422); 429 for a flood."""
    now = timezone.now()
    words = words_of(form, get_language() or "ru")
    fields = EnquiryForm(request.POST, form=form, words=words)
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    token = read_token(request.POST.get("token", ""), form.code, now=now, secrets=keys)
    if not fields.is_valid():
        return _shown(request, form, fields)
    if token is None:
        return _again(request, form, fields, _("The page had been open for long. Press “Send” once more."))
    sent = Sent(form, token.nonce, now - token.since, request.POST.get(TRAP, ""))
    agreed = [text for purpose, text in words.items() if fields.cleaned_data.get(purpose)]
    by = replace(PATIENT, address=address_of(request))
    try:
        take_form(sent=sent, enquiry=_enquiry(fields, now), agreed=agreed, by=by, now=now)
    except AlreadySent:
        return _again(request, form, fields, _("This form was sent with another phone. Check it and press “Send”."))
    except Flood:
        said = _("Too many enquiries come from your network. Please call us.")
        response = _again(request, form, fields, said)
        response.status_code, response.headers["Retry-After"] = 429, "3600"
        return response
    return render(request, "funnel/form.html", {"lead_form": form, "done": True, "only_theme": _theme(request)})


def _theme(request: HttpRequest) -> str:
    theme = request.GET.get("theme", "")
    return theme if theme in THEMES else ""


def _again(request: HttpRequest, form: LeadForm, fields: EnquiryForm, said: str) -> HttpResponse:
    fields.add_error(None, said)
    return _shown(request, form, fields)


def _enquiry(fields: EnquiryForm, now: datetime) -> Enquiry:
    data = fields.cleaned_data
    return Enquiry(
        kind=Lead.Kind.FORM,
        created_at=now,
        name=data["name"],
        phone=data["phone"],
        email=data.get("email", ""),
        text=data.get("text", ""),
        language=get_language() or "",
        page=data["page"].partition("?")[0].partition("#")[0],
        utm=fields.utm,
        referrer=data["referrer"],
        promo_code=data["promo"],
        door="form",
    )
