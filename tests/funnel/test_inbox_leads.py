"""Strangers' messages become leads, each person once; an answer in the inbox answers the lead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.actions.inbox import leads_from_inbox
from funnel.models import Lead
from funnel.tasks import gather_leads
from messaging.models import Reply
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW


def reply(event: str, *, transport: str = "telegram", address: str = "100500", ago: int = 5, **fields) -> Reply:
    given = {"text": "Сколько стоит приём?", "received_at": NOW - timedelta(minutes=ago)} | fields
    return Reply.objects.create(transport=transport, event_id=event, address=address, **given)


def test_a_message_out_of_the_blue_is_one_lead_however_often_it_is_looked_at():
    said = reply("1")
    assert [leads_from_inbox(now=NOW) for _time in range(2)] == [1, 0]
    lead = Lead.objects.get()
    assert (lead.external_id, lead.kind, lead.created_at) == (f"reply:{said.pk}", "messenger", said.received_at)
    assert lead.text == said.text and lead.phone == ""


def test_by_an_address_the_person_is_known():
    reply("1", transport="email", address="Anna@Example.com")
    reply("2", transport="sms", address="+79123456789")
    leads_from_inbox(now=NOW)
    found = {lead.kind: (lead.email, lead.phone) for lead in Lead.objects.all()}
    assert found == {"email": ("anna@example.com", ""), "messenger": ("", "+79123456789")}


def test_a_chat_that_goes_on_is_the_same_lead_until_that_is_closed():
    reply("1", ago=9)
    reply("2", ago=8)
    assert leads_from_inbox(now=NOW) == 1
    reply("3", ago=1)
    assert leads_from_inbox(now=NOW) == 0
    Lead.objects.update(lost_at=NOW - timedelta(seconds=30), loss_reason="other")
    assert leads_from_inbox(now=NOW) == 0  # what was said before it was closed belongs to it
    reply("4", ago=0)
    assert leads_from_inbox(now=NOW) == 1


def test_patients_families_machines_answers_and_old_messages_are_no_leads():
    reply("1", patient=make.patient(), address="1")
    reply("2", address="2").owners.add(make.patient(), make.patient())
    reply("3", address="3", meaning=Reply.Meaning.STOP)
    reply("4", address="4", ago=60 * 24 * 4)
    reply("5", address="5", ago=-60)
    assert leads_from_inbox(now=NOW) == 0 and not Lead.objects.exists()


def test_an_answer_in_the_inbox_is_the_first_answer_of_the_lead():
    said, user = reply("1", ago=30), make.user("administrator")
    leads_from_inbox(now=NOW)
    at = NOW - timedelta(minutes=10)
    Reply.objects.filter(pk=said.pk).update(answered_at=at, answered_by=user)
    leads_from_inbox(now=NOW)
    lead = Lead.objects.get()
    assert (lead.first_response_at, lead.first_response_by) == (at, user)


def test_the_task_runs_twice_without_harm():
    for _time in range(2):
        gather_leads()
