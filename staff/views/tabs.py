"""The row of tabs over the pages of this room."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from staff.access import may


def staff_tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """Those that the person may open: url, label, current."""
    pages = [
        ("manage_staff", "staff:people", _("People")),
        ("manage_staff", "staff:doctors", _("Doctors")),
        ("manage_staff", "staff:branches", _("Branches")),
        ("manage_settings", "staff:settings", _("Settings")),
        ("manage_settings", "funnel:booking_rules", _("Online booking")),
        ("manage_keys", "staff:keys", _("API keys")),
    ]
    return [
        {"url": reverse(name), "label": label, "current": request.path == reverse(name)}
        for deed, name, label in pages
        if may(request.user, deed)
    ]
