"""Form fields of days and times: the one component of all forms.

The browser's own inputs follow the browser's language: in a Russian clinic on an English Windows 03.11 and 11/03 are
mixed up and the week begins on Sunday. These are texts that say what they want, read whatever people type, and open
a small month that the server draws.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.days import NotADay, read_day, read_time


class DayInput(forms.DateInput):
    """`month`: whether a month can be opened beside it (of no use for birth dates)."""

    template_name = "components/day_input.html"

    def __init__(self, *, month: bool = True) -> None:
        said = {"placeholder": _("DD.MM.YYYY"), "autocomplete": "off", "spellcheck": "false", "maxlength": 30}
        super().__init__(format="%d.%m.%Y", attrs=said | ({"data-day": ""} if month else {}))
        self.month = month

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        return context | {"month_url": reverse_lazy("staff:month") if self.month else ""}


class TimeInput(forms.TimeInput):
    def __init__(self) -> None:
        said = {"placeholder": _("HH:MM"), "autocomplete": "off", "inputmode": "numeric", "maxlength": 8}
        super().__init__(format="%H:%M", attrs=said)


class DayField(forms.DateField):
    """`lean`: which year is meant where none is typed (`core.days.read_day`).

    `today`: the day from which "tomorrow" is reckoned; a form that knows its branch sets it.
    """

    def __init__(self, *, lean: str = "near", month: bool = True, **kwargs: Any) -> None:
        super().__init__(widget=kwargs.pop("widget", None) or DayInput(month=month), **kwargs)
        self.lean, self.today = lean, None  # type: tuple[str, dt.date | None]

    def to_python(self, value: Any) -> dt.date | None:
        if value in self.empty_values or isinstance(value, dt.date):
            return super().to_python(value)
        try:
            return read_day(str(value)[:60], today=self.today or timezone.localdate(), lean=self.lean)
        except NotADay as error:
            raise forms.ValidationError(_("Write a day such as 25.11.2026, 25.11 or tomorrow.")) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed is shown again as the day that it meant; what meant none, as it was typed."""
        try:
            return self.to_python(data) or data
        except forms.ValidationError:
            return data


class TimeField(forms.TimeField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=TimeInput(), **kwargs)

    def to_python(self, value: Any) -> dt.time | None:
        if value in self.empty_values or isinstance(value, dt.time):
            return super().to_python(value)
        try:
            return read_time(str(value))
        except NotADay as error:
            raise forms.ValidationError(_("Write a time such as 9:30.")) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return self.to_python(data) or data
        except forms.ValidationError:
            return data
