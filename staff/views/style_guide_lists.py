"""Made-up rows for the tables and lists of the style guide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

NOW = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)


def samples() -> dict[str, object]:
    """Names that templates/staff/style_guide/ draws."""
    return {
        "columns": columns(),
        "rows": rows(),
        "items": items(),
        "facts": facts(),
        "work": work(),
        "wrongs": ["", "x"],
    }


def columns() -> list[dict[str, object]]:
    return [
        {"label": _("Patient"), "sort_url": "?sort=name#tables"},
        {"label": _("Doctor")},
        {"label": _("State")},
        {"label": _("Last visit"), "sort_url": "?sort=last#tables", "sorted": "descending"},
        {"label": _("Visits"), "num": True, "sort_url": "?sort=visits#tables"},
        {"label": _("Paid"), "num": True, "sort_url": "?sort=paid#tables"},
        {"label": _("What to do"), "said": True},
    ]


def rows() -> list[dict[str, object]]:
    people = [
        ("Соколова Анна Петровна", "+79123456789", "Громова Е. В.", _("Permanent"), "good", 3, 14, 18640050),
        ("Ахметов Руслан", "+77012345678", "Ким А. С.", _("Primary"), "accent", 12, 1, 420000),
        (
            "Иванова-Константинопольская Александра Владимировна",
            "+79031112233",
            "Орлов П. Н.",
            _("At risk"),
            "warn",
            171,
            6,
            5230000,
        ),
        ("Петров Михаил", "", "Громова Е. В.", _("Lost"), "bad", 402, 2, 0),
    ]
    return [
        {
            "name": name,
            "phone": phone,
            "doctor": doctor,
            "state": state,
            "kind": kind,
            "last": NOW - timedelta(days=days),
            "visits": visits,
            "paid": paid,
        }
        for name, phone, doctor, state, kind, days, visits, paid in people
    ]


def items() -> list[dict[str, object]]:
    return [
        {
            "icon": "calendar-days",
            "title": _("Visit: check-up"),
            "at": NOW,
            "url": "#lists",
            "text": "Громова Е. В.",
            "badge": _("Finished"),
            "badge_kind": "good",
        },
        {
            "icon": "message-square",
            "title": _("Reminder sent"),
            "at": NOW - timedelta(days=1),
            "text": _("SMS, delivered in 4 seconds"),
        },
        {
            "icon": "phone",
            "title": _("Call, 3 minutes"),
            "at": NOW - timedelta(days=6),
            "text": _("Asked about the price; another day was offered."),
        },
        {"icon": "star", "title": _("Feedback: 9 of 10"), "at": NOW - timedelta(days=94)},
    ]


def facts() -> list[dict[str, object]]:
    return [
        {"label": _("Own doctor"), "value": "Громова Е. В.", "url": "#lists"},
        {"label": _("Segment"), "value": _("Permanent, dentistry")},
        {"label": _("Bonus balance"), "value": "1\u00a0250"},
        {"label": _("Consent to messages"), "value": _("given on paper, 03.02.2026")},
    ]


def work() -> list[dict[str, object]]:
    return [
        {
            "icon": "phone-missed",
            "title": "+7\u00a0912\u00a0345-67-89",
            "text": _("Missed call, called twice"),
            "since": NOW,
            "late": 120,
            "badge": _("new number"),
            "badge_kind": "",
        },
        {
            "icon": "hourglass",
            "title": "Ахметов Руслан",
            "phone": "+77012345678",
            "text": _("Lead from the site waits for an answer"),
            "url": "#lists",
            "since": NOW,
            "late": 120,
        },
        {
            "icon": "calendar-days",
            "title": "Соколова Анна",
            "phone": "+79123456789",
            "text": _("The visit ended without a next booking"),
            "url": "#lists",
            "badge": _("today"),
            "badge_kind": "warn",
        },
        {
            "icon": "cake",
            "title": "Белова Ирина",
            "phone": "+79031112233",
            "text": _("Birthday: offer the gift"),
            "url": "#lists",
        },
    ]
