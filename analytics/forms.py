"""The filters in the address of a page, and the inputs of the what-if calculator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from analytics.rules.periods import DEFAULT, PRESETS
from core.fields import DayField

FIRST_DAY, LAST_DAY = date(1971, 1, 1), date(2199, 12, 31)
LONGEST = 3660  # days: ten years on one page are enough, and the charts stay readable


class FilterForm(forms.Form):
    """GET. Own dates win over a preset; what is empty or unknown falls back to the default, and says so."""

    period = forms.ChoiceField(choices=[(name, name) for name in PRESETS], required=False, widget=forms.HiddenInput)
    first = DayField(label=_("From"), required=False, lean="past")
    last = DayField(label=_("To"), required=False, lean="past")
    branch = forms.CharField(label=_("Branch"), required=False, max_length=200, widget=forms.Select)
    speciality = forms.CharField(label=_("Speciality"), required=False, max_length=120, widget=forms.Select)
    doctor = forms.CharField(label=_("Doctor"), required=False, max_length=200, widget=forms.Select)
    channel = forms.CharField(label=_("Source"), required=False, max_length=200, widget=forms.Select)
    as_of = forms.DateField(required=False, widget=forms.HiddenInput, input_formats=["%Y-%m-%d"])
    against = forms.ChoiceField(choices=[("previous", ""), ("year", "")], required=False, widget=forms.HiddenInput)

    def add_prefix(self, field_name: str) -> str:
        """`from` and `to` in the address, as in the API; `from` is no name for a Python attribute."""
        return {"first": "from", "last": "to"}.get(field_name, field_name)

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        for day in (first, last, data.get("as_of")):
            if day and not FIRST_DAY <= day <= LAST_DAY:
                raise forms.ValidationError(_("This date is out of reach."))
        if first and last and first > last:
            raise forms.ValidationError(_("The period ends before it begins."))
        if first and last and (last - first).days > LONGEST:
            raise forms.ValidationError(_("Choose at most ten years."))
        data["period"] = data.get("period") or DEFAULT
        data["against"] = data.get("against") or "previous"
        return data


class WhatIfForm(forms.Form):
    """The formula by hand (M05), with the same unit rule: sales per year × months / 12."""

    check = forms.DecimalField(
        label=_("Average check"), max_digits=12, decimal_places=2, min_value=Decimal(0), localize=False
    )
    sales = forms.DecimalField(
        label=_("Sales per year"), max_digits=7, decimal_places=3, min_value=Decimal(0), max_value=Decimal(1000)
    )
    months = forms.DecimalField(
        label=_("Length of the relationship, months"), max_digits=7, decimal_places=2, min_value=Decimal(0)
    )
    share = forms.DecimalField(
        label=_("Share of profit, %"),
        max_digits=6,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(-100)), MaxValueValidator(Decimal(100))],
    )


def _slider(label: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=300,
        initial=100,
        widget=forms.NumberInput(attrs={"type": "range", "min": 0, "max": 300, "step": 5}),
    )


class SliderForm(forms.Form):
    """Percent of today, a slider each (R103)."""

    spend = _slider(_("Spend"))
    leads = _slider(_("Leads for the same spend"))
    booked = _slider(_("Leads that book"))
    came = _slider(_("Bookings that come"))
    paid = _slider(_("Visits that are paid"))
    value = _slider(_("Margin of a patient in 12 months"))
    repeat = _slider(_("Patients who come again"))

    @classmethod
    def asked(cls, query: Mapping[str, object]) -> bool:
        """Whether the address moves any slider."""
        return any(name in query for name in cls.base_fields)
