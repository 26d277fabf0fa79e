"""A step set for services, a doctor's word on a patient's next one, and what the patient said to it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.models import Indication
from funnel.rules.ladder import LADDER
from patients.models import Service
from patients.models.price import Tier
from staff.models import Doctor

OUTCOMES = [("agreed", _("agreed")), ("thinks", _("will think")), ("declined", _("declined"))]


class TiersForm(forms.Form):
    """One step for the services that were ticked on a page of the list."""

    services = forms.ModelMultipleChoiceField(
        Service.objects.all(), error_messages={"required": _("Tick the services first.")}
    )
    tier = forms.ChoiceField(choices=Tier.choices)


class ServiceFilter(forms.Form):
    q = forms.CharField(label=_("Part of the name"), required=False, max_length=100)
    only = forms.ChoiceField(
        label=_("Show"), required=False, choices=[("", _("all services")), ("gaps", _("without a step"))]
    )


class WordForm(forms.Form):
    """A doctor (`own`) says it himself; whoever is no doctor names the one who said it."""

    service = forms.ModelChoiceField(Service.objects.none(), label=_("Service"), empty_label=_("choose a service"))
    kind = forms.ChoiceField(label=_("The doctor's word"), choices=Indication.Kind.choices)
    doctor = forms.ModelChoiceField(Doctor.objects.none(), label=_("Doctor"), empty_label=_("choose a doctor"))
    reason = forms.CharField(label=_("Reason"), max_length=300, strip=True)

    def __init__(self, *args: object, own: Doctor | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        steps = Service.objects.filter(is_active=True, tier__in=LADDER).order_by("speciality", "name", "id")
        self.fields["service"].queryset = steps  # type: ignore[attr-defined]
        if own is not None:
            del self.fields["doctor"]
        else:
            doctors = Doctor.objects.filter(is_active=True).order_by("name", "id")
            self.fields["doctor"].queryset = doctors  # type: ignore[attr-defined]


class OfferForm(forms.Form):
    service = forms.ModelChoiceField(Service.objects.all())
    outcome = forms.ChoiceField(choices=OUTCOMES)
