"""A line of spend by hand, and what the list shows."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.translation import gettext_lazy as _

from core.fields import DayField
from core.money import MAX_MINOR
from funnel.models import Spend
from patients.models import Channel


class SpendForm(forms.Form):
    """`amount` in roubles; `date` not after `today`."""

    date = DayField(label=_("Day"), lean="past")
    channel = forms.ModelChoiceField(
        label=_("Source"), queryset=Channel.objects.none(), required=False, empty_label=_("no source")
    )
    purpose = forms.ChoiceField(label=_("What for"), choices=Spend.Purpose.choices)
    amount = forms.DecimalField(label=_("Amount"), max_digits=13, decimal_places=2, min_value=0)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, *args: object, today: dt.date, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.today = today
        channel = self.fields["channel"]
        assert isinstance(channel, forms.ModelChoiceField)
        channel.queryset = Channel.objects.order_by("name", "id")
        day = self.fields["date"]
        assert isinstance(day, DayField)
        day.today = today

    def clean_date(self) -> dt.date:
        day: dt.date = self.cleaned_data["date"]
        if not dt.date(1971, 1, 1) <= day <= self.today:
            raise forms.ValidationError(_("Enter a day that has already been."))
        return day

    def clean_amount(self) -> int:
        """Minor units."""
        minor = int(self.cleaned_data["amount"] * 100)
        if not 0 < minor <= MAX_MINOR:
            raise forms.ValidationError(_("Enter an amount above zero."))
        return minor
