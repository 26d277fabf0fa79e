"""Every door names a deed, and every role gets exactly what the access table says: role x URL x method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from funnel.models import Alternative, Call, Lead
from messaging.models import Reply
from patients.models import DuplicatePair, Merge, WorkItem
from staff.access import DEEDS, WHOLE_CLINIC, Actor
from staff.middleware import deed_of
from staff.models import ApiKey, User
from tests import make

pytestmark = pytest.mark.django_db
ROLES = ["owner", "manager", "marketer", "administrator", "curator", "doctor"]
# What anybody may open without signing in. A new public page has to be written down here.
PUBLIC = {"healthz", "readyz", "delivery-report", "reply-hook", "telegram-hook", "lead-hook", "lead-form", "lead-widget",
          "follow-link", "unsubscribe",
          "funnel:booking_places", "funnel:own_visit", "funnel:own_calendar", "funnel:own_move", "funnel:own_cancel",
          "funnel:own_link", "funnel:booking_offer", "funnel:booking", "funnel:booking_hold", "funnel:booking_who",
          "funnel:booking_code", "funnel:booking_done", "funnel:booking_wait", "funnel:prices",
          "call-hook", "call-hook-mango", "call-hook-uis",
          "set_language", "staff:sign_in", "staff:theme"}  # fmt: skip
# Words that stand in addresses without naming anything of a branch.
WORDS = {
    "place": "nowhere", "transport": "sms", "verb": "confirm", "slug": "repeat-rate", "fmt": "csv", "page": "value",
    "table": "top",
    "code": "birthday", "language": "ru", "move": "answered", "source": "crm", "message_id": "0",
    "kind": "call", "secret": "guess",
}  # fmt: skip
# URL name -> which object of the world (`World.ids`) each number in the address is.
OBJECTS: dict[str, dict[str, str]] = {
    **{f"staff:{name}": {"pk": "user"} for name in ("person", "person_access", "person_password", "person_second_step")},
    "staff:branch": {"pk": "branch"},
    "staff:doctor": {"pk": "doctor"},
    "staff:shifts": {"pk": "doctor"},
    "staff:key_revoke": {"pk": "key"},
    **{
        f"reception:{name}": {"pk": "patient"}
        for name in ("card", "timeline", "offer", "patient_edit", "consent", "book", "walk_in", "work_new")
    },
    **{f"reception:{name}": {"pk": "visit"} for name in ("log_visit", "move", "cancel", "change")},
    **{f"reception:{name}": {"pk": "work_item"} for name in ("claim", "work_close")},
    "reception:compare": {"left": "patient", "right": "twin"},
    "reception:dismiss": {"pk": "pair"},
    "reception:undo_merge": {"pk": "merge"},
    **{f"funnel:{name}": {"pk": "call"} for name in ("call", "explain_call", "hear_call")},
    **{f"funnel:{name}": {"pk": "nothing"} for name in ("stop_line", "free_seat")},
    "funnel:take_back": {"pk": "nothing"},
    **{
        f"funnel:{name}": {"pk": "nothing"}
        for name in ("source", "mark_add", "mark_remove", "lead_form_edit", "lead_hook_revoke")
    },
    **{f"funnel:baton_{name}": {"pk": "nothing"} for name in ("take", "give", "drop")},
    "funnel:waitlist_leave": {"pk": "nothing"},
    **{
        f"funnel:{name}": {"pk": "lead"}
        for name in ("lead", "lead_close", "lead_offer", "lead_who", "lead_enter", "lead_move")
    },
    "funnel:lead_decline": {"pk": "offer"},
    "booking-answer": {"pk": "nothing"},
    "funnel:waitlist_add": {"pk": "patient"},
    "funnel:mis_resend": {"pk": "visit"},
    **{f"funnel:{name}": {"pk": "patient"} for name in ("refer", "refer_close", "consultations_of")},
    "funnel:consultation": {"pk": "visit"},
    **{f"funnel:{name}": {"pk": "patient"} for name in ("patient_ladder", "ladder_word", "ladder_offer")},
    **{f"messaging:{name}": {"message_id": "nothing"} for name in ("resolve", "message_proof")},
    "messaging:patient_proof": {"pk": "patient"},
    "messaging:scan": {"scan_id": "nothing"},
    **{f"messaging:{name}": {"pk": "reply"} for name in ("answer", "handled", "wrong_number")},
    "messaging:telegram": {"pk": "patient"},
    **{f"messaging:{name}": {"pk": "patient"} for name in ("contact", "hold", "suppress")},
    "messaging:lift_hold": {"pk": "patient", "hold_id": "nothing"},
    "messaging:lift_suppression": {"pk": "patient", "suppression_id": "nothing"},
    "messaging:message": {"message_id": "nothing"},
    "messaging:withdraw": {"approval_id": "nothing"},
    **{
        f"mis:{name}": {"pk": "nothing"}
        for name in ("job", "dry_run", "columns", "start", "discard", "undo", "rejected")
    },
    "patient-value": {"patient_id": "patient"},
    **{
        f"{name}-one": {"pk": kind}
        for name, kind in {
            "branches": "branch", "doctors": "doctor", "rooms": "nothing", "slots": "nothing", "shifts": "nothing",
            "patients": "patient", "visits": "visit",
            "payments": "payment", "services": "nothing", "channels": "nothing", "consents": "nothing",
            "calls": "call",
            "touchpoints": "nothing", "spend": "nothing", "messages": "nothing", "leads": "nothing", "traffic": "nothing",
        }.items()
    },
    **{
        f"{name}-external": {"external_id": kind}
        for name, kind in {
            "branches": "nothing", "doctors": "nothing", "rooms": "nothing", "slots": "nothing", "shifts": "nothing",
            "patients": "patient_code",
            "visits": "visit_code", "payments": "payment_code", "services": "nothing", "channels": "nothing",
            "calls": "call_code",
            "consents": "nothing", "touchpoints": "nothing", "spend": "nothing", "messages": "nothing", "leads": "nothing",
            "traffic": "nothing",
        }.items()
    },
}  # fmt: skip
BRANCH_OBJECTS = {"user", "patient", "twin", "visit", "work_item", "pair", "merge", "payment", "patient_code", "lead", "offer",
                  "call", "call_code", "visit_code", "payment_code", "reply"}  # fmt: skip


@dataclass(frozen=True)
class Door:
    """One URL of the house: `keys` are the names in its address, `deeds` what each method needs."""

    name: str
    route: str
    view: Any
    keys: tuple[str, ...]

    @property
    def is_api(self) -> bool:
        return deed_of(self.view) == "api"

    @property
    def deeds(self) -> dict[str, str]:
        deed = deed_of(self.view)
        return dict(self.view.cls.deeds) if self.is_api else {"GET": str(deed), "POST": str(deed)}

    def url(self, ids: dict[str, Any]) -> str:
        objects = OBJECTS.get(self.name, {})
        text = self.route
        for key in self.keys:
            value = ids[objects[key]] if key in objects else WORDS[key]
            start = text.index("<")
            text = text[:start] + str(value) + text[text.index(">", start) + 1 :]
        return f"/{text}"


def doors(patterns: Any = None, space: str = "", route: str = "") -> Iterator[Door]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from doors(pattern.url_patterns, space + (f"{pattern.namespace}:" if pattern.namespace else ""), here)
        elif pattern.name is None:  # the API's answer to an address that it does not have
            yield Door("unnamed", f"{route}no-such-door/", pattern.callback, ())
        else:
            yield Door(space + pattern.name, here, pattern.callback, tuple(pattern.pattern.converters))


ALL = list(doors())


@pytest.fixture(autouse=True)
def _no_second_step(settings):
    settings.REQUIRE_TOTP = False


@pytest.fixture
def world() -> dict[str, Any]:
    """One of each kind of object, all of the branch `branch`; ids by kind."""
    branch = make.branch()
    doctor = make.doctor(branch=branch)
    patient, twin, other = (make.patient(branch=branch, phone=f"+7912000000{n}") for n in range(3))
    visit = make.visit(
        patient, start=make.NOW + timedelta(days=900), doctor=doctor, status="scheduled", diagnosis="Z99.9"
    )
    payment = make.payment(patient, 1000, visit=visit)
    work = WorkItem.objects.create(kind="other", patient=patient, branch=branch, due_at=make.NOW, created_at=make.NOW)
    pair = DuplicatePair.objects.create(left=patient, right=twin, score=90)
    merge = Merge.objects.create(survivor=patient, loser=other, at=make.NOW)
    key = ApiKey.objects.create(
        name="k", prefix="k", digest="k", role="integration", created_at=make.NOW, branch=branch
    )
    reply = Reply.objects.create(transport="sms", event_id="e", address="+7", text="?", received_at=make.NOW)
    reply.owners.add(patient)
    lead = Lead.objects.create(external_id="l", created_at=make.NOW, kind="call", branch=branch)
    call = Call.objects.create(external_id="c", started_at=make.NOW, direction="in", branch=branch)
    offer = Alternative.objects.create(lead=lead, kind="day", offered_at=make.NOW)
    return {
        "call": call.pk, "call_code": call.external_id, "lead": lead.pk, "offer": offer.pk, "reply": reply.pk,
        "branch": branch.pk, "doctor": doctor.pk, "patient": patient.pk, "twin": twin.pk,
        "visit": visit.pk, "payment": payment.pk, "work_item": work.pk, "pair": pair.pk, "merge": merge.pk, "key": key.pk,
        "user": make.user("curator", branch=branch).pk, "nothing": 10**9, "patient_code": patient.external_id,
        "visit_code": visit.external_id, "payment_code": payment.external_id,
    }  # fmt: skip


def send(user: User | None, method: str, url: str, *, api: bool) -> Any:
    """One request whose effects are taken back."""
    client = Client(raise_request_exception=True)
    if user is not None:
        client.force_login(user)
    kind = {"content_type": "application/json"} if api else {}
    with transaction.atomic():
        answer = client.generic(method, url, "{}" if api else "", **kind)
        if answer.streaming:
            answer.getvalue()
        transaction.set_rollback(True)
    return answer


def test_every_door_names_a_deed_of_the_table():
    closed = [door.name for door in ALL if deed_of(door.view) is None]
    unknown = [door.name for door in ALL for deed in door.deeds.values() if deed not in {*DEEDS, "public"}]
    assert (closed, unknown) == ([], [])


def test_every_method_that_an_api_door_answers_has_a_deed():
    methods = ("get", "post", "put", "patch", "delete")
    open_ = [
        (door.name, method)
        for door in ALL
        if door.is_api
        for method in methods
        if hasattr(door.view.cls, method) and method.upper() not in door.deeds
    ]
    assert open_ == []


def test_the_public_doors_are_those_that_are_written_down():
    assert {door.name for door in ALL if deed_of(door.view) == "public"} == PUBLIC


def test_every_address_with_a_number_has_an_example():
    known = {*WORDS}
    missing = [door.name for door in ALL if set(door.keys) - known - set(OBJECTS.get(door.name, {}))]
    assert missing == [], "write in OBJECTS what these addresses point at"


def test_nobody_gets_in_without_signing_in(world):
    wrong = []
    for door in ALL:
        for method in door.deeds:
            answer = send(None, method, door.url(world), api=door.is_api)
            to_login = answer.status_code == 302 and answer.url.startswith("/login/")
            if door.name in PUBLIC:
                fits = not to_login
            else:
                fits = answer.status_code == 401 if door.is_api else to_login
            if not fits:
                wrong.append((door.name, method, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_what_the_table_says(role: str, world):
    user, wrong = make.user(role), []
    for door in ALL:
        if door.name in PUBLIC:
            continue
        for method, deed in door.deeds.items():
            answer = send(user, method, door.url(world), api=door.is_api)
            refused = answer.status_code in (401, 403)
            if refused == (role in DEEDS[deed]) or answer.status_code >= 500:
                wrong.append((door.name, method, deed, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", ["manager", "administrator"])
def test_what_belongs_to_another_branch_is_not_there(role: str, world):
    user, wrong = make.user(role, branch=make.branch()), []
    for door in ALL:
        if not BRANCH_OBJECTS & set(OBJECTS.get(door.name, {}).values()):
            continue
        for method, deed in door.deeds.items():
            if role not in DEEDS[deed]:
                continue
            answer = send(user, method, door.url(world), api=door.is_api)
            # PUT on an unknown external id makes a record: it must not touch the other branch's.
            expected = (404, 405, 400, 409, 422) if method == "PUT" else (404, 405)
            if answer.status_code not in expected:
                wrong.append((door.name, method, answer.status_code))
    assert wrong == []


def test_what_holds_for_the_whole_clinic_is_not_for_who_is_bound_to_a_branch(world):
    """Neither by role nor by key: pausing, approving, the ways of sending, budgets and texts are everybody's."""
    doors_of_all = [(door, method) for door in ALL for method, deed in door.deeds.items() if deed in WHOLE_CLINIC]
    assert {"messaging:pause", "messaging:approve", "messaging:transport", "messaging:switch"} <= {
        door.name for door, _method in doors_of_all
    }
    bound, free, wrong = make.user("manager", branch=make.branch()), make.user("manager"), []
    for door, method in doors_of_all:
        refused = [send(one, method, door.url(world), api=door.is_api).status_code == 403 for one in (bound, free)]
        if refused != [True, False]:
            wrong.append((door.name, method, refused))
    assert wrong == []
    key = Actor(kind="key", id=1, name="k", role="manager", branch_id=bound.branch_id)
    assert not any(key.may(deed) for deed in WHOLE_CLINIC) and key.may("see_automations")


@pytest.mark.parametrize("role", ["marketer", "administrator"])
def test_who_may_not_see_medical_fields_finds_no_diagnosis_anywhere(role: str, world):
    user, seen = make.user(role), []
    for door in ALL:
        deed = door.deeds.get("GET", "public")
        if deed != "public" and role in DEEDS[deed]:
            answer = send(user, "GET", door.url(world), api=door.is_api)
            text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(
                "utf-8", "replace"
            )
            if "Z99.9" in text:
                seen.append(door.name)
    assert seen == []
