"""The page "Health", what a person decides about a transport, and `/metrics`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from messaging import actions
from messaging.actions.breaker import count_tries
from messaging.models import TransportSetting
from messaging.queries.clock import database_now
from messaging.queries.operations import flow, operations
from messaging.transports.base import Letter, Outcome, Result
from staff.actions.keys import make_key
from staff.models import AuditEntry, Clinic
from tests import make
from tests.messaging.outbox import NOON, queued

pytestmark = pytest.mark.django_db
H = timedelta(hours=1)


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make.user(role))
    return client


def test_due_is_always_the_sum_of_what_became_of_it():
    for state in (
        "queued",
        "claimed",
        "inflight",
        "sent",
        "delivered",
        "undelivered",
        "refused",
        "skipped",
        "expired",
        "unknown",
    ):
        queued(state=state)
    queued(now=NOON - 2 * H)
    found = flow(NOON - H, NOON)
    assert (found.due, found.waiting, found.sent, found.not_sent, found.unknown) == (10, 3, 3, 3, 1)
    assert flow(NOON - 3 * H, NOON).due == 11


def test_the_page_says_what_is_wrong_and_leaders_can_act(settings):
    now = database_now()
    settings.SMS_GATEWAY_URL = "http://127.0.0.1:9"
    queued(now=now - H)
    letter = Letter(1, 1, "k", "+7", "", "")
    count_tries(transport="sms", outcomes=[Outcome(letter, Result.UNKNOWN, "no_answer")] * 20, now=now)
    page = signed_in("administrator").get("/messages/health/").content.decode()
    assert "отдыхает после ошибок" in page and "Слишком много ошибок у провайдера" in page
    assert "Настроить" not in page and "Пауза" not in page
    assert "Слишком много ошибок у провайдера" in signed_in("marketer").get("/messages/").content.decode()
    manager = signed_in("manager")
    assert "Настроить" in manager.get("/messages/health/").content.decode()
    answer = manager.post("/messages/pause/", {"paused": "1", "back": "health"})
    assert answer.status_code == 303 and answer["Location"] == "/messages/health/"
    assert Clinic.objects.filter(sending_paused=True).exists()
    assert "Отправка приостановлена." in manager.get("/messages/health/").content.decode()


def test_a_person_decides_about_a_transport_and_it_is_written_down():
    manager = signed_in("manager")
    form = {"position": "2", "price": "3,50", "for_service": "on", "note": "72-ФЗ", "fallback_minutes": "30"}
    assert manager.post("/messages/health/telegram/", form).status_code == 303
    found = TransportSetting.objects.get(transport="telegram")
    assert (found.position, found.price, found.for_service, found.for_adverts) == (2, 350, True, False)
    assert (found.note, found.fallback_minutes) == ("72-ФЗ", 30)
    entry = AuditEntry.objects.filter(deed="set_transports").get()
    assert "telegram" in entry.note and "price" in entry.fields
    for wrong in ({"price": "дорого"}, {"position": "-1"}, {"fallback_minutes": "1"}, {"price": "-1"}):
        assert manager.post("/messages/health/telegram/", form | wrong).status_code == 422
    assert manager.get("/messages/health/pigeon/").status_code == 404
    assert "3.50" in manager.get("/messages/health/telegram/").content.decode()


def families(answer) -> dict[str, dict[tuple, float]]:
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain")
    found = text_string_to_metric_families(answer.content.decode())
    return {f.name: {tuple(sorted(s.labels.items())): s.value for s in f.samples} for f in found}


def test_metrics_are_numbers_for_a_key_and_for_nobody_else(settings):
    settings.REQUIRE_TOTP = False
    now = database_now()
    queued(
        make.patient(last_name="Тайнова", phone="+79160001122"), now=now - H / 2, address="+79160001122", urgent=True
    )
    queued(now=now - H / 2, state="unknown")
    actions.beat(name="tick", now=now)
    assert Client().get("/metrics").status_code == 401
    assert signed_in("administrator").get("/metrics").status_code == 403
    _key, text = make_key(name="prometheus", role="integration", branch=None, by=make.actor(), now=NOON)
    said = {"Authorization": f"Api-Key {text}", "Accept": "application/openmetrics-text; version=1.0.0"}
    answer = Client().get("/metrics", headers=said)
    found = families(answer)
    sms = (("transport", "sms"),)
    assert found["clinic_messages_due"][sms] == 1 and found["clinic_messages_unknown"][sms] == 1
    assert 1790 < found["clinic_messages_oldest_due_seconds"][()] < 1900
    assert found["clinic_messages_planned"][("period", "1h"), ("state", "waiting")] == 1
    assert found["clinic_messages_sending_paused"][()] == 0 and found["clinic_messages_breaker_open"][sms] == 0
    assert found["clinic_messages_tick_age_seconds"][()] < 60
    assert "Тайнова" not in answer.content.decode() and "0001122" not in answer.content.decode()


def test_the_figures_cost_the_same_for_one_and_for_many():
    def cost(number: int) -> int:
        for _each in range(number):
            queued()
        with CaptureQueriesContext(connection) as taken:
            operations(NOON)
        return len(taken)

    assert cost(1) == cost(40) < 15
