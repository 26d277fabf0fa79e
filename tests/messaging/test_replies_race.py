"""The same answer by two calls of a provider at once, and two colleagues who answer in the same second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from messaging import actions
from messaging.models import Message, Reply, TelegramChat
from patients.models import WorkItem
from staff.models import AuditEntry
from tests import make
from tests.messaging.outbox import NOON

PHONE, TOGETHER = "+79161234567", 8
pytestmark = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite lets one writer begin at a time (BEGIN IMMEDIATE)"
)


def at_once(work) -> list:
    """What each of eight threads got: a value, or the name of its exception."""
    start = Barrier(TOGETHER)

    def one(number: int):
        try:
            start.wait()
            return work(number)
        except Exception as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(one, range(TOGETHER)))


def take(_number: int):
    said = {"transport": "sms", "event_id": "same", "address": PHONE, "text": "где вы?"}
    return actions.take_reply(**said, received_at=NOON, now=NOON).pk


def test_a_doubled_call_is_one_answer(committed):
    make.patient(phone=PHONE)
    assert len(set(at_once(take))) == 1
    assert Reply.objects.count() == WorkItem.objects.count() == 1
    assert AuditEntry.objects.filter(deed="take_reply").count() == 1


def test_one_colleague_answers_and_the_others_hear_that_he_did(committed):
    patient = make.patient(phone=PHONE)
    reply = Reply.objects.get(pk=take(0))

    def answer(number: int):
        by = make.actor(kind="user", name=f"colleague {number}")
        actions.answer_reply(reply=reply, patient=patient, text=f"здесь {number}", by=by, now=NOON)
        return "sent"

    assert sorted(at_once(answer)) == ["AlreadyAnswered"] * (TOGETHER - 1) + ["sent"]
    assert Message.objects.count() == 1


def test_one_code_links_one_chat(committed):
    code = actions.make_code(patient=make.patient(), by=make.actor(), now=NOON)

    def link(number: int):
        return actions.link_chat(code=code, chat_id=1000 + number, by=make.actor(), now=NOON).chat_id

    found = at_once(link)
    assert found.count("BadCode") == TOGETHER - 1
    assert TelegramChat.objects.filter(unlinked_at=None).count() == 1
