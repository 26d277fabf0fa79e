"""Log a visit: services, payment, hand-off steps, advice."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from core.fields import DayField
from core.money import parse_money
from core.names import folded
from patients.actions.desk import Advice, ItemDraft, NextBooking, PaymentDraft, VisitReport
from patients.models import Payment, Service
from reception.forms.when import NextForm

MOST_LINES = 30
TYPED = {
    "list": "services",
    "autocomplete": "off",
    "hx-get": reverse_lazy("reception:services"),
    "hx-trigger": "input changed delay:120ms",
    "hx-target": "#services",
    "hx-sync": "this:replace",
}


class MoneyField(forms.CharField):
    """A sum as people type it (`1 500,50`) -> minor units, None when empty."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 10})
        super().__init__(required=False, widget=widget, **kwargs)

    def to_python(self, value: Any) -> Any:
        text = "".join((super().to_python(value) or "").split()).replace(",", ".").removesuffix("₽")
        if not text:
            return None
        try:
            minor = parse_money(text)
        except ValueError as error:
            raise forms.ValidationError(_("Write a sum such as 1500 or 1500,50.")) from error
        if minor < 0:
            raise forms.ValidationError(_("A sum cannot be below zero."))
        return minor


class ServiceField(forms.CharField):
    """A line of the price list by its name, its code, or `name (code)` -> Service, None when empty."""

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").strip()
        if not text:
            return None
        active = Service.objects.filter(is_active=True)
        code = text.rpartition(" (")[2].removesuffix(")")
        found = list(active.filter(name=text)[:2]) or list(active.filter(external_id__in=(text, code))[:2])
        found = found or [one for one in active.order_by("id")[:5000] if folded(one.name) == folded(text)][:2]
        if len(found) != 1:
            raise forms.ValidationError(_("No such service in the price list; choose one from the list."))
        return found[0]


class ItemForm(forms.Form):
    service = ServiceField(
        label=_("Service"),
        required=False,
        widget=forms.TextInput(attrs={**TYPED, "data-service": ""}),
    )
    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, max_value=1000, initial=1, required=False)
    amount = MoneyField(label=_("Sum"))


ItemFormSet = forms.formset_factory(ItemForm, extra=2, max_num=MOST_LINES, absolute_max=MOST_LINES)


class VisitForm(forms.Form):
    """What is said once a visit. `key` makes double click, reload and back harmless."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    method = forms.ChoiceField(label=_("Paid by"), choices=Payment.Method.choices, initial=Payment.Method.CARD)
    paid = MoneyField(label=_("Paid now"), help_text=_("Empty: the whole sum. 0: nothing."))
    method2 = forms.ChoiceField(
        label=_("Second way of payment"), choices=[("", "—"), *Payment.Method.choices], required=False
    )
    paid2 = MoneyField(label=_("Paid in the second way"))
    app_offered = forms.BooleanField(label=_("told about the app"), required=False)
    cabinet_explained = forms.BooleanField(label=_("cabinet explained"), required=False)
    questionnaire_given = forms.BooleanField(label=_("questionnaire given"), required=False)
    advice_service = ServiceField(
        label=_("Recommended service"),
        required=False,
        widget=forms.TextInput(attrs=TYPED),
    )
    advice_due = DayField(label=_("Until"), required=False, lean="future")
    indication = forms.CharField(label=_("Indication"), required=False, max_length=300)
    diagnosis = forms.CharField(label=_("Diagnosis (ICD-10)"), required=False, max_length=10)

    def __init__(self, *args: Any, medical: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not medical:
            del self.fields["diagnosis"]
        if not self.is_bound:
            self.initial.setdefault("key", uuid.uuid4())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("paid2") and not data.get("method2"):
            self.add_error("method2", _("Say how the second part was paid."))
        return data


def item_drafts(items: Any) -> list[ItemDraft]:
    """Of a valid ItemFormSet; lines without a service are left out."""
    rows = [form.cleaned_data for form in items if form.cleaned_data.get("service")]
    return [ItemDraft(row["service"], row.get("quantity") or 1, row.get("amount")) for row in rows]


def payment_drafts(data: dict[str, Any], items: list[ItemDraft]) -> list[PaymentDraft]:
    """An empty sum means all of it, less what was paid in the second way."""
    total = sum(one.service.price * one.quantity if one.amount is None else one.amount for one in items)
    second = data.get("paid2") or 0
    first = max(0, total - second) if data.get("paid") is None else data["paid"]
    pairs = [(first, data["method"]), (second, data.get("method2") or "")]
    return [PaymentDraft(amount, method) for amount, method in pairs if amount]


def report_of(form: VisitForm, items: Any, coming: NextForm) -> VisitReport:
    """The report that three valid forms make."""
    data, following = form.cleaned_data, coming.cleaned_data
    drafts = item_drafts(items)
    booking = None
    if following["start_at"]:
        span = {"start_at": following["start_at"], "end_at": following["end_at"]}
        booking = NextBooking(following["doctor"], following["branch"], goal=following["goal"], **span)
    return VisitReport(
        items=drafts,
        payments=payment_drafts(data, drafts),
        next_booking=booking,
        no_next_reason=following["no_next_reason"],
        diagnosis=data.get("diagnosis"),
        advice=Advice(data["advice_service"], data["advice_due"], data["indication"]),
        app_offered=data["app_offered"],
        cabinet_explained=data["cabinet_explained"],
        questionnaire_given=data["questionnaire_given"],
    )
