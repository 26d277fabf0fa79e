from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staff.models import User

CURRENT = forms.PasswordInput(attrs={"autocomplete": "current-password"})
NEW = forms.PasswordInput(attrs={"autocomplete": "new-password"})
CODE = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text", "spellcheck": "false"})


class SignInForm(forms.Form):
    username = forms.CharField(
        label=gettext_lazy("Login"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
    )
    password = forms.CharField(label=gettext_lazy("Password"), max_length=256, strip=False, widget=CURRENT)

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).strip().lower()


class UnlockForm(forms.Form):
    password = forms.CharField(label=gettext_lazy("Password"), max_length=256, strip=False, widget=CURRENT)


class CodeForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("Code"), max_length=20, widget=CODE)


class PasswordForm(forms.Form):
    """The person's own new password; the old one is asked so that a left-open screen is not enough."""

    old = forms.CharField(label=gettext_lazy("Present password"), max_length=256, strip=False, widget=CURRENT)
    new = forms.CharField(
        label=gettext_lazy("New password"),
        max_length=256,
        strip=False,
        widget=NEW,
        help_text=gettext_lazy("At least 10 characters, not a common one. A short sentence is easy to remember."),
    )
    again = forms.CharField(label=gettext_lazy("New password again"), max_length=256, strip=False, widget=NEW)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_old(self) -> str:
        old = str(self.cleaned_data["old"])
        if not self.user.check_password(old):
            raise forms.ValidationError(_("This is not your present password."))
        return old

    def clean_new(self) -> str:
        new = str(self.cleaned_data["new"])
        validate_password(new, self.user)
        return new

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("new") and data.get("again") and data["new"] != data["again"]:
            self.add_error("again", _("The two new passwords differ."))
        return data
