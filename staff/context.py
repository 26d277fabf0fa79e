"""What every page's shell shows: navigation by role, theme, clinic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from staff.access import Actor, may
from staff.middleware import unfinished_page
from staff.models import Clinic

# (heading, [(deed, URL name, label, lucide icon)]): the day's work first, then what managers read.
NAV = [
    (
        _("Reception"),
        [
            ("see_today", "reception:today", _("Today"), "calendar-days"),
            ("answer_replies", "messaging:inbox", _("Inbox"), "inbox"),
            ("see_leads", "funnel:leads", _("Leads"), "megaphone"),
            ("see_calls", "funnel:calls", _("Calls"), "phone"),
            ("work_items", "reception:work", _("Work list"), "list-checks"),
            ("hand_off", "funnel:my_batons", _("Hand-off"), "heart-handshake"),
            ("find_patients", "reception:patients", _("Patients"), "users"),
            ("book_visits", "funnel:waitlist", _("Waiting list"), "hourglass"),
        ],
    ),
    (
        _("Figures"),
        [
            ("see_dashboard", "analytics:dashboard", _("Dashboard"), "layout-dashboard"),
            ("see_dashboard", "analytics:value", _("Patients' value"), "gem"),
            ("see_dashboard", "analytics:retention", _("Retention"), "repeat"),
            ("see_dashboard", "analytics:funnel", _("Funnel"), "funnel"),
            ("see_dashboard", "analytics:channels", _("Return of sources"), "chart-pie"),
            ("see_dashboard", "analytics:what_if", _("What if"), "sliders-horizontal"),
            ("see_dashboard", "analytics:load", _("Load of doctors"), "gauge"),
            ("see_dashboard", "analytics:how_we_count", _("How we count"), "calculator"),
        ],
    ),
    (
        _("Care"),
        [
            ("see_handoff", "funnel:handoff", _("Dropped batons"), "footprints"),
            ("see_ladder", "funnel:ladder", _("Product ladder"), "list-ordered"),
            ("see_referrals", "funnel:referrals", _("Referrals inside the clinic"), "git-branch"),
            ("see_consultations", "funnel:consultations", _("Motivational consultations"), "message-circle"),
        ],
    ),
    (
        _("Clinic"),
        [
            ("edit_spend", "funnel:spend", _("Spend"), "wallet"),
            ("edit_channels", "funnel:sources", _("Sources"), "waypoints"),
            ("see_outbox", "messaging:outbox", _("Messages"), "send"),
            ("import_files", "mis:imports", _("Imports"), "upload"),
            ("merge_patients", "reception:duplicates", _("Duplicates"), "copy"),
            ("manage_staff", "staff:people", _("Staff"), "id-card"),
            ("see_audit", "staff:audit", _("Audit log"), "shield-check"),
        ],
    ),
]
# URL name -> how many wait there. Rooms above register theirs in `AppConfig.ready`; each is one short query a page.
COUNTS: dict[str, Callable[[Actor], int]] = {}


def nav_items(request: HttpRequest) -> list[dict[str, Any]]:
    """Entries of the side navigation that this person may open; where something waits, with its number."""
    mine = [
        (reverse(name), name, label, icon, group)
        for group, entries in NAV
        for deed, name, label, icon in entries
        if may(request.user, deed)
    ]
    here = [url for url, *_rest in mine if request.path == url or (url != "/" and request.path.startswith(url))]
    current, by = max(here, key=len, default=""), request.actor  # type: ignore[attr-defined]
    return [
        {
            "url": url,
            "label": label,
            "icon": icon,
            "current": url == current,
            "count": COUNTS[name](by) if name in COUNTS else 0,
            "alarm": True,
            "group": group,
        }
        for url, name, label, icon, group in mine
    ]


def shell_facts(request: HttpRequest) -> dict[str, str]:
    """What the shell says of the clinic and the person: `clinic`, `role`, `branch` and addresses."""
    clinic = Clinic.objects.filter(pk=1).values_list("name", flat=True).first() or ""
    user = request.user
    if not user.is_authenticated:
        return {"clinic": clinic}
    return {
        "clinic": clinic,
        "home_url": "/",
        "role": user.get_role_display(),
        "branch": user.branch.name if user.branch_id else "",  # type: ignore[union-attr]
        "profile_url": reverse("staff:profile"),
        "sign_out_url": reverse("staff:sign_out"),
        "find_url": reverse("reception:find") if may(user, "find_patients") else "",
        "find_live_url": reverse("reception:find") if may(user, "find_patients") else "",
    }


def finished(request: HttpRequest) -> bool:
    """Whether the person is signed in and nothing stands between him and his work."""
    return request.user.is_authenticated and not unfinished_page(request)


def shell(request: HttpRequest) -> dict[str, Any]:
    """`nav`, `shell`, `theme` (light, dark or empty = as the system says), `csp_nonce` for htmx."""
    theme = request.COOKIES.get("theme", "")
    return {
        "nav": SimpleLazyObject(lambda: nav_items(request) if finished(request) else []),
        "shell": SimpleLazyObject(lambda: shell_facts(request)),
        "theme": theme if theme in ("light", "dark") else "",
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
