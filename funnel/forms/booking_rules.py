"""How the clinic is booked online."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.models import BookingRules

LABELS: dict[str, Any] = {
    "is_open": _("Patients may book online"),
    "days_ahead": _("How far ahead, days"),
    "notice_minutes": _("Not later than so many minutes before"),
    "hold_minutes": _("A chosen time is kept for, minutes"),
    "stale_minutes": _("A timetable of the MIS is old after, minutes"),
    "wave_size": _("A freed time goes to so many people at once"),
    "wave_minutes": _("The next ones get it after, minutes"),
    "offer_minutes": _("An offer is good for, minutes"),
    "mis_fetches": _("An MIS fetches the bookings by the API"),
}
HELP: dict[str, Any] = {"mis_fetches": _("Then each booking shows at the desk whether the MIS has taken it.")}


class BookingRulesForm(forms.Form):
    """Fields and limits are those of the model; an action writes them."""

    def __init__(self, *args: Any, rules: BookingRules, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        made = forms.fields_for_model(BookingRules, LABELS, labels=LABELS, help_texts=HELP)
        self.fields.update(made)
        self.initial = {**self.initial, **{name: getattr(rules, name) for name in LABELS}}

    def clean(self) -> dict[str, Any]:
        """The model's own limits: a form field made of a model's does not carry them."""
        data = super().clean() or {}
        wanted = BookingRules(**{name: data[name] for name in LABELS if name in data})
        try:
            wanted.full_clean(exclude=set(self.errors), validate_unique=False, validate_constraints=False)
        except forms.ValidationError as error:
            self.add_error(None, error)
        return data
