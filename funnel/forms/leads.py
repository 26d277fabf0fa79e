"""What the desk writes about a lead: a new one by hand, why it is lost, what was offered, what a list shows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.fields import DayField
from core.phones import BadPhone, parse_phone
from funnel.models import Alternative, Lead, LossReason, Stage
from patients.models import Channel
from staff.access import Actor
from staff.models import Branch, Doctor
from staff.models.access import Role

BY_HAND = [
    (Lead.Kind.WALK_IN, _("walk-in")),
    (Lead.Kind.CALL, _("phone")),
    (Lead.Kind.MESSENGER, _("messenger")),
    (Lead.Kind.EMAIL, _("e-mail")),
]


class _Choices(forms.Form):
    """Fields of the tables of the clinic, filled when the form is made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tables = {
            "channel": Channel.objects.order_by("name", "id"),
            "branch": Branch.objects.order_by("name", "id"),
            "doctor": Doctor.objects.filter(is_active=True).order_by("name", "id"),
        }
        for name, rows in tables.items():
            if name in self.fields:
                self.fields[name].queryset = rows  # type: ignore[attr-defined]


class NewLeadForm(_Choices):
    """An enquiry that came by no door of ours. Whoever is bound to a branch enters it there."""

    kind = forms.ChoiceField(label=_("How they asked"), choices=BY_HAND)
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=60, required=False, widget=forms.TextInput({"type": "tel"}))
    email = forms.EmailField(label=_("E-mail"), required=False)
    channel = forms.ModelChoiceField(
        Channel.objects.none(), label=_("Where they heard of us"), required=False, empty_label=_("not known")
    )
    promo_code = forms.CharField(label=_("Promo code"), max_length=60, required=False)
    branch = forms.ModelChoiceField(Branch.objects.none(), label=_("Branch"), required=False, empty_label=_("any"))
    text = forms.CharField(
        label=_("What they ask"), max_length=2000, required=False, widget=forms.Textarea({"rows": 3})
    )

    def __init__(self, *args: Any, by: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if by.branch_id is not None:
            del self.fields["branch"]

    def clean_phone(self) -> str:
        typed: str = self.cleaned_data["phone"].strip()
        if typed:
            try:
                parse_phone(typed, "RU")
            except BadPhone as error:
                raise forms.ValidationError(_("This is no phone number.")) from error
        return typed

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not any(data.get(name) for name in ("name", "phone", "email")):
            raise forms.ValidationError(_("Write at least a name, a phone or an e-mail address."))
        return data


class CloseForm(forms.Form):
    """Nobody closes a lead without a reason (R92)."""

    reason = forms.ChoiceField(label=_("Why it is lost"), choices=[("", _("choose")), *LossReason.choices])
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class OfferForm(_Choices):
    """What is offered instead of a loss (R93)."""

    kind = forms.ChoiceField(label=_("What is offered instead"), choices=Alternative.Kind.choices)
    doctor = forms.ModelChoiceField(Doctor.objects.none(), label=_("Doctor"), required=False, empty_label="—")
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class LeadFilter(_Choices):
    """What the list shows; every field may be empty."""

    stage = forms.ChoiceField(label=_("Stage"), required=False, choices=[("", _("all")), *Stage.choices])
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("all")), ("open", _("open")), ("lost", _("lost")), ("spam", _("spam"))],
    )
    channel = forms.ModelChoiceField(Channel.objects.none(), label=_("Source"), required=False, empty_label=_("all"))
    kind = forms.ChoiceField(label=_("How they asked"), required=False, choices=[("", _("all")), *Lead.Kind.choices])
    reason = forms.ChoiceField(label=_("Why lost"), required=False, choices=[("", _("all")), *LossReason.choices])
    first = DayField(label=_("From"), required=False, lean="past")
    last = DayField(label=_("to"), required=False, lean="past")


class StageRuleForm(forms.Form):
    """Who answers for a stage, how long a lead may stand there, and what is to be done (R105)."""

    role = forms.ChoiceField(
        label=_("Who answers for it"),
        required=False,
        choices=[("", _("nobody")), *((role, role.label) for role in Role if role != Role.INTEGRATION)],
    )
    limit_minutes = forms.IntegerField(
        label=_("Longest, minutes"), required=False, min_value=1, max_value=60 * 24 * 365
    )
    duty = forms.CharField(label=_("What is to be done"), max_length=1000, required=False)
