"""A channel, a sign of it, a day's traffic and a file of many."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.fields import DayField
from funnel.actions.traffic import MOST
from funnel.models import ChannelMark
from patients.models import Channel

LARGEST = 1024 * 1024  # bytes of a file: ten thousand rows have less


class ChannelForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), choices=Channel.Kind.choices)
    parent = forms.ModelChoiceField(
        label=_("Part of"),
        queryset=Channel.objects.none(),
        required=False,
        empty_label=_("nothing: it stands by itself"),
    )

    def __init__(self, *args: Any, channel: Channel | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Channel.objects.order_by("name", "id")
        _choices(self, "parent", others.exclude(pk=channel.pk) if channel else others)


class MarkForm(forms.Form):
    kind = forms.ChoiceField(label=_("Sign"), choices=ChannelMark.Kind.choices)
    value = forms.CharField(
        label=_("Value"), max_length=120, help_text=_("utm_source, the code, the number or the site, as the sign says.")
    )
    medium = forms.CharField(label="utm_medium", max_length=120, required=False, help_text=_("Empty: any."))
    campaign = forms.CharField(label="utm_campaign", max_length=120, required=False, help_text=_("Empty: any."))


class TrafficForm(forms.Form):
    """`date` not after `today`."""

    date = DayField(label=_("Day"), lean="past")
    channel = forms.ModelChoiceField(
        label=_("Source"), queryset=Channel.objects.none(), required=False, empty_label=_("no source")
    )
    reach = forms.IntegerField(label=_("Reach: people who saw it"), min_value=0, max_value=MOST, initial=0)
    clicks = forms.IntegerField(label=_("Clicks"), min_value=0, max_value=MOST, initial=0)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        _choices(self, "channel", Channel.objects.order_by("name", "id"))
        day = self.fields["date"]
        assert isinstance(day, DayField)
        day.today = today

    def clean_date(self) -> dt.date:
        day: dt.date = self.cleaned_data["date"]
        if not dt.date(1971, 1, 1) <= day <= self.today:
            raise forms.ValidationError(_("Enter a day that has already been."))
        return day


class TableForm(forms.Form):
    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))

    def clean_file(self) -> bytes:
        """The bytes."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(_("The file is larger than 1 MB."))
        data: bytes = file.read()
        return data


def _choices(form: forms.Form, name: str, rows: Any) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows
