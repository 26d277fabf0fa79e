"""What is ticked of the hand-off, at the visit and after it, and the chains of specialities."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.actions.handoff import HandReport
from funnel.models import BreakReason, FirstStep, HandoffStep
from funnel.queries.handoff import steps_before
from patients.models import Visit
from staff.models import Doctor

REASONS = [("", "—"), *BreakReason.choices]
MOST_STEPS = 6


class HandForm(forms.Form):
    """On the page of the visit: a tick a step of its chain (`chain`: positions and kinds), or one for all of them."""

    whole = forms.BooleanField(label=_("the whole chain, from hand to hand"), required=False)
    passed = forms.MultipleChoiceField(
        label=_("Took the patient over"), required=False, widget=forms.CheckboxSelectMultiple
    )
    break_reason = forms.ChoiceField(label=_("If the chain broke: why"), required=False, choices=REASONS)
    presented = forms.BooleanField(label=_("the clinic was presented before he left"), required=False)
    first_steps = forms.MultipleChoiceField(
        label=_("What involves him"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, visit: Visit | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.steps = steps_before(visit) if visit else []
        # A step that somebody takes while the desk types is no fault: what is sent back may name it.
        left = [step for step in self.steps if self.is_bound or not (step.acknowledged_at or step.dropped_at)]
        open_steps = [(str(step.position), step.get_kind_display()) for step in left]
        catalogue = FirstStep.objects.filter(is_active=True).order_by("pk")
        choices = {"passed": open_steps, "first_steps": [(str(step.pk), str(step)) for step in catalogue]}
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]
        if visit and not self.steps:
            del self.fields["whole"], self.fields["passed"], self.fields["break_reason"]
        elif not open_steps:
            del self.fields["passed"]

    def report(self) -> HandReport:
        data = self.cleaned_data
        return HandReport(
            passed=[int(place) for place in data.get("passed", ())],
            whole=data.get("whole", False),
            break_reason=data.get("break_reason", ""),
            presented=data["presented"],
            first_steps=[int(pk) for pk in data["first_steps"]],
        )


class BreakForm(forms.Form):
    """Why a visit ended without the whole chain or without the next booking."""

    reason = forms.ChoiceField(label=_("Why"), choices=REASONS)
    note = forms.CharField(label=_("In a few words"), required=False, max_length=300)


class ChainForm(forms.Form):
    """The chain of a speciality: up to six steps in order. No step: no chain there."""

    speciality = forms.ChoiceField(label=_("Speciality"), required=False)
    limit_minutes = forms.IntegerField(
        label=_("Minutes until a baton counts as dropped"), min_value=1, max_value=240, initial=10
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Doctor.objects.exclude(speciality="").order_by("speciality").values_list("speciality", flat=True)
        offered = [("", _("every other speciality")), *((name, name) for name in names.distinct())]
        self.fields["speciality"].choices = offered  # type: ignore[attr-defined]
        for place in range(MOST_STEPS):
            label = _("Step %(number)s") % {"number": place + 1}
            choices = [("", "—"), *HandoffStep.Kind.choices]
            self.fields[f"step{place}"] = forms.ChoiceField(label=label, required=False, choices=choices)

    def kinds(self) -> list[str]:
        chosen = [self.cleaned_data[f"step{place}"] for place in range(MOST_STEPS)]
        return [kind for kind in chosen if kind]


class FirstStepForm(forms.Form):
    name = forms.CharField(label=_("What is done"), max_length=120)
