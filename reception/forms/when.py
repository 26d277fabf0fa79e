"""A time with a doctor: one of the offered free times, or a day and a time typed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.clock import zone
from core.fields import DayField, TimeField
from patients.models import Visit
from staff.models import Branch, Doctor, Room

LENGTHS = (10, 15, 20, 30, 40, 45, 60, 90, 120)


def today_in(form: forms.Form, tz: str) -> None:
    """ "Tomorrow" in the form's fields is tomorrow in that zone."""
    today = timezone.localdate(timezone=zone(tz))
    for field in form.fields.values():
        if isinstance(field, DayField):
            field.today = today


class DayForm(forms.Form):
    """The day of a page, in its address."""

    use_required_attribute = False
    day = DayField(label=_("Day"))


class WhenForm(forms.Form):
    """After `is_valid`, `cleaned_data` has doctor, branch, start_at and end_at; None where not `required`."""

    doctor = forms.ModelChoiceField(Doctor.objects.none(), label=_("Doctor"), empty_label="—")
    minutes = forms.TypedChoiceField(
        label=_("Length"), coerce=int, choices=[(n, format_lazy(_("{n} min"), n=n)) for n in LENGTHS], initial=30
    )
    slot = forms.CharField(label=_("Free times"), required=False)
    day = DayField(label=_("Another day"), required=False, lean="future")
    time = TimeField(label=_("Time"), required=False)
    room = forms.ModelChoiceField(
        Room.objects.none(), label=_("Room"), required=False, empty_label=_("the room of the doctor's shift")
    )
    goal = forms.CharField(
        label=_("Goal of the visit"), required=False, max_length=300, help_text=_("In the patient's words.")
    )
    overlap = forms.BooleanField(label=_("Squeeze it in although the time is taken"), required=False)

    def __init__(self, *args: Any, branch: Branch, required: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.branch, self.required = branch, required
        today_in(self, branch.tz)
        field = self.fields["doctor"]
        field.queryset = Doctor.objects.filter(is_active=True).order_by("name", "id")  # type: ignore[attr-defined]
        field.required = required
        self.fields["room"].queryset = Room.objects.filter(branch=branch, is_active=True).order_by("name", "id")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data |= {"start_at": None, "end_at": None, "branch": None}
        if data.get("day") and data.get("time"):
            moment = datetime.combine(data["day"], data["time"], tzinfo=zone(self.branch.tz))
            self._settle(data, data.get("doctor"), None, moment.astimezone(UTC))
        elif data.get("slot"):
            self._read_slot(data)
        elif self.required:
            self.add_error("slot", _("Choose a free time, or name a day and a time."))
        return data

    def _read_slot(self, data: dict[str, Any]) -> None:
        """`doctor:branch:ISO time` as `Slot.value` writes it."""
        try:
            doctor_id, branch_id, text = data["slot"].split(":", 2)
            moment = datetime.fromisoformat(text).astimezone(UTC)
            doctor = Doctor.objects.get(pk=int(doctor_id), is_active=True)
            branch = Branch.objects.get(pk=int(branch_id)) if branch_id else None
        except (ValueError, OverflowError, Doctor.DoesNotExist, Branch.DoesNotExist):
            self.add_error("slot", _("This free time cannot be read; choose again."))
            return
        self._settle(data, doctor, branch, moment)

    def _settle(self, data: dict[str, Any], doctor: Doctor | None, branch: Branch | None, start: datetime) -> None:
        if doctor is None:
            self.add_error("doctor", _("Choose a doctor."))
            return
        data["doctor"] = doctor
        data["branch"] = branch or doctor.branch or self.branch
        data["start_at"], data["end_at"] = start, start + timedelta(minutes=data.get("minutes") or 30)


class OwnForm(WhenForm):
    """When a visit without an appointment took place."""

    day = DayField(label=_("Day"), lean="past")
    time = TimeField(label=_("Time"))


class CancelForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.TextInput(attrs={"autofocus": True}))
    by_clinic = forms.TypedChoiceField(
        label=_("Who cancels"),
        coerce=lambda value: value == "clinic",
        choices=[("patient", _("the patient")), ("clinic", _("the clinic"))],
        initial="patient",
        widget=forms.RadioSelect,
    )


class NextForm(WhenForm):
    """The next booking with its goal, or the reason why there is none: one of the two must be there (R50)."""

    no_next_reason = forms.ChoiceField(
        label=_("No next booking, because"), required=False, choices=[("", "—"), *Visit.NoNextReason.choices]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "required": False})

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        booked, reason = data.get("start_at"), data.get("no_next_reason")
        if booked and reason:
            self.add_error("no_next_reason", _("There is a next booking: leave the reason empty."))
        elif booked and not data.get("goal"):
            self.add_error("goal", _("Say what the next visit is for, in the patient's words."))
        elif not booked and not reason and not self.errors:
            self.add_error("no_next_reason", _("Book the next visit, or say why there is none."))
        return data
