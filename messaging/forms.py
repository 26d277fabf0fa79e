from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import URLValidator
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from core.fields import DayField
from core.money import parse_money
from core.names import clean_text
from messaging.models import PromotionHold, Suppression
from messaging.rules.automation import Automation, Delay
from messaging.rules.lint import Finding
from messaging.rules.pictures import LARGEST, BadPicture, kind_of
from messaging.rules.placeholders import LONGEST, BadTemplate, check
from messaging.rules.policy import MOST_COUNTED
from patients.models import Patient

FAULTS = {
    "empty": _("Write a text."),
    "long": _("The text is too long."),
    "unknown": _("There is no placeholder “%(word)s”."),
    "brackets": _("Braces are only for placeholders, one pair each."),
    "nested": _("Square brackets do not match, or stand inside each other."),
}
FINDINGS = {
    "advert": _("“%(word)s” makes this an advertisement. What goes out without consent may not advertise."),
    "promotion": _("A promotion makes this an advertisement: it may stand only below what advertises."),
    "perhaps": _("“%(word)s” may be read as advertising. Is it needed?"),
    "medical": _("“%(word)s” tells what the patient comes for. Even the fact of a visit is a medical secret."),
    "no_clinic": _("Say who writes: the clinic's name must stand in an advertisement ({clinic})."),
    "no_unsubscribe": _("Say how to unsubscribe: the link {unsubscribe} must stand in an advertisement."),
    "no_stop": _("Say how to unsubscribe: the word STOP to answer with, or the link {unsubscribe}."),
    "no_warning": _("The medical warning is left out: %(word)s"),
    "raw_link": _("Opening “%(word)s” is not counted: use {link}."),
    "link_nowhere": _("{link} leads nowhere: give its address."),
    "long": _("%(word)s parts: is all of it needed?"),
}  # fmt: skip
PICTURES = {
    "size": _("The picture is larger than 300 KB."),
    "kind": _("Only PNG and JPEG pictures are shown by every mail program."),
}
DAYS = [(1, _("today")), (3, _("3 days")), (7, _("7 days"))]


def spoken(finding: Finding) -> str:
    return str(FINDINGS[finding.code]) % {"word": finding.word}


def refusal(error: BadTemplate) -> forms.ValidationError:
    return forms.ValidationError(FAULTS[error.what], code=error.what, params={"word": error.word})


