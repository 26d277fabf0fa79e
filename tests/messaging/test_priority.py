"""What a message is for decides when its turn comes; nothing else does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging import actions, automations
from messaging.models import Message
from messaging.models.outbox import Priority
from messaging.rules.priority import PRIORITIES, WrongPriority, priority_of
from patients.models.contact import Purpose
from tests import make
from tests.messaging.outbox import NOON

pytestmark = pytest.mark.django_db
ALL = {"service": 20, "feedback": 30, "marketing": 40, "health_offers": 40}


@pytest.mark.parametrize(("purpose", "priority"), ALL.items())
def test_a_queued_message_has_the_priority_of_its_purpose(purpose, priority):
    row = actions.queue_message(
        dedupe_key="k", purpose=purpose, transport="sms", address="+79160000001", text="т", tz="Europe/Moscow",
        now=NOON, expires_at=NOON + timedelta(days=1), patient=make.patient(),
    )  # fmt: skip
    assert Message.objects.get(pk=row.pk).priority == priority == priority_of(purpose)


def test_no_automation_goes_before_what_its_purpose_allows():
    for one in automations.registered():
        assert one.urgency == PRIORITIES[one.purpose] or one.purpose == Purpose.SERVICE, one.code
    assert {one.urgency for one in automations.registered() if one.advertises} == {Priority.PROMOTION}


@pytest.mark.parametrize(
    ("purpose", "wanted"), [("marketing", 20), ("health_offers", 10), ("feedback", 20), ("service", 40)]
)
def test_an_advertisement_cannot_be_declared_urgent(purpose, wanted):
    with pytest.raises(WrongPriority):
        priority_of(purpose, wanted)


def test_a_medical_message_is_a_service_message_that_goes_first():
    assert priority_of("service", Priority.MEDICAL) == 10
