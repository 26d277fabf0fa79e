"""A patient as the desk types him in; consents apart, and never ticked beforehand (R28)."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.fields import DayField
from core.phones import BadPhone, Phone, parse_phones
from patients.actions.consents import ConsentDraft
from patients.actions.people_desk import PatientDraft
from patients.models import Channel, Consent, Patient
from patients.models.contact import Purpose
from patients.models.person import Transport
from patients.queries import visible_patients
from patients.rules.consents import LARGEST_SCAN, BadScan, kind_of_scan, text_of
from staff.access import Actor
from staff.models import Branch, User

HOW = [(value, label) for value, label in Consent.How.choices if value in ("paper", "desk", "call")]


class PatientForm(forms.Form):
    """Names, contacts, family. `draft()` after `is_valid`."""

    last_name = forms.CharField(label=_("Last name"), max_length=120)
    first_name = forms.CharField(label=_("First name"), max_length=120, required=False)
    middle_name = forms.CharField(label=_("Middle name"), max_length=120, required=False)
    birth_date = DayField(label=_("Birth date"), required=False, lean="past", month=False)
    sex = forms.ChoiceField(label=_("Sex"), required=False, choices=[("", "—"), *Patient.Sex.choices])
    phones = forms.CharField(label=_("Phones"), required=False, max_length=300, help_text=_("Several: with a comma."))
    email = forms.CharField(label=_("E-mail"), required=False, max_length=254)
    preferred_transport = forms.ChoiceField(label=_("Prefers"), required=False, choices=[("", "—"), *Transport.choices])
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("ru", _("Russian")), ("en", _("English"))]
    )
    branch = forms.ModelChoiceField(Branch.objects.none(), label=_("Branch"), empty_label=None)
    channel = forms.ModelChoiceField(
        Channel.objects.none(),
        label=_("Where from"),
        required=False,
        empty_label="—",
        help_text=_("How he came to know the clinic."),
    )
    card_number = forms.CharField(label=_("Card number"), required=False, max_length=40)
    curator = forms.ModelChoiceField(User.objects.none(), label=_("Curator"), required=False, empty_label="—")
    referrer = forms.ModelChoiceField(Patient.objects.none(), label=_("Recommended by"), required=False)
    responsible_adult = forms.ModelChoiceField(
        Patient.objects.none(), label=_("Responsible adult (of a child)"), required=False
    )
    family = forms.ModelChoiceField(Patient.objects.none(), label=_("Same family as"), required=False)
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, by: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        branches = Branch.objects.order_by("-is_default", "name")
        choices: dict[str, Any] = {
            "branch": branches if by.branch_id is None else branches.filter(pk=by.branch_id),
            "channel": Channel.objects.order_by("name"),
            "curator": User.objects.filter(is_active=True, role="curator").order_by("full_name"),
        }
        people = visible_patients(by).filter(merged_into=None)
        choices |= dict.fromkeys(("referrer", "responsible_adult", "family"), people)
        for name, queryset in choices.items():
            self.fields[name].queryset = queryset  # type: ignore[attr-defined]
        self._name_chosen(people)

    def _name_chosen(self, people: QuerySet[Patient]) -> None:
        """Who was chosen in a field of people is shown by name: the fields list nobody else."""
        for name in ("referrer", "responsible_adult", "family"):
            value = self[name].value()
            pk = getattr(value, "pk", value)
            found = people.filter(pk=pk).first() if str(pk or "").isdecimal() and len(str(pk)) < 19 else None
            if found:
                self[name].chosen_id, self[name].chosen_name = found.pk, found.full_name  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip()
        if email:
            validate_email(email)
        return email

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        branch = data.get("branch")
        try:
            data["numbers"] = parse_phones(data.get("phones", ""), branch.phone_region if branch else "RU")
        except BadPhone:
            self.add_error("phones", _("This is not a phone number that can be dialled."))
        return data

    def draft(self, consents: list[ConsentDraft] | None = None) -> PatientDraft:
        skipped = {"phones", "numbers", "key"}
        data = {
            k: v for k, v in self.cleaned_data.items() if k not in skipped and k in PatientDraft.__dataclass_fields__
        }
        numbers: list[Phone] = self.cleaned_data["numbers"]
        return PatientDraft(**{**data, "phones": numbers, "consents": consents or []})


class NewPatientForm(PatientForm):
    key = forms.UUIDField(widget=forms.HiddenInput)
    processing = forms.BooleanField(label=_("Consent to the processing of personal data"), required=False)
    marketing = forms.MultipleChoiceField(
        label=_("Consent to advertising, by"),
        required=False,
        choices=Transport.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    how = forms.ChoiceField(label=_("How the consent was given"), choices=HOW, initial="paper")
    seen_similar = forms.BooleanField(label=_("None of these is the same person"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial.setdefault("key", uuid.uuid4())

    def consent_drafts(self) -> list[ConsentDraft]:
        """One fact a purpose and transport; what was not ticked is no fact at all."""
        data = self.cleaned_data
        pairs = [(Purpose.PROCESSING, "")] if data["processing"] else []
        pairs += [(Purpose.MARKETING, transport) for transport in data["marketing"]]
        return [consent_draft(purpose, transport, True, data["how"]) for purpose, transport in pairs]


def consent_draft(
    purpose: str, transport: str, given: bool, how: str, evidence: str = "", paper: bytes = b""
) -> ConsentDraft:
    """With the version and the words that were shown, in the language in which they were."""
    shown = text_of(purpose)
    language = (get_language() or "ru")[:2]
    return ConsentDraft(purpose, transport, given, how, shown.version, str(shown.text), evidence, language, paper)


class ConsentForm(forms.Form):
    """One line of the ledger."""

    purpose = forms.ChoiceField(label=_("What for"), choices=Purpose.choices)
    transport = forms.ChoiceField(label=_("By"), required=False, choices=[("", _("every way")), *Transport.choices])
    given = forms.TypedChoiceField(
        label=_("Decision"), coerce=lambda value: value == "yes", choices=[("yes", _("gives")), ("no", _("withdraws"))]
    )
    how = forms.ChoiceField(label=_("How we know"), choices=HOW)
    evidence = forms.CharField(label=_("Proof"), required=False, max_length=300, help_text=_("Where the paper lies."))
    scan = forms.FileField(
        label=_("Signed paper"),
        required=False,
        help_text=_("Photo or scan: PDF, PNG or JPEG, up to 10 MB. Without a proof nobody may be sent advertising."),
    )

    def clean_scan(self) -> bytes:
        found = self.cleaned_data["scan"]
        if not found:
            return b""
        try:
            content = bytes(found.read(LARGEST_SCAN + 1))
            kind_of_scan(content)
        except BadScan as error:
            raise forms.ValidationError(_("This is no PDF, PNG or JPEG of up to 10 MB.")) from error
        return content

    def draft(self) -> ConsentDraft:
        data = self.cleaned_data
        facts = (data["purpose"], data["transport"], data["given"], data["how"], data["evidence"], data["scan"])
        return consent_draft(*facts)
