"""Two who take one patient over: one has him, the other is told. Real commits, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connection

from funnel.actions import handoff as actions
from funnel.actions.handoff import AlreadyTaken
from staff.access import Actor
from staff.models import AuditEntry
from tests import make

NOW = make.NOW


def test_of_eight_who_tap_at_once_one_takes_the_baton(committed):
    doctor = make.doctor(branch=make.default_branch())
    actions.set_chain(speciality="терапия", kinds=["admin_doctor"], limit_minutes=10, by=make.actor(), now=NOW)
    user = make.user("doctor", doctor=doctor)
    taker = Actor(kind="user", id=user.pk, name="x", role="doctor")
    visit = make.visit(make.patient(), doctor=doctor, status="arrived")
    step = actions.open_relay(visit=visit, by=make.actor(), now=NOW).steps.get()

    def tap(_number: int) -> str:
        try:
            actions.take_baton(step=step, by=taker, now=NOW + timedelta(minutes=1))
            return "mine"
        except AlreadyTaken:
            return "taken"
        finally:
            connection.close()

    # The in-memory database of the suite refuses a second writer at once instead of letting him wait.
    with ThreadPoolExecutor(8 if connection.vendor == "postgresql" else 1) as pool:
        answers = sorted(pool.map(tap, range(8)))
    assert answers == ["mine", *["taken"] * 7]
    assert AuditEntry.objects.filter(deed="take_baton").count() == 1
