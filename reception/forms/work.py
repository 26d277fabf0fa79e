"""What came of a work item, and when to call again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.fields import DayField, TimeField
from patients.models import WorkItem
from staff.models import Branch

OUTCOMES = [
    ("reached", _("reached")),
    ("no_answer", _("no answer")),
    ("booked", _("booked")),
    ("declined", _("declined")),
    ("done", _("done")),
    ("dropped", _("not needed")),
]


class OutcomeForm(forms.Form):
    outcome = forms.ChoiceField(label=_("Outcome"), choices=OUTCOMES)
    note = forms.CharField(label=_("Note"), required=False, max_length=200)
    call_day = DayField(label=_("Call back on"), required=False, lean="future")
    call_time = TimeField(label=_("at"), required=False)


class WorkFilter(forms.Form):
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("all")), *WorkItem.Kind.choices])
    branch = forms.ModelChoiceField(Branch.objects.none(), label=_("Branch"), required=False, empty_label=_("all"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["branch"].queryset = Branch.objects.order_by("name")  # type: ignore[attr-defined]


class NewItemForm(forms.Form):
    """A call that somebody asked for."""

    note = forms.CharField(label=_("What to do"), max_length=300)
    day = DayField(label=_("Day"), lean="future")
    time = TimeField(label=_("Time"), required=False)
