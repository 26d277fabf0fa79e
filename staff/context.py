"""What every page's shell shows: navigation by role, theme, clinic."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from staff.access import may

# (deed, URL name, label, lucide icon)
NAV = [
    ("see_dashboard", "analytics:dashboard", _("Dashboard"), "layout-dashboard"),
    ("see_today", "reception:today", _("Today"), "calendar-days"),
    ("work_items", "reception:work", _("Work list"), "list-checks"),
    ("find_patients", "reception:patients", _("Patients"), "users"),
    ("see_dashboard", "analytics:value", _("Patients' value"), "gem"),
    ("edit_spend", "funnel:spend", _("Spend"), "wallet"),
    ("see_outbox", "messaging:outbox", _("Messages"), "send"),
    ("import_files", "mis:imports", _("Imports"), "upload"),
    ("merge_patients", "reception:duplicates", _("Duplicates"), "copy"),
    ("manage_staff", "staff:people", _("Staff"), "id-card"),
    ("see_audit", "staff:audit", _("Audit log"), "shield-check"),
    ("see_dashboard", "analytics:how_we_count", _("How we count"), "calculator"),
]


def nav_items(request: HttpRequest) -> list[dict[str, Any]]:
    """Entries of the side navigation that this person may open."""
    items = []
    for deed, name, label, icon in NAV:
        if may(request.user, deed):
            try:
                url = reverse(name)
            except NoReverseMatch:  # TEMPORARY while rooms are being built; the lead removes it
                continue
            current = request.path == url or (url != "/" and request.path.startswith(url))
            items.append({"url": url, "label": label, "icon": icon, "current": current})
    return items


def shell(request: HttpRequest) -> dict[str, Any]:
    """`nav`, `theme` (light, dark or empty = as the system says), `csp_nonce` for htmx."""
    theme = request.COOKIES.get("theme", "")
    return {
        "nav": lazy(lambda: nav_items(request), list)() if request.user.is_authenticated else [],
        "theme": theme if theme in ("light", "dark") else "",
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
