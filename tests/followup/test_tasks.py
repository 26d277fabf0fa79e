"""The doors of the clock: tick and sweep run, twice without harm, and without a broker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from followup.actions.sweep import NOT_BEGUN, refresh_changed
from followup.models import Cursor
from loyalty.models import PatientValue
from messaging.models import Heartbeat, Message
from messaging.queries.clock import database_now
from tests import make


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_sweep_runs_twice_without_harm():
    from followup.tasks import sweep

    make.visit(make.patient(), start=database_now() - timedelta(hours=2))
    sweep()
    sweep()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer: nobody waits behind another")
def test_a_sweep_that_lasts_keeps_no_other_worker_waiting(committed):
    make.patient()
    Cursor.objects.create(name="values", xact=NOT_BEGUN)

    def minute_after() -> int:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")  # who waits fails
            return refresh_changed(now=database_now())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Cursor.objects.select_for_update().get()
            assert pool.submit(minute_after).result() == 0
        assert not PatientValue.objects.exists()
        assert pool.submit(minute_after).result() == 1
