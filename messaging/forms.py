from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from messaging.rules.placeholders import LONGEST, BadTemplate, check

FAULTS = {
    "empty": _("Write a text."),
    "long": _("The text is too long."),
    "unknown": _("There is no placeholder “%(word)s”."),
    "brackets": _("Braces are only for placeholders, one pair each."),
    "nested": _("Square brackets do not match, or stand inside each other."),
}


def refusal(error: BadTemplate) -> forms.ValidationError:
    return forms.ValidationError(FAULTS[error.what], code=error.what, params={"word": error.word})


class TemplateForm(forms.Form):
    """A text in the closed language of `rules.placeholders`. `mail` = with a subject."""

    subject = forms.CharField(label=_("Subject"), max_length=200, error_messages={"required": FAULTS["empty"]})
    body = forms.CharField(
        label=_("Text"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": FAULTS["empty"]},
    )

    def __init__(self, *args: Any, mail: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not mail:
            del self.fields["subject"]

    def clean_body(self) -> str:
        return self._checked("body")

    def clean_subject(self) -> str:
        return self._checked("subject")

    def _checked(self, name: str) -> str:
        text = str(self.cleaned_data[name]).replace("\r\n", "\n").strip()
        try:
            check(text)
        except BadTemplate as error:
            raise refusal(error) from error
        return text
