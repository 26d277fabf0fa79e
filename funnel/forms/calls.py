"""What is asked on the pages of calls."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.models import TelephonyLine
from staff.models import Branch, Source, User

Kind = TelephonyLine.Kind
URLS = {Kind.MANGO: "https://app.mango-office.ru/vpbx", Kind.UIS: "https://dataapi.uiscom.ru"}


class ExplainForm(forms.Form):
    reason = forms.CharField(
        label=_("Why nobody called back"), max_length=300, help_text=_("For example: an advertising call.")
    )


class LineForm(forms.Form):
    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("Latin letters; it stands in the address of the events.")
    )
    kind = forms.ChoiceField(label=_("Telephony"), choices=Kind.choices)
    branch = forms.ModelChoiceField(
        label=_("Branch"), queryset=Branch.objects.none(), required=False, empty_label=_("all")
    )
    key = forms.CharField(label=_("Mango: key of the API"), max_length=200, required=False)
    salt = forms.CharField(label=_("Mango: salt of the signature"), max_length=200, required=False)
    token = forms.CharField(label=_("UIS: access token of the report"), max_length=200, required=False)
    polls = forms.BooleanField(label=_("Ask for calls every minute as well"), required=False)
    url = forms.CharField(label=_("Address of the provider's API, if it is another"), max_length=200, required=False)
    addresses = forms.CharField(
        label=_("Addresses that events come from"),
        required=False,
        max_length=500,
        help_text=_("Addresses or networks with spaces between them; empty: from anywhere."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["branch"].queryset = Branch.objects.order_by("name", "id")  # type: ignore[attr-defined]

    def clean_addresses(self) -> list[str]:
        try:
            return [str(ip_network(one, strict=False)) for one in self.cleaned_data["addresses"].split()]
        except ValueError as error:
            raise forms.ValidationError(_("Enter addresses or networks, such as 203.0.113.0/24.")) from error

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip().rstrip("/")
        if url and (urlsplit(url).scheme != "https" or not urlsplit(url).hostname):
            raise forms.ValidationError(_("Enter an address that begins with https://."))
        return url

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        kind = data.get("kind")
        if kind == Kind.MANGO and not (data.get("key") and data.get("salt")):
            self.add_error("key", _("Mango Office needs the key and the salt of its API."))
        polls = data.pop("polls", False)
        if polls and kind == Kind.GENERIC:
            self.add_error("polls", _("Only Mango Office and UIS can be asked."))
        if polls and kind == Kind.UIS and not data.get("token"):
            self.add_error("token", _("Needed to ask for calls."))
        data["url"] = (data.get("url") or URLS.get(kind, "")) if polls else ""  # type: ignore[arg-type]
        return data


class SeatForm(forms.Form):
    """Who sits at an extension (Mango, generic) or is an employee's id (UIS)."""

    source = forms.ModelChoiceField(label=_("Line"), queryset=Source.objects.none(), empty_label=None)
    extension = forms.CharField(label=_("Extension or employee's id"), max_length=60)
    user = forms.ModelChoiceField(label=_("Employee"), queryset=User.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = TelephonyLine.objects.filter(is_active=True).values("source")
        self.fields["source"].queryset = Source.objects.filter(pk__in=lines).order_by("code")  # type: ignore[attr-defined]
        users = User.objects.filter(is_active=True).order_by("full_name", "id")
        self.fields["user"].queryset = users  # type: ignore[attr-defined]
