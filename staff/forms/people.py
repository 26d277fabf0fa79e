from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.phones import BadPhone, parse_phone
from staff.access import Actor
from staff.models import Branch, Doctor, Role, User
from staff.queries.people import visible_branches, visible_doctors
from staff.rules.roles import reaches, roles_to_give


class UserForm(forms.Form):
    login = forms.RegexField(
        label=gettext_lazy("Login"),
        regex=r"^[a-zA-Z0-9._@+-]{3,60}$",
        help_text=gettext_lazy("Latin letters, digits and . _ - + @"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    full_name = forms.CharField(label=gettext_lazy("Full name"), max_length=200)
    role = forms.ChoiceField(label=gettext_lazy("Role"))
    branch = forms.ModelChoiceField(
        label=gettext_lazy("Branch"), queryset=Branch.objects.none(), required=False, empty_label=gettext_lazy("all")
    )
    doctor = forms.ModelChoiceField(
        label=gettext_lazy("Doctor"),
        queryset=Doctor.objects.none(),
        required=False,
        empty_label="—",
        help_text=gettext_lazy("Whose appointments this account sees as its own"),
    )
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=32, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)

    def __init__(self, by: Actor, user: User | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self._choice("role").choices = roles_to_give(by)
        self._choice("branch").queryset = visible_branches(by)
        self._choice("doctor").queryset = visible_doctors(by).filter(is_active=True).order_by("name")
        if by.branch_id is not None:
            self.fields["branch"].required = True
            self._choice("branch").empty_label = None
        if user is not None and by.kind == "user" and by.id == user.pk:  # the action refuses it as well
            for name in ("role", "branch"):
                self.fields[name].disabled = True

    def _choice(self, name: str) -> Any:
        return self.fields[name]

    def clean_login(self) -> str:
        login = str(self.cleaned_data["login"]).lower()
        others = User.objects.exclude(pk=self.user.pk) if self.user else User.objects.all()
        if others.filter(login=login).exists():
            raise forms.ValidationError(_("This login is taken."))
        return login

    def clean_doctor(self) -> Doctor | None:
        doctor: Doctor | None = self.cleaned_data["doctor"]
        others = User.objects.exclude(pk=self.user.pk) if self.user else User.objects.all()
        if doctor and others.filter(doctor=doctor).exists():
            raise forms.ValidationError(_("This doctor has an account already."))
        return doctor

    def clean_phone(self) -> str:
        text = str(self.cleaned_data["phone"])
        try:
            return parse_phone(text).number if text.strip() else ""
        except BadPhone as error:
            raise forms.ValidationError(_("This is not a phone number.")) from error

    @property
    def values(self) -> dict[str, Any]:
        """As `add_user` and `change_user` take them."""
        data = dict(self.cleaned_data)
        branch, doctor = data.pop("branch"), data.pop("doctor")
        return {**data, "branch_id": branch.pk if branch else None, "doctor_id": doctor.pk if doctor else None}


class KeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("What the key is for, e.g. the name of the MIS"),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), initial=Role.INTEGRATION)
    branch = forms.ModelChoiceField(
        label=gettext_lazy("Branch"), queryset=Branch.objects.none(), required=False, empty_label=gettext_lazy("all")
    )

    def __init__(self, by: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role: Any = self.fields["role"]
        role.choices = [(value, label) for value, label in Role.choices if reaches(by, value)]
        branch: Any = self.fields["branch"]
        branch.queryset = visible_branches(by)
