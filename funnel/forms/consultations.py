"""What was done at a motivational consultation and how it ended; the algorithm itself, a line an item."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from funnel.actions.consultations import Held
from funnel.models import Checklist, Consultation


class ConsultationForm(forms.Form):
    """A tick an item of the version with which the page was opened (`checklist`)."""

    checklist = forms.ModelChoiceField(Checklist.objects.all(), widget=forms.HiddenInput)
    ticked = forms.MultipleChoiceField(label=_("Done"), required=False, widget=forms.CheckboxSelectMultiple)
    outcome = forms.ChoiceField(label=_("How it ended"), choices=[("", "—"), *Consultation.Outcome.choices])
    reason = forms.CharField(label=_("Why he thinks or declined"), required=False, max_length=300, strip=True)

    def __init__(self, *args: Any, version: Checklist, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(str(place), label) for place, label in enumerate(version.labels())]
        self.fields["ticked"].choices = offered  # type: ignore[attr-defined]
        self.initial.setdefault("checklist", version.pk)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("outcome") in Consultation.UNDECIDED and not data.get("reason"):
            self.add_error("reason", ValidationError(_("Write why.")))
        return data

    def held(self) -> Held:
        data = self.cleaned_data
        return Held(data["checklist"], [int(place) for place in data["ticked"]], data["outcome"], data["reason"])


class ChecklistForm(forms.Form):
    items = forms.CharField(
        label=_("Items, one a line"), max_length=5000, widget=forms.Textarea(attrs={"rows": 10}), strip=True
    )

    def lines(self) -> list[str]:
        return [line for line in self.cleaned_data["items"].splitlines() if line.strip()]
