"""Builders of the tests of the hand-off: a doctor with a chain of three steps, and the people who pass the baton."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from funnel.actions import handoff as actions
from funnel.models import HandoffStep, Relay
from patients.models import Visit
from staff.access import Actor
from tests import make

CHAIN = ("admin_doctor", "doctor_curator", "curator_admin")
NOW = make.NOW


def person(role: str, **fields) -> Actor:
    user = make.user(role, **fields)
    return Actor(kind="user", id=user.pk, name=user.full_name, role=role, branch_id=user.branch_id)


def relay_house() -> dict[str, Any]:
    """A doctor with a chain of three steps, and the people who pass the baton."""
    doctor = make.doctor(branch=make.default_branch())
    actions.set_chain(speciality="терапия", kinds=CHAIN, limit_minutes=10, by=make.actor(), now=NOW)
    people = {role: person(role) for role in ("administrator", "curator", "manager")}
    return {"doctor": doctor, "dr": person("doctor", doctor=doctor), **people}


def coming(house, *, start=NOW, **fields) -> Visit:
    return make.visit(
        make.patient(), doctor=house["doctor"], start=start, **({"status": "arrived", "may_overlap": True} | fields)
    )


def relay_of(house, visit=None, now: datetime = NOW) -> tuple[Relay, list[HandoffStep]]:
    relay = actions.open_relay(visit=visit or coming(house), by=house["administrator"], now=now)
    return relay, list(relay.steps.order_by("position"))
