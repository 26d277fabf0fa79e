"""The living style guide: every component and chart in every state, with made-up figures."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.fields import DayField, TimeField
from staff.views import style_guide_charts, style_guide_lists

COLOURS = [
    "bg",
    "surface",
    "sunken",
    "line",
    "text",
    "text-2",
    "text-3",
    "accent",
    "accent-soft",
    "good",
    "warn",
    "bad",
    "tone-1",
    "tone-2",
    "tone-3",
    "tone-4",
    "tone-5",
    "tone-6",
]


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label=gettext_lazy("Full name"), max_length=80)
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        help_text=gettext_lazy("A family may share one."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    born = DayField(label=gettext_lazy("Date of birth"), required=False, lean="past", month=False)
    until = DayField(label=gettext_lazy("Until"), required=False, lean="future")
    at = TimeField(label=gettext_lazy("at"), required=False)
    branch = forms.ChoiceField(
        label=gettext_lazy("Branch"),
        choices=[("main", gettext_lazy("Main branch")), ("river", gettext_lazy("River branch"))],
    )
    way = forms.ChoiceField(
        label=gettext_lazy("How to reach"),
        widget=forms.RadioSelect,
        choices=[("call", gettext_lazy("Call")), ("message", gettext_lazy("Message"))],
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    agreed = forms.BooleanField(label=gettext_lazy("Agrees to processing of personal data"))


def style_guide(request: HttpRequest) -> HttpResponse:
    """Everything on one page; the switches in the header change language and colours."""
    wrong = SampleForm(
        {"wrong-name": "", "wrong-phone": "+79123456789", "wrong-born": "2026-02-31", "wrong-branch": "river"},
        prefix="wrong",
    )
    context = {
        "colours": COLOURS,
        "form": SampleForm(prefix="plain"),
        "wrong": wrong,
        "crumbs": [{"label": _("Settings"), "url": "#page"}],
        "tabs": _tabs(),
        "options": _options(),
        "steps": _steps(),
        "chips": [{"label": _("Main branch"), "url": "?"}, {"label": _("Dentistry"), "url": "?"}],
        "branches": [
            {"value": "", "label": _("All branches")},
            {"value": "main", "label": _("Main branch"), "selected": True},
        ],
        "periods": [{"value": "month", "label": _("November 2026")}, {"value": "year", "label": _("12 months")}],
        **style_guide_charts.samples(),
        **style_guide_lists.samples(),
    }
    return render(request, "staff/style_guide.html", context)


def _tabs() -> list[dict[str, object]]:
    return [
        {"label": _("Overview"), "url": "#page", "current": True},
        {"label": _("Visits"), "url": "#tables", "count": 12},
        {"label": _("Messages"), "url": "#lists", "count": 0},
    ]


def _options() -> list[dict[str, object]]:
    return [
        {"label": _("Week"), "url": "?"},
        {"label": _("Month"), "url": "?", "current": True},
        {"label": _("Year"), "url": "?"},
    ]


def _steps() -> list[dict[str, object]]:
    return [
        {"label": _("Audience"), "state": "done", "url": "#talk"},
        {"label": _("Message"), "state": "now"},
        {"label": _("Approval"), "state": ""},
    ]
