"""One phone, several patients: one text with names and times, each of them asked about, nobody forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging import actions
from messaging.automations import REMINDER_24H
from messaging.models import Message
from messaging.transports.base import Outcome, Result
from patients.models import Visit
from tests import make
from tests.messaging.outbox import NOON, approval, queued
from tests.messaging.test_policy import agrees, end_of

pytestmark = pytest.mark.django_db
H = timedelta(hours=1)
PHONE = "+79161112233"


@pytest.fixture
def visits() -> list[Visit]:
    """Two children of one mother, and a stranger, tomorrow; reminders are planned."""
    make.clinic(name="Добрая клиника")
    branch = make.branch(address="ул. Мира, 1", phone="+74950000000")
    mother = make.patient(first_name="Ольга", phone=PHONE, branch=branch)
    born = {"birth_date": NOON.date().replace(year=2019), "responsible_adult": mother, "branch": branch}
    people = [make.patient(first_name=name, **born) for name in ("Аня", "Петя")]
    people.append(make.patient(first_name="Пётр", phone="+79990000000", branch=branch))
    found = [
        make.visit(p, start=NOON + 23 * H + n * H / 2, status="scheduled", booked_at=NOON - 40 * H, branch=branch)
        for n, p in enumerate(people)
    ]
    assert actions.plan(automation=REMINDER_24H, now=NOON) == 3
    return found


def claim() -> list[int]:
    return actions.claim(transport="sms", owner="me", size=100, now=NOON) or []


def mark(ids: list[int]):
    return actions.mark_inflight(ids=ids, owner="me", now=NOON)


def rows() -> list[Message]:
    return list(Message.objects.order_by("visit__start_at"))


def refused(letters, result=Result.REFUSED) -> None:
    from messaging.actions.send import note_outcomes

    outcomes = [Outcome(letter, result, "gateway") for letter in letters]
    note_outcomes(transport="sms", outcomes=outcomes, settle_seconds=0)


def test_a_family_gets_one_text_with_names_and_times(visits):
    letters = mark(claim())
    first, second, stranger = rows()
    assert [letter.id for letter in letters] == [first.pk, stranger.pk]
    assert first.text == (
        "Ждём вас: Аня: 3 марта (вт) в 11:00; Петя: 3 марта (вт) в 11:30. Добрая клиника, ул. Мира, 1. "
        "Не сможете прийти? Сообщите нам: +74950000000"
    )
    assert end_of(second) == ("skipped", "grouped") and second.grouped_into_id == first.pk
    assert "Пётр" in stranger.text and (first.basis, first.state) == ("service", "inflight")


def test_the_text_is_neutral_and_speaks_english_to_the_english(visits):
    type(visits[0].patient).objects.update(language="en")
    Message.objects.all().update(language="en")
    mark(claim())
    text = rows()[0].text
    assert text.startswith("We expect you: Аня: Tue 3 March, 11:00; Петя: Tue 3 March, 11:30. ")
    assert not any(word in text for visit in visits for word in (visit.doctor.name, visit.doctor.speciality))


def test_who_cancels_before_the_claim_is_not_named(visits):
    Visit.objects.filter(pk=visits[1].pk).update(status="cancelled_patient", cancelled_at=NOON)
    mark(claim())
    first, second, _stranger = rows()
    assert end_of(second) == ("skipped", "visit_cancelled") and "Петя" not in first.text


def test_who_cancels_between_claim_and_call_is_not_named_either(visits):
    ids = claim()
    Visit.objects.filter(pk=visits[1].pk).update(status="cancelled_patient", cancelled_at=NOON)
    assert len(mark(ids)) == 1  # the stranger's
    first, second, _stranger = rows()
    assert (first.state, end_of(second)) == ("queued", ("skipped", "visit_cancelled"))
    mark(claim())
    first.refresh_from_db()
    assert first.state == "inflight" and "Аня" in first.text and "Петя" not in first.text


def test_when_the_carrier_has_nothing_more_to_say_the_others_are_told_all_the_same(visits):
    Visit.objects.filter(pk=visits[0].pk).update(status="cancelled_patient", cancelled_at=NOON)
    mark(claim())
    mark(claim())
    first, second, _stranger = rows()
    assert end_of(first) == ("skipped", "visit_cancelled")
    assert second.state == "inflight" and second.text.startswith("Петя, ждём вас")


def test_when_the_call_comes_to_nothing_its_members_wait_with_it_again(visits):
    letters = mark(claim())
    refused(letters, Result.NOT_ACCEPTED)
    first, second, _stranger = rows()
    assert (first.state, second.state, second.reason, second.grouped_into_id) == ("queued", "queued", "", first.pk)
    Message.objects.update(not_before=NOON)
    mark(claim())
    first, second, _stranger = rows()
    assert first.attempt == 2 and "Петя" in first.text and end_of(second) == ("skipped", "grouped")


def test_when_the_carrier_is_refused_its_members_are_back_in_the_queue(visits):
    refused(mark(claim()))
    first, second, _stranger = rows()
    assert (first.state, second.state, second.grouped_into_id) == ("refused", "queued", None)
    assert len(mark(claim())) == 1


def test_when_nobody_knows_whether_the_call_was_made_nobody_is_told_twice(visits):
    refused(mark(claim()), Result.UNKNOWN)
    first, second, _stranger = rows()
    assert first.state == "unknown" and end_of(second) == ("skipped", "grouped")


def test_a_worker_that_dies_gives_back_the_whole_family(visits):
    from django.db.models.functions import Now

    claim()
    Message.objects.update(lease_until=Now() - timedelta(seconds=1))
    actions.reap(now=NOON)
    assert {row.state for row in rows()} == {"queued"}
    letters = mark(claim())
    assert len(letters) == 2 and "Петя" in rows()[0].text


def test_a_member_whose_carrier_is_gone_waits_for_nobody(visits):
    first, second, _stranger = rows()
    Message.objects.filter(pk=first.pk).update(state="expired", reason="window")
    assert second.pk in claim()


def test_seven_children_of_one_phone_take_two_texts(visits):
    mother = visits[0].patient.responsible_adult
    born = {"birth_date": NOON.date().replace(year=2019), "responsible_adult": mother, "branch": mother.branch}
    for n in range(7):
        child = make.patient(first_name=f"Дитя{n}", **born)
        make.visit(child, start=NOON + 22 * H, status="scheduled", booked_at=NOON - 40 * H)
    actions.plan(automation=REMINDER_24H, now=NOON + H / 10)
    assert len({row.grouped_into_id or row.pk for row in rows() if row.address == PHONE}) <= 3


def test_an_advertisement_is_said_once_to_all_the_names_of_a_phone():
    from messaging.actions.families import tie

    signed = approval(texts={"sms:ru": {"body": "{first_name}, подарок ко дню рождения! {unsubscribe}"}})
    twins = [agrees(make.patient(first_name=name)) for name in ("Аня", "Петя")]
    both = [
        queued(one, purpose="marketing", priority=40, approval=signed, automation="birthday", address=PHONE, text="")
        for one in twins
    ]
    Message.objects.update(template="birthday")
    tie(automation="birthday", now=NOON)
    assert len(mark(claim())) == 1
    both[0].refresh_from_db()
    assert both[0].text.startswith("Аня и Петя, подарок") and end_of(both[1]) == ("skipped", "grouped")


def test_the_same_patient_twice_is_no_family(visits):
    make.visit(visits[2].patient, start=NOON + 22 * H, status="scheduled", booked_at=NOON - 40 * H)
    actions.plan(automation=REMINDER_24H, now=NOON)
    assert not Message.objects.filter(patient=visits[2].patient).exclude(grouped_into=None).exists()
