from __future__ import annotations

import re
from datetime import date, time
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.clock import zone_names
from core.fields import DayField
from core.names import clean_text
from staff.access import Actor
from staff.models import Branch
from staff.queries.people import visible_branches

RANGE = re.compile(r"^(\d{1,2})[:.](\d{2})\s*[-–—]\s*(\d{1,2})[:.](\d{2})$")


def zones() -> list[tuple[str, str]]:
    """The zones of people, without the aliases and the Etc/ ones."""
    areas = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return [("UTC", "UTC"), *((name, name) for name in sorted(zone_names()) if name.startswith(areas))]


class ZoneField(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=gettext_lazy("Time zone"), choices=lazy(zones, list), **kwargs)

    def valid_value(self, value: Any) -> bool:
        return str(value) in zone_names()


class SettingsForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name of the clinic"), max_length=200)
    tz = ZoneField(
        help_text=gettext_lazy(
            "In which days and months are reckoned. Once there are visits, a change is asked about on a page of its own."
        )
    )
    currency = forms.RegexField(label=gettext_lazy("Currency"), regex=r"^[A-Z]{3}$", help_text="RUB, KZT, BYN …")
    theta_days = forms.IntegerField(
        label=gettext_lazy("Lost after, days without a visit"),
        min_value=1,
        max_value=3650,
        help_text=gettext_lazy(
            "M14: whoever has not come for so long counts as lost, unless his speciality has a rule"
        ),
    )
    history_from = DayField(
        label=gettext_lazy("Complete data from"),
        required=False,
        lean="past",
        help_text=gettext_lazy("Patients first seen before it are not taken for new ones"),
    )
    natural_allowance_percent = forms.IntegerField(
        label=gettext_lazy("Natural loss, percent a year"), min_value=0, max_value=100
    )

    def __init__(self, specialities: list[str], rules: dict[str, int], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rule_names = {f"rule_{n}": speciality for n, speciality in enumerate(specialities)}
        for field, speciality in self.rule_names.items():
            self.fields[field] = forms.IntegerField(
                label=speciality, required=False, min_value=1, max_value=3650, initial=rules.get(speciality)
            )

    @property
    def rule_fields(self) -> list[Any]:
        return [self[name] for name in self.rule_names]

    @property
    def rules(self) -> dict[str, int]:
        """Speciality -> days, for those that have their own number."""
        data = self.cleaned_data
        return {speciality: data[name] for name, speciality in self.rule_names.items() if data.get(name)}


class BranchForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    tz = ZoneField()
    phone_region = forms.RegexField(
        label=gettext_lazy("Country of phones"),
        regex=r"^[A-Z]{2}$",
        initial="RU",
        help_text=gettext_lazy("How phones without + are read: RU, KZ, BY …"),
    )
    address = forms.CharField(label=gettext_lazy("Address"), max_length=300, required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=32, required=False)
    opens_at = forms.TimeField(
        label=gettext_lazy("Phone is answered from"),
        required=False,
        help_text=gettext_lazy("Local time. Empty: at all hours. How long an enquiry has waited is reckoned by it."),
    )
    closes_at = forms.TimeField(label=gettext_lazy("Phone is answered until"), required=False)
    work_days = forms.RegexField(
        label=gettext_lazy("Working days"),
        regex=r"^[1-7]{1,7}$",
        required=False,
        help_text=gettext_lazy("Numbers of the days, 1 is Monday: 12345. Empty: every day."),
    )
    is_default = forms.BooleanField(label=gettext_lazy("Takes the rows that name no branch"), required=False)

    def clean_work_days(self) -> str:
        return "".join(sorted(set(self.cleaned_data["work_days"]))) or "1234567"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and (data["opens_at"] is None) != (data["closes_at"] is None):
            self.add_error("closes_at", _("Enter both times or neither."))
        return data


class DoctorForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    speciality = forms.CharField(
        label=gettext_lazy("Speciality"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"list": "specialities"}),
    )
    branch = forms.ModelChoiceField(
        label=gettext_lazy("Branch"), queryset=Branch.objects.none(), required=False, empty_label=gettext_lazy("all")
    )
    is_active = forms.BooleanField(label=gettext_lazy("Takes patients"), required=False, initial=True)

    def __init__(self, by: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        branch: Any = self.fields["branch"]
        branch.queryset = visible_branches(by)
        branch.required = by.branch_id is not None

    def clean_speciality(self) -> str:
        return clean_text(str(self.cleaned_data["speciality"]))

    @property
    def values(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        branch = data.pop("branch")
        return {**data, "branch_id": branch.pk if branch else None}


def read_hours(text: str) -> list[tuple[time, time]]:
    """'9:00-13:00, 14:00-18:00' -> pairs; an empty text is a day off. Raises ValidationError."""
    pairs = []
    for part in filter(None, (p.strip() for p in re.split(r"[,;]", text))):
        found = RANGE.match(part)
        try:
            if found is None:
                raise ValueError(part)
            hours = [int(group) for group in found.groups()]
            start, end = time(hours[0], hours[1]), time(hours[2], hours[3])
        except ValueError as error:
            raise forms.ValidationError(_("Write hours as 9:00-13:00, 14:00-18:00.")) from error
        if end <= start:
            raise forms.ValidationError(_("The end is not after the start."))
        pairs.append((start, end))
    return pairs


class HoursField(forms.CharField):
    def clean(self, value: Any) -> Any:
        return read_hours(super().clean(value))


class WeekForm(forms.Form):
    """Seven lines of hours, Monday first."""

    branch = forms.ModelChoiceField(label=gettext_lazy("Branch"), queryset=Branch.objects.none(), empty_label=None)

    def __init__(self, by: Actor, days: list[date], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        branch: Any = self.fields["branch"]
        branch.queryset = visible_branches(by)
        for n, day in enumerate(days):
            self.fields[f"day_{n}"] = HoursField(
                label=f"{date_format(day, 'l')}, {day:%d.%m}",
                required=False,
                max_length=120,
                widget=forms.TextInput(attrs={"placeholder": "9:00-18:00"}),
            )

    @property
    def day_fields(self) -> list[Any]:
        return [self[f"day_{n}"] for n in range(7)]

    @property
    def hours(self) -> dict[int, list[tuple[time, time]]]:
        return {n: self.cleaned_data[f"day_{n}"] for n in range(7)}


class AuditForm(forms.Form):
    who = forms.RegexField(label=gettext_lazy("Person"), regex=r"^(system|(user|key):\d{1,18})$", required=False)
    patient = forms.IntegerField(label=gettext_lazy("Patient's number"), required=False, min_value=1, max_value=2**62)
    deed = forms.CharField(label=gettext_lazy("Deed"), required=False, max_length=60)
    since = DayField(label=gettext_lazy("From"), required=False, lean="past")
    until = DayField(label=gettext_lazy("To"), required=False, lean="past")
    after = forms.IntegerField(required=False, min_value=1, max_value=2**62)
