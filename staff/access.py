"""One table: deed -> roles. Everything is closed unless it stands here (architecture.md "Access").

Pages say `@needs("log_visits")`, API views `deeds = {"GET": "read_api"}`, public pages `@public`. A test walks the
URLconf and fails on a door that names no deed; another tries every door with every role.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

OWNER, MANAGER, MARKETER = "owner", "manager", "marketer"
ADMINISTRATOR, CURATOR, DOCTOR, INTEGRATION = "administrator", "curator", "doctor", "integration"
LEADERS = frozenset({OWNER, MANAGER})
DESK = frozenset({OWNER, MANAGER, ADMINISTRATOR})
CARE = DESK | {CURATOR, DOCTOR}
PEOPLE = CARE | {MARKETER}
EVERYBODY = PEOPLE | {INTEGRATION}

DEEDS: dict[str, frozenset[str]] = {
    # every signed-in person
    "use_product": PEOPLE,
    # reception
    "see_today": CARE,
    "find_patients": CARE,
    "see_card": CARE,
    "edit_patients": DESK | {CURATOR},
    "log_visits": DESK,
    "book_visits": DESK | {CURATOR},
    "work_items": CARE,
    "answer_replies": DESK | {CURATOR},
    "hold_promotions": CARE,  # the bad-day brake: whoever hears of a loss or a complaint pulls it
    "lift_holds": DESK,
    "suppress_addresses": DESK | {CURATOR},
    "merge_patients": DESK,
    "see_leads": PEOPLE,
    "work_leads": DESK | {CURATOR},
    "set_stage_rules": LEADERS,  # who answers for a stage of the funnel, and how long a lead may stand there
    # the next step of a patient: a doctor indicates, then anybody of the care may offer it (R45)
    "indicate": LEADERS | {DOCTOR},
    "offer_step": CARE,
    "hand_off": CARE,  # take and give the baton, say why a visit ended without it
    "refer_patients": CARE,  # to a colleague or a speciality of the clinic (R54)
    "run_consultations": LEADERS | {DOCTOR, CURATOR},  # the motivational consultation (R51)
    # fields
    "see_medical": frozenset({OWNER, MANAGER, DOCTOR, CURATOR, INTEGRATION}),
    "see_money": frozenset({OWNER, MANAGER, MARKETER, ADMINISTRATOR, CURATOR, INTEGRATION}),
    "see_contacts": CARE | {INTEGRATION},
    "mark_test_patients": LEADERS | {INTEGRATION},  # a test person counts in no figure
    # management
    "see_dashboard": LEADERS | {MARKETER},
    "see_metric_rows": LEADERS | {MARKETER},
    "export_data": LEADERS,
    "import_files": LEADERS,
    "edit_spend": LEADERS | {MARKETER},
    "edit_channels": LEADERS | {MARKETER},  # sources, their signs, forms on sites, sites that post signed
    "see_ladder": LEADERS | {MARKETER},
    "see_calls": DESK | {CURATOR},
    "hear_calls": LEADERS,  # recordings name illnesses: who listens is audited
    "set_telephony": LEADERS,
    "edit_ladder": LEADERS,  # tiers and the public price list are the whole clinic's
    "call_stuck": LEADERS,  # work items for those who stopped on a step
    "see_handoff": LEADERS,  # who drops the baton, and what complete chains go with
    "edit_handoff": LEADERS,
    "see_referrals": LEADERS,  # what became of them, with money
    "see_consultations": LEADERS,
    "edit_consultations": LEADERS,  # the algorithm is the whole clinic's
    "see_automations": LEADERS | {MARKETER},
    "edit_messages": LEADERS | {MARKETER},
    "approve_adverts": LEADERS,
    "see_outbox": LEADERS | {MARKETER, ADMINISTRATOR},
    "edit_budgets": LEADERS,
    "pause_sending": LEADERS,
    "set_transports": LEADERS,  # order, price, the legal switches, when the next one takes over
    "see_provider": LEADERS | {INTEGRATION},  # what a provider said, word for word: technical, and it may name a person
    "resolve_messages": DESK,
    "see_proof": LEADERS,
    "manage_staff": LEADERS,
    "manage_keys": frozenset({OWNER}),
    "manage_settings": LEADERS,
    "see_audit": LEADERS,
    # API
    "read_api": EVERYBODY - {DOCTOR},
    "read_operations": LEADERS | {INTEGRATION},  # how sending does: numbers of the whole clinic, nobody's data
    "read_metrics": LEADERS | {MARKETER, INTEGRATION},
    "write_api": DESK | {INTEGRATION},
    "write_spend": LEADERS | {MARKETER, INTEGRATION},
    "exchange_bookings": LEADERS | {INTEGRATION},  # names and phones of the booked, for the MIS
    "read_schema": EVERYBODY,
}


# What holds for the clinic as a whole: whoever is bound to one branch may not do it, whatever his role.
WHOLE_CLINIC = frozenset(
    {
        "edit_messages",
        "approve_adverts",
        "edit_budgets",
        "edit_channels",
        "pause_sending",
        "set_transports",
        "set_telephony",
        "edit_ladder",
        "edit_handoff",
        "edit_consultations",
    }
)
# Who cannot work without the second step of signing in (where settings.REQUIRE_TOTP).
SECOND_STEP = frozenset({OWNER, MANAGER, MARKETER})


class Person(Protocol):
    """A `User` or an `ApiKey`: whoever acts has a role and may be bound to one branch."""

    pk: Any
    role: str
    branch_id: int | None


@dataclass(frozen=True)
class Actor:
    """Who does it, as the audit log keeps it. `kind`: user, key or system. Passed into every action as `by`."""

    kind: str
    id: int | None
    name: str
    role: str = ""
    branch_id: int | None = None
    address: str = ""
    request_id: str = ""

    def may(self, deed: str) -> bool:
        return self.kind == "system" or _granted(deed, self.role, self.branch_id)


SYSTEM = Actor(kind="system", id=None, name="system")
PATIENT = Actor(kind="patient", id=None, name="patient")  # by a link or an answer of his own: nobody signed in


def may(person: Any, deed: str) -> bool:
    """Whether the person's role has the deed, and no branch keeps him from it. KeyError for an unknown deed."""
    return _granted(deed, getattr(person, "role", ""), getattr(person, "branch_id", None))


def _granted(deed: str, role: str, branch_id: int | None) -> bool:
    return role in DEEDS[deed] and (branch_id is None or deed not in WHOLE_CLINIC)


def needs(deed: str) -> Callable[[View], View]:
    """Marks a page with its deed; `StaffMiddleware` enforces it before the view runs."""
    if deed not in DEEDS:
        raise KeyError(deed)

    def mark(view: View) -> View:
        view.deed = deed  # type: ignore[attr-defined]
        return view

    return mark


def early(*unfinished: str) -> Callable[[View], View]:
    """Marks a page that may be opened while one of these is what the signed-in person still has to do (URL names)."""

    def mark(view: View) -> View:
        view.early = frozenset(unfinished)  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Marks a page that anybody may open without signing in."""
    view.deed = "public"  # type: ignore[attr-defined]
    return view
