"""The shape of an enquiry of a stranger: on our form, or posted signed by a site."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.names import clean_text
from core.phones import BadPhone, parse_phone
from funnel.models import LeadForm
from messaging.rules.signature import instant_of
from patients.models import ConsentText
from patients.models.contact import Purpose

TRAP = "website"  # a field that people do not see and programs fill in
TAGS = ("source", "medium", "campaign", "term", "content")
HIDDEN = {"page": 500, "referrer": 500, "promo": 60} | {f"utm_{tag}": 120 for tag in TAGS}
MOST_TEXT = 2000


class EnquiryForm(forms.Form):
    """Asked as the form says; the consents stand apart, advertising unticked (R28). Hidden: where the visitor came from."""

    name = forms.CharField(label=gettext_lazy("Your name"), max_length=100)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=40)
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254, required=False)
    text = forms.CharField(label=gettext_lazy("Question"), max_length=MOST_TEXT, required=False, widget=forms.Textarea)
    processing = forms.BooleanField()
    marketing = forms.BooleanField(required=False)

    def __init__(self, *args: Any, form: LeadForm, words: dict[str, ConsentText], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.region = form.branch.phone_region if form.branch else "RU"
        self._ask(form)
        self.fields["processing"].error_messages["required"] = _("Without this consent we may not take your enquiry.")
        for purpose in (Purpose.PROCESSING, Purpose.MARKETING):
            if purpose.value in words:
                self.fields[purpose.value].label = words[purpose.value].body
            else:
                del self.fields[purpose.value]
        for name, limit in HIDDEN.items():
            self.fields[name] = forms.CharField(required=False, widget=forms.HiddenInput)
            self.fields[name].limit = limit  # type: ignore[attr-defined]

    def _ask(self, form: LeadForm) -> None:
        dressed = {"name": "name", "phone": "tel", "email": "email"}
        for name, kind in dressed.items():
            self.fields[name].widget.attrs["autocomplete"] = kind
        self.fields["phone"].widget.input_type = "tel"
        self.fields["text"].widget.attrs["rows"] = 3
        if not form.asks_email:
            del self.fields["email"]
        if not form.asks_text:
            del self.fields["text"]

    def clean_name(self) -> str:
        return clean_text(self.cleaned_data["name"])

    def clean_phone(self) -> str:
        try:
            parse_phone(self.cleaned_data["phone"], self.region)
        except BadPhone as error:
            raise forms.ValidationError(_("Check the phone: it cannot be dialled.")) from error
        return str(self.cleaned_data["phone"])

    def clean(self) -> dict[str, Any]:
        """What the visitor never saw is cut, not refused."""
        for name, limit in HIDDEN.items():
            self.cleaned_data[name] = clean_text(self.cleaned_data.get(name, ""))[:limit]
        return self.cleaned_data

    @property
    def utm(self) -> dict[str, str]:
        return {tag: value for tag in TAGS if (value := self.cleaned_data[f"utm_{tag}"])}


class BadPost(ValueError):
    """What is wrong with a signed post: `field` as the sender spells it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


TEXTS = {
    "name": 200,
    "phone": 60,
    "email": 254,
    "text": 4000,
    "page": 500,
    "referrer": 500,
    "promo_code": 60,
    "language": 2,
}


def post_fields(body: dict[str, Any]) -> dict[str, Any]:
    """The texts of a signed post, its tags and times. Raises BadPost.

    {event_id, created_at?, name, phone, email, text, page, referrer, promo_code, language, utm: {source, …}}
    """
    found: dict[str, Any] = {name: text_of(body, name, limit) for name, limit in TEXTS.items()}
    found["event_id"] = text_of(body, "event_id", 100)
    if not found["event_id"]:
        raise BadPost("event_id", "is required")
    if not found["phone"] and not found["email"]:
        raise BadPost("phone", "a phone or an e-mail is required")
    utm = body.get("utm") or {}
    if not isinstance(utm, dict):
        raise BadPost("utm", "must be an object")
    found["utm"] = {tag: value for tag in TAGS if (value := text_of(utm, tag, 120))}
    found["created_at"] = time_of(body, "created_at")
    return found


def text_of(body: dict[str, Any], name: str, limit: int) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise BadPost(name, f"must be text of at most {limit} characters")
    return value.replace("\x00", "").strip() if name == "text" else clean_text(value)


def time_of(body: dict[str, Any], name: str) -> datetime | None:
    value = body.get(name)
    if value is None:
        return None
    at = instant_of(value)
    if at is None:
        raise BadPost(name, "must be a time (ISO 8601)")
    return at
