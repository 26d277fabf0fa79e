"""How many contacts a patient may get: periods, distances, who goes first, what counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging import actions
from messaging.models import Budget, Message, PatientBudget
from patients.models import Touchpoint
from tests import make
from tests.messaging.outbox import NOON, queued
from tests.messaging.test_policy import DAY, H, advert, agrees, end_of, go

pytestmark = pytest.mark.django_db


def test_the_second_promotion_waits_for_the_period_and_an_hour_that_makes_no_sense_ends_it():
    patient = agrees()
    first, second, late = advert(patient), advert(patient), advert(patient, expires_at=NOON + 5 * DAY)
    assert go() == 1
    assert end_of(first)[0] == "inflight"
    assert end_of(second) == ("queued", "cap") and second.not_before == NOON + 7 * DAY
    assert end_of(late) == ("expired", "cap") and (late.cap_used, late.cap) == (1, 5)
    assert go(now=NOON + 7 * DAY + H) == 1 and end_of(second)[0] == "inflight"


def test_two_promotions_keep_their_distance():
    Budget.objects.update(promotions=3, gap_hours=48)
    patient = agrees()
    rows = [advert(patient) for _each in range(3)]
    assert go() == 1
    assert [end_of(row) for row in rows[1:]] == [("queued", "cap")] * 2
    assert rows[1].not_before == NOON + 48 * H
    assert go(now=NOON + 48 * H) == 1


def test_reminders_always_go_and_count_and_feedback_waits():
    patient = agrees()
    reminders = [queued(patient) for _each in range(6)]
    feedback = queued(patient, purpose="feedback", priority=30, expires_at=NOON + 30 * DAY)
    assert go() == 6
    assert {end_of(row)[0] for row in reminders} == {"inflight"} and reminders[-1].cap_used == 6
    assert end_of(feedback) == ("queued", "cap") and feedback.not_before == NOON + 7 * DAY


def test_what_matters_more_goes_first_and_takes_the_last_contact():
    Budget.objects.update(contacts=2)
    patient = agrees()
    promotion = advert(patient)
    feedback = queued(patient, purpose="feedback", priority=30)
    medical = queued(patient, priority=10)
    assert go() == 2
    assert end_of(promotion) == ("queued", "cap")
    assert end_of(feedback)[0] == end_of(medical)[0] == "inflight"
    assert (medical.cap_used, feedback.cap_used) == (1, 2)


def test_a_promotion_leaves_the_last_contact_to_feedback_that_waits_on_another_transport():
    Budget.objects.update(contacts=1)
    patient = agrees()
    promotion = advert(patient)
    queued(patient, purpose="feedback", priority=30, transport="email", address="a@example.com")
    assert go() == 0 and end_of(promotion) == ("queued", "cap")
    assert promotion.not_before == NOON + timedelta(minutes=10)


def test_a_budget_of_his_own_and_none_for_promotions_at_all():
    quiet = Budget.objects.create(code="passive", promotions=0, updated_at=NOON)
    patient = agrees()
    PatientBudget.objects.create(patient=patient, budget=quiet)
    row, other = advert(patient), advert()
    assert go() == 1
    assert end_of(row) == ("skipped", "cap") and end_of(other)[0] == "inflight"


def test_calls_count_and_so_does_every_record_of_the_person_and_no_refusal_does():
    Budget.objects.update(contacts=2)
    survivor = agrees()
    merged = make.patient(merged_into=survivor, canonical=survivor)
    Touchpoint.objects.create(patient=merged, kind="call", direction="out", at=NOON - H, outcome="reached")
    Touchpoint.objects.create(patient=merged, kind="call", direction="out", at=NOON - H, outcome="no_answer")
    queued(merged, state="refused")
    first, second = (queued(patient, purpose="feedback", priority=30) for patient in (merged, survivor))
    assert go() == 1
    assert end_of(first)[0] == "inflight" and first.cap_used == 2 and end_of(second)[1] == "cap"


def test_a_message_and_what_took_over_for_it_are_one_contact():
    patient = agrees()
    first = advert(patient)
    assert go() == 1
    Message.objects.filter(pk=first.pk).update(state="undelivered")
    again = advert(patient, transport="email", address="a@example.com")
    Message.objects.filter(pk=again.pk).update(fallback_of=first)
    assert go(transport="email") == 1 and end_of(again)[0] == "inflight"


def test_a_budget_that_shrinks_after_the_claim_is_asked_again_before_the_call():
    row = advert()
    ids = actions.claim(transport="sms", owner="me", size=9, now=NOON)
    actions.save_budget(code="default", days=7, contacts=0, promotions=0, gap_hours=0, by=make.actor(), now=NOON)
    assert actions.mark_inflight(ids=ids, owner="me", now=NOON) == []
    assert end_of(row) == ("skipped", "cap")


@pytest.mark.parametrize("name", ["days", "contacts", "promotions", "gap_hours"])
def test_a_budget_keeps_to_its_bounds(name):
    numbers = {"days": 7, "contacts": 5, "promotions": 1, "gap_hours": 48, name: 100_000}
    with pytest.raises(actions.BadBudget, match=name):
        actions.save_budget(code="default", **numbers, by=make.actor(), now=NOON)
