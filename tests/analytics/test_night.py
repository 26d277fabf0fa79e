"""The nightly work, asked for every quarter of an hour, is done once a local day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analytics import actions, tasks
from analytics.models import MetricAnswer, Night
from loyalty.models import PatientValue, RfmScale
from tests import make

pytestmark = pytest.mark.django_db
TWO = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)  # 2 o'clock in Moscow on 2 March


def test_the_night_rebuilds_the_facts_once_a_local_day_after_two():
    for days in (10, 40, 400):
        make.visit(make.patient(), start=TWO - timedelta(days=days))
    assert actions.night(now=TWO - timedelta(minutes=1)) is False and not PatientValue.objects.exists()
    assert actions.night(now=TWO) is True
    assert PatientValue.objects.count() == 3 and RfmScale.objects.filter(measure="r").exists()
    assert actions.night(now=TWO + timedelta(hours=5)) is False
    assert actions.night(now=TWO + timedelta(days=1)) is True
    assert [night.day.isoformat() for night in Night.objects.all()] == ["2026-03-03"]


def test_the_night_forgets_answers_that_nobody_will_ask_for_again():
    old = {"slug": "rfm", "params": {}, "version": "v", "result": {}}
    MetricAnswer.objects.create(key="old", made_at=TWO - timedelta(days=9), **old)
    MetricAnswer.objects.create(key="new", made_at=TWO, **old)
    actions.night(now=TWO)
    assert [answer.key for answer in MetricAnswer.objects.all()] == ["new"]


def test_the_task_of_beat_does_the_night():
    tasks.nightly()  # whatever the hour: it must not fail
