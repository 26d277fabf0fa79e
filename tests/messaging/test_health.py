"""`/healthz`, `/readyz` and the worker that leaves when nothing moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from messaging import actions, queries
from messaging.models import Message
from messaging.queries.clock import database_now
from tests import make
from tests.messaging.outbox import queued

pytestmark = pytest.mark.django_db


def ready() -> tuple[int, dict]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


def test_the_process_says_that_it_lives():
    assert Client().get("/healthz").json() == {"status": "ok"}


def test_ready_is_green_with_a_fresh_tick_and_names_what_is_red():
    now = database_now()
    code, body = ready()
    assert (code, body["red"]) == (503, ["tick"])
    actions.beat(name="tick", now=now)
    assert ready()[0] == 200
    queued(now=now - timedelta(minutes=4))
    Message.objects.update(not_before=now - timedelta(minutes=4))
    code, body = ready()
    assert (code, body["red"]) == (503, ["oldest_due_message"])
    actions.beat(name="tick", now=now - timedelta(minutes=4))
    assert ready()[1]["red"] == ["tick", "oldest_due_message"]


def test_what_a_person_paused_is_not_red():
    now = database_now()
    actions.beat(name="tick", now=now)
    queued(now=now)
    Message.objects.update(not_before=now - timedelta(minutes=10))
    actions.pause_sending(paused=True, by=make.actor(), now=now)
    code, body = ready()
    assert (code, body["checks"]["sending"]) == (200, "paused")


def test_a_broker_that_is_away_is_red_and_a_request_survives_it(settings):
    from messaging import tasks

    actions.beat(name="tick", now=database_now())
    from celery import current_app

    before = current_app.conf.broker_url
    point_at("redis://127.0.0.1:1/0")
    try:
        assert ready()[1]["red"] == ["broker"]
        tasks.wake()
    finally:
        point_at(before)


def point_at(url: str) -> None:
    from celery import current_app

    current_app.conf.broker_url = current_app.conf.broker_write_url = current_app.conf.broker_read_url = url
    current_app._after_fork()  # forgets its open connections


def test_a_worker_leaves_when_due_messages_stand_still_but_not_while_others_move_them():
    now = database_now()
    assert not queries.overdue(now)
    queued(now=now)
    Message.objects.update(not_before=now - timedelta(minutes=10))
    assert queries.overdue(now)
    actions.beat(name="sent", now=now)
    assert not queries.overdue(now)


def test_nothing_personal_is_said():
    queued(address="+79161234567", text="секрет")
    assert "7916" not in str(ready())
