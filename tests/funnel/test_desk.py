"""What the desk does with a lead, and what happens when nobody does anything."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.db import IntegrityError, transaction

from funnel.actions.desk import (
    LeadClosed,
    NoReason,
    accept_alternatives,
    attach_patient,
    close_lead,
    mark_spam,
    offer_alternative,
    reopen_lead,
    try_lead,
)
from funnel.actions.escalation import escalate_leads
from funnel.actions.incoming import Enquiry, answer_lead, take_lead
from funnel.models import Lead
from messaging.models import Message
from patients.models import WorkItem
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW  # a Monday, 12:00 in Moscow
MINUTE = timedelta(minutes=1)


def lead(*, ago=timedelta(), phone="+79120000001", **fields) -> Lead:
    enquiry = Enquiry(kind="form", created_at=NOW - ago, phone=phone, name="Анна", door="form", **fields)
    return take_lead(enquiry=enquiry, by=make.actor(), now=NOW)


def person():
    user = make.user("administrator")
    return make.actor("administrator", kind="user", id=user.pk)


def test_a_lead_is_closed_with_a_reason_and_by_a_name():
    by = person()
    close_lead(lead=lead(), reason="price", note=" дорого ", by=by, now=NOW)
    closed = Lead.objects.get()
    assert (closed.loss_reason, closed.loss_note, closed.loss_stage) == ("price", "дорого", "lead")
    assert (closed.lost_at, closed.closed_by_id) == (NOW, by.id)


@pytest.mark.parametrize("reason", ["", "just because"])
def test_without_one_of_our_reasons_it_stays_open(reason):
    with pytest.raises(NoReason):
        close_lead(lead=lead(), reason=reason, by=person(), now=NOW)
    assert Lead.objects.get().lost_at is None


def test_the_database_itself_refuses_a_person_who_closes_without_a_reason():
    one = lead()
    with pytest.raises(IntegrityError), transaction.atomic():
        Lead.objects.filter(pk=one.pk).update(lost_at=NOW, closed_by=make.user("administrator"))
    Lead.objects.filter(pk=one.pk).update(lost_at=NOW)  # an imported one may lack it


def test_the_second_who_closes_it_is_told_and_the_first_word_stands():
    one = lead()
    close_lead(lead=one, reason="price", by=person(), now=NOW)
    with pytest.raises(LeadClosed):
        close_lead(lead=one, reason="far", by=person(), now=NOW)
    assert Lead.objects.get().loss_reason == "price"


def test_reopened_it_is_as_if_nobody_had_closed_it():
    one = lead()
    close_lead(lead=one, reason="price", by=person(), now=NOW)
    reopen_lead(lead=one, by=person(), now=NOW)
    again = Lead.objects.get()
    assert (again.lost_at, again.closed_by_id, again.loss_reason, again.loss_stage) == (None, None, "", "")


def test_closing_what_repeats_a_lead_closes_the_lead_that_counts():
    first, further = lead(), lead()
    assert further.duplicate_of_id == first.pk
    close_lead(lead=further, reason="far", by=person(), now=NOW)
    assert Lead.objects.get(pk=first.pk).lost_at == NOW
    assert Lead.objects.get(pk=further.pk).lost_at is None


def test_an_attempt_is_no_answer_but_a_call_is_due():
    one, at = lead(branch=make.branch()), NOW + 15 * MINUTE
    for _twice in range(2):
        try_lead(lead=one, call_back_at=at, by=person(), now=NOW)
    item = WorkItem.objects.get()
    assert (item.kind, item.due_at, item.branch_id) == ("call_back", at, one.branch_id)
    assert Lead.objects.get().first_response_at is None


def test_spam_can_be_taken_back():
    one = lead()
    assert mark_spam(lead=one, is_spam=True, by=person(), now=NOW).is_spam
    assert not mark_spam(lead=one, is_spam=False, by=person(), now=NOW).is_spam


def test_who_it_is_holds_for_its_further_enquiries_too():
    first, further, patient = lead(), lead(), make.patient()
    attach_patient(lead=further, patient=patient, by=person(), now=NOW)
    assert set(Lead.objects.values_list("pk", "patient")) == {(first.pk, patient.pk), (further.pk, patient.pk)}


def test_only_the_latest_offer_saved_it():
    one = lead()
    offer_alternative(lead=one, kind="day", by=person(), now=NOW)
    offer_alternative(lead=one, kind="doctor", by=person(), now=NOW + MINUTE)
    assert accept_alternatives(lead=one, by=person(), now=NOW + 2 * MINUTE)
    assert not accept_alternatives(lead=one, by=person(), now=NOW + 3 * MINUTE)
    found = {row.kind: (row.accepted_at, row.declined_at) for row in one.alternatives.all()}
    assert found == {"day": (None, NOW + 2 * MINUTE), "doctor": (NOW + 2 * MINUTE, None)}


def test_a_closed_lead_has_declined_what_was_offered():
    one = lead()
    offer_alternative(lead=one, kind="price", by=person(), now=NOW)
    close_lead(lead=one, reason="price", by=person(), now=NOW + MINUTE)
    assert one.alternatives.get().declined_at == NOW + MINUTE
    with pytest.raises(LeadClosed):
        offer_alternative(lead=one, kind="day", by=person(), now=NOW + MINUTE)


def test_nobody_answers_for_two_minutes_and_it_is_told_once_and_names_nobody(settings):
    settings.EMAIL_URL = "smtp://localhost:1"
    make.user("manager", email="m@example.org")
    lead(ago=3 * MINUTE)
    lead(ago=MINUTE, phone="+79120000002")
    assert escalate_leads(now=NOW) == 1
    assert escalate_leads(now=NOW) == 0
    message = Message.objects.get()
    assert "Анна" not in message.text and "7912" not in message.text
    assert WorkItem.objects.count() == 1


@pytest.mark.parametrize("done", ["answered", "closed", "spam"])
def test_what_waits_no_longer_is_not_escalated(done):
    one = lead(ago=3 * MINUTE)
    if done == "answered":
        answer_lead(lead=one, by=person(), now=NOW)
    elif done == "closed":
        close_lead(lead=one, reason="far", by=person(), now=NOW)
    else:
        mark_spam(lead=one, is_spam=True, by=person(), now=NOW)
    assert escalate_leads(now=NOW) == 0


def test_a_branch_that_is_closed_alarms_nobody_unless_it_is_so_set():
    lead(ago=3 * MINUTE, branch=make.branch(opens_at=time(14), closes_at=time(20)))
    assert escalate_leads(now=NOW) == 0
    assert escalate_leads(now=NOW, at_all_hours=True) == 1
