"""The doors of the clock: tick and sweep run, twice without harm, and without a broker."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging.models import Heartbeat, Message
from messaging.queries.clock import database_now
from tests import make

pytestmark = pytest.mark.django_db


def test_tick_beats_plans_and_wakes():
    from messaging.tasks import send_due, tick

    now = database_now()
    patient = make.patient(phone="+79161234567")
    make.visit(patient, start=now + timedelta(hours=20), status="scheduled", booked_at=now - timedelta(days=5))
    tick()
    tick()
    assert Heartbeat.objects.get(name="tick").at >= now
    assert Message.objects.filter(automation="reminder_24h").count() == 1
    send_due("sms")
    assert Heartbeat.objects.filter(name="sent").exists()


def test_sweep_runs_twice_without_harm():
    from followup.tasks import sweep

    make.visit(make.patient(), start=database_now() - timedelta(hours=2))
    sweep()
    sweep()
