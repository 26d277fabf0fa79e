"""A form for enquiries and a site that posts signed, as the clinic sets them up."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from funnel.actions.doors import FormDraft, Words
from funnel.models import LeadForm
from funnel.rules.public import origin_of
from patients.models import Channel
from patients.models.contact import Purpose
from staff.models import Branch

MOST_SITES = 20
# Field of this form -> whose words it holds.
WORDS = {
    "processing_ru": (Purpose.PROCESSING, "ru"),
    "processing_en": (Purpose.PROCESSING, "en"),
    "marketing_ru": (Purpose.MARKETING, "ru"),
    "marketing_en": (Purpose.MARKETING, "en"),
}


def _area(label: Any, *, required: bool = False, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=4000, required=required, widget=forms.Textarea(attrs={"rows": 3}), **more
    )


class LeadFormForm(forms.Form):
    """`code` is asked once: it stands on sites from then on."""

    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("Part of the address; it cannot be changed later.")
    )
    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("For you; visitors do not see it."))
    title = forms.CharField(label=_("Heading"), max_length=120, required=False)
    thanks = forms.CharField(label=_("Thanks after sending"), max_length=300, required=False)
    sites = _area(_("Sites that may show it"), help_text=_("One a line, such as https://clinic.example"))
    branch = forms.ModelChoiceField(label=_("Branch"), queryset=Branch.objects.none(), required=False)
    channel = forms.ModelChoiceField(
        label=_("Source"),
        queryset=Channel.objects.none(),
        required=False,
        help_text=_("For enquiries that bear no sign of where they came from."),
    )
    asks_email = forms.BooleanField(label=_("Asks for an e-mail"), required=False)
    asks_text = forms.BooleanField(label=_("Asks for a question"), required=False, initial=True)
    processing_ru = _area(_("Consent to processing, in Russian"), required=True)
    processing_en = _area(_("Consent to processing, in English"))
    marketing_ru = _area(_("Consent to advertising, in Russian"))
    marketing_en = _area(_("Consent to advertising, in English"))
    is_active = forms.BooleanField(label=_("Works"), required=False, initial=True)

    def __init__(self, *args: Any, row: LeadForm | None = None, **kwargs: Any) -> None:
        if row:
            kwargs["initial"] = _shown(row)
        super().__init__(*args, **kwargs)
        self.row = row
        if row:
            del self.fields["code"]
        choices: dict[str, Any] = {
            "branch": Branch.objects.order_by("name", "id"),
            "channel": Channel.objects.order_by("name", "id"),
        }
        for name, rows in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def clean_sites(self) -> tuple[str, ...]:
        lines = [line for line in self.cleaned_data["sites"].splitlines() if line.strip()]
        if len(lines) > MOST_SITES:
            raise forms.ValidationError(gettext("At most %(most)d sites.") % {"most": MOST_SITES})
        try:
            return tuple(dict.fromkeys(map(origin_of, lines)))
        except ValueError as error:
            raise forms.ValidationError(gettext("“%(site)s” is no address of a site.") % {"site": error}) from error

    @property
    def draft(self) -> FormDraft:
        data = self.cleaned_data
        plain = ("name", "title", "thanks", "branch", "channel", "sites", "asks_email", "asks_text", "is_active")
        words = tuple(
            Words(purpose, language, _line_ends(data[name]))
            for name, (purpose, language) in WORDS.items()
            if data[name].strip()
        )
        code = self.row.code if self.row else data["code"].lower()
        return FormDraft(code=code, words=words, **{name: data[name] for name in plain})


def _line_ends(text: str) -> str:
    """A browser sends CR LF; the words must not become others by that."""
    return text.replace("\r\n", "\n").strip()


def _shown(row: LeadForm) -> dict[str, Any]:
    plain = ("name", "title", "thanks", "branch", "channel", "asks_email", "asks_text", "is_active")
    texts = {(text.purpose, text.language): text.body for text in row.texts.order_by("id")}
    words = {name: texts.get((purpose.value, language), "") for name, (purpose, language) in WORDS.items()}
    return {name: getattr(row, name) for name in plain} | words | {"sites": "\n".join(row.sites)}


class HookForm(forms.Form):
    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("Names the site in its address and in every lead.")
    )
    name = forms.CharField(label=_("Name"), max_length=120)
    branch = forms.ModelChoiceField(label=_("Branch"), queryset=Branch.objects.none(), required=False)
    channel = forms.ModelChoiceField(label=_("Source"), queryset=Channel.objects.none(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["branch"].queryset = Branch.objects.order_by("name", "id")  # type: ignore[attr-defined]
        self.fields["channel"].queryset = Channel.objects.order_by("name", "id")  # type: ignore[attr-defined]
