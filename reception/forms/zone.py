from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from staff.forms.clinic import ZoneField


class ZoneForm(forms.Form):
    tz = ZoneField()
    sure = forms.BooleanField(label=_("I know that figures of the past may change"))
