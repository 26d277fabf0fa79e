"""To whom a patient is sent inside the clinic, and why nobody has to remind him any more."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from funnel.actions.referrals import Target
from funnel.models import InternalReferral
from staff.models import Doctor, User


class ReferForm(forms.Form):
    """A doctor refers himself; whoever is no doctor names the one who did. No reason for who may not see it."""

    from_doctor = forms.ModelChoiceField(Doctor.objects.none(), label=_("Who refers"), empty_label=_("choose a doctor"))
    to_doctor = forms.ModelChoiceField(
        Doctor.objects.none(), label=_("To the doctor"), required=False, empty_label=_("any of the speciality")
    )
    to_speciality = forms.ChoiceField(label=_("or to the speciality"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=300, strip=True)

    def __init__(self, *args: Any, user: User, see_medical: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        doctors = Doctor.objects.filter(is_active=True).order_by("name", "id")
        for name in ("from_doctor", "to_doctor"):
            self.fields[name].queryset = doctors  # type: ignore[attr-defined]
        names = doctors.exclude(speciality="").order_by("speciality").values_list("speciality", flat=True)
        offered = [("", "—"), *((name, name) for name in names.distinct())]
        self.fields["to_speciality"].choices = offered  # type: ignore[attr-defined]
        self.own = user.doctor if user.doctor_id is not None else None
        if self.own:
            del self.fields["from_doctor"]
        if not see_medical:
            del self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("to_doctor")) == bool(data.get("to_speciality")):
            raise ValidationError(_("Choose a doctor or a speciality: one of the two."))
        if data.get("to_doctor") and data["to_doctor"] == self.sender():
            self.add_error("to_doctor", _("This is the doctor who refers."))
        return data

    def sender(self) -> Doctor | None:
        return self.own or self.cleaned_data.get("from_doctor")

    def target(self) -> Target:
        return Target(self.cleaned_data["to_doctor"], self.cleaned_data["to_speciality"])


class CloseReferralForm(forms.Form):
    referral = forms.IntegerField(min_value=1, max_value=2**62)
    why = forms.ChoiceField(
        choices=[(one.value, one.label) for one in (InternalReferral.Why.DECLINED, InternalReferral.Why.NOT_NEEDED)]
    )
