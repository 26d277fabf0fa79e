"""What a visitor of the public booking page says."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.names import clean_text
from core.phones import BadPhone, parse_phone
from funnel.rules.booking import Wish
from staff.models import Doctor

LONGEST_WAIT = timedelta(days=92)
PARTS = {"morning": (None, time(12)), "day": (time(12), time(17)), "evening": (time(17), None)}
ANY = _("no preference")


class VisitorForm(forms.Form):
    """Name, phone and what is agreed to, apart: the visit needs the first box, advertising is the second."""

    first_name = forms.CharField(
        label=_("First name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    phone = forms.CharField(
        label=_("Mobile phone"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    processing = forms.BooleanField()
    marketing = forms.BooleanField(required=False)

    def __init__(self, *args: Any, region: str, words: tuple[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.region = region
        self.fields["processing"].label, self.fields["marketing"].label = words

    def clean_phone(self) -> str:
        try:
            return parse_phone(self.cleaned_data["phone"], self.region).number
        except BadPhone as error:
            raise forms.ValidationError(_("Write a phone number such as +7 912 345-67-89.")) from error

    @property
    def name(self) -> str:
        """Both in one: the first word is the first name, whatever was typed."""
        first = clean_text(self.cleaned_data["first_name"]).replace(" ", "-")
        return f"{first} {clean_text(self.cleaned_data['last_name'])}"


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code from the SMS"),
        max_length=12,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "maxlength": 12}
        ),
    )

    def clean_code(self) -> str:
        return "".join(letter for letter in self.cleaned_data["code"] if letter.isdigit())


class WishForm(forms.Form):
    """Whom and when somebody waits for. `wish` after `is_valid`."""

    doctor = forms.ModelChoiceField(Doctor.objects.none(), label=_("Doctor"), required=False, empty_label=ANY)
    speciality = forms.ChoiceField(label=_("Speciality"), required=False)
    weeks = forms.TypedChoiceField(
        label=_("How long to look"),
        coerce=int,
        choices=[(1, _("one week")), (2, _("two weeks")), (4, _("four weeks")), (12, _("twelve weeks"))],
        initial=2,
    )
    days = forms.MultipleChoiceField(
        label=_("Days of the week"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            ("1", _("Mon")),
            ("2", _("Tue")),
            ("3", _("Wed")),
            ("4", _("Thu")),
            ("5", _("Fri")),
            ("6", _("Sat")),
            ("7", _("Sun")),
        ],
        help_text=_("None marked: any day."),
    )
    part = forms.ChoiceField(
        label=_("Time of day"),
        required=False,
        choices=[
            ("", ANY),
            ("morning", _("before 12")),
            ("day", _("from 12 to 17")),
            ("evening", _("after 17")),
        ],
    )

    def __init__(self, *args: Any, doctors: list[Doctor], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = sorted({doctor.speciality for doctor in doctors if doctor.speciality})
        self.fields["speciality"].choices = [("", ANY), *((name, name) for name in known)]  # type: ignore[attr-defined]
        ids = [doctor.pk for doctor in doctors]
        self.fields["doctor"].queryset = Doctor.objects.filter(pk__in=ids).order_by("name", "id")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("doctor") and not data.get("speciality"):
            self.add_error("speciality", _("Choose a doctor or a speciality."))
        return data

    def wish(self, today: date) -> Wish:
        begin, end = PARTS.get(self.cleaned_data["part"], (None, None))
        last = today + timedelta(weeks=self.cleaned_data["weeks"])
        return Wish(today, min(last, today + LONGEST_WAIT), "".join(self.cleaned_data["days"]), begin, end)