class TemplateForm(forms.Form):
    """A text in the closed language of `rules.placeholders`. `mail` = with subject and picture, `advertises` = with a
    promotion below and the question of the medical warning."""

    subject = forms.CharField(label=_("Subject"), max_length=200, error_messages={"required": FAULTS["empty"]})
    body = forms.CharField(
        label=_("Text"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": FAULTS["empty"]},
    )
    promotion = forms.CharField(
        label=_("Promotion below"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A small block after the useful text: what is on offer just now."),
    )
    link = forms.CharField(
        label=_("Where the link leads"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"}),
        help_text=_("Clicks are counted; the site learns where the visitor came from, never who it is."),
    )
    picture = forms.FileField(
        label=_("Picture"), required=False, help_text=_("PNG or JPEG, up to 300 KB. Shown above the text.")
    )
    no_picture = forms.BooleanField(label=_("Take the picture away"), required=False)
    without_warning = forms.CharField(
        label=_("Why no medical warning is needed"),
        max_length=200,
        required=False,
        help_text=_("Empty: the warning on contraindications is added. A reason stays on record."),
    )

    def __init__(self, *args: Any, mail: bool, advertises: bool = False, pictured: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gone = [] if mail else ["subject", "picture"]
        gone += [] if mail and pictured else ["no_picture"]
        gone += [] if advertises else ["promotion", "without_warning"]
        for name in gone:
            del self.fields[name]

    def clean_body(self) -> str:
        return self._checked("body")

    def clean_subject(self) -> str:
        return self._checked("subject")

    def clean_promotion(self) -> str:
        return self._checked("promotion") if self.cleaned_data["promotion"].strip() else ""

    def clean_link(self) -> str:
        link = str(self.cleaned_data["link"]).strip()
        if link:
            URLValidator(schemes=["https"], message=_("An address that begins with https://"))(link)
        return link

    def clean_picture(self) -> bytes | None:
        file: UploadedFile | None = self.cleaned_data.get("picture")
        if file is None:
            return None
        try:
            content = b"" if (file.size or 0) > LARGEST else file.read()
            if not content:
                raise BadPicture("size")
            kind_of(content)
        except BadPicture as error:
            raise forms.ValidationError(PICTURES[error.what]) from error
        return content

    def _checked(self, name: str) -> str:
        text = str(self.cleaned_data[name]).replace("\r\n", "\n").strip()
        try:
            check(text)
        except BadTemplate as error:
            raise refusal(error) from error
        return text


class DelayForm(forms.Form):
    """When an automation writes, in the unit that suits its limits. Empty = as declared."""

    amount = forms.IntegerField(label=_("When"), required=False)

    def __init__(self, *args: Any, delay: Delay, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unit = unit_of(delay)
        least, most = (int(limit.total_seconds() // 60) // self.unit for limit in (delay.least, delay.most))
        field = self.fields["amount"] = forms.IntegerField(
            label=self.fields["amount"].label, required=False, min_value=least, max_value=most
        )
        field.help_text = gettext("From %(least)d to %(most)d; empty = as it came.") % {"least": least, "most": most}

    @property
    def minutes(self) -> int | None:
        amount = self.cleaned_data["amount"]
        return None if amount is None else int(amount) * self.unit


def unit_of(delay: Delay) -> int:
    """Minutes: of an hour where the limits are hours, else of a day."""
    whole_days = delay.least.total_seconds() % 86400 == 0 and delay.most.days >= 1
    return 24 * 60 if whole_days and delay.default.total_seconds() % 86400 == 0 else 60


HOURS = {
    True: ngettext_lazy("%(n)d hour before", "%(n)d hours before", "n"),
    False: ngettext_lazy("%(n)d hour after", "%(n)d hours after", "n"),
}
WHOLE_DAYS = {
    True: ngettext_lazy("%(n)d day before", "%(n)d days before", "n"),
    False: ngettext_lazy("%(n)d day after", "%(n)d days after", "n"),
}


def when(automation: Automation, minutes: int | None) -> str:
    """ "24 hours before", "2 days after", "at once"; empty where there is nothing to choose."""
    if automation.delay is None:
        return ""
    offset = abs(automation.delay.offset(minutes))
    total, unit = int(offset.total_seconds() // 60), unit_of(automation.delay)
    if total == 0:
        return gettext("on the day") if unit > 60 else gettext("at once")
    words = (WHOLE_DAYS if unit > 60 else HOURS)[automation.delay.before]
    return str(words % {"n": total // unit})


class ApprovalForm(forms.Form):
    days = forms.TypedChoiceField(label=_("For how long"), choices=DAYS, coerce=int)


class AnswerForm(forms.Form):
    """An answer to a reply; where several people share the address, to whom."""

    patient = forms.TypedChoiceField(label=_("To whom"))
    text = forms.CharField(
        label=_("Your answer"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": FAULTS["empty"]},
    )

    def __init__(self, *args: Any, people: Sequence[Patient], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {str(one.pk): one for one in people}
        choices = [(pk, one.full_name) for pk, one in known.items()]
        first = choices[0][0] if len(choices) == 1 else None
        widget = forms.HiddenInput if first else forms.RadioSelect
        self.fields["patient"] = forms.TypedChoiceField(
            label=_("To whom"), choices=choices, coerce=known.get, initial=first, widget=widget
        )

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class TransportForm(forms.Form):
    """What a person decides about a transport. The price is typed in the clinic's money and kept in minor units."""

    position = forms.IntegerField(
        label=_("Place in the order"),
        min_value=0,
        max_value=99,
        help_text=_(
            "Where the patient named no transport, the one with the least place is taken; of equals the cheaper."
        ),
    )
    price = forms.CharField(label=_("Price"), max_length=12, help_text=_("Of one message; of an SMS, of each part."))
    for_service = forms.BooleanField(label=_("May carry service messages"), required=False)
    for_adverts = forms.BooleanField(label=_("May carry advertising"), required=False)
    note = forms.CharField(
        label=_("Why so"), max_length=300, required=False, help_text=_("The law or the decision behind the switches.")
    )
    fallback_minutes = forms.IntegerField(
        label=_("Without a delivery report, the next transport after (minutes)"),
        min_value=5,
        max_value=1440,
        required=False,
        help_text=_("Empty: only when it surely did not arrive. Leave it empty for transports that send no reports."),
    )

    def clean_price(self) -> int:
        try:
            minor = parse_money(self.cleaned_data["price"].replace(",", ".").replace(" ", ""))
        except ValueError as error:
            raise forms.ValidationError(_("Write a price such as 3.50.")) from error
        if not 0 <= minor <= 100_000_00:
            raise forms.ValidationError(_("Write a price such as 3.50."))
        return minor

    def clean_note(self) -> str:
        return clean_text(self.cleaned_data["note"])


class HoldForm(forms.Form):
    """Why advertising is frozen for a patient, and until when."""

    reason = forms.ChoiceField(label=_("Reason"), choices=PromotionHold.Reason.choices)
    until = DayField(label=_("Until"), required=False, lean="future", help_text=_("Empty: until somebody lifts it."))
    note = forms.CharField(label=_("Note"), required=False, max_length=300)


class SuppressForm(forms.Form):
    """An address of this patient is taken out of use; `address` is its place in the list."""

    address = forms.ChoiceField(label=_("Address"))
    kind = forms.ChoiceField(label=_("Reason"), choices=Suppression.Kind.choices)
    note = forms.CharField(label=_("Note"), required=False, max_length=200)

    def __init__(self, addresses: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(place), address) for place, (_transport, address) in enumerate(addresses)]
        self.fields["address"].choices = choices  # type: ignore[attr-defined]


class BudgetForm(forms.Form):
    days = forms.IntegerField(label=_("Days of the period"), min_value=1, max_value=92)
    contacts = forms.IntegerField(
        label=_("Contacts in it"),
        min_value=0,
        max_value=MOST_COUNTED,
        help_text=_("All messages and calls count. When they are used up, only reminders and medical messages go."),
    )
    promotions = forms.IntegerField(
        label=_("Of them advertising"), min_value=0, max_value=MOST_COUNTED, help_text=_("0 = none ever.")
    )
    gap_hours = forms.IntegerField(label=_("Hours between two advertisements"), min_value=0, max_value=92 * 24)
