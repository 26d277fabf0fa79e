"""Claim, the two looks, the mark, the outcome; against a real gateway over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from followup.actions import follow_up
from messaging import actions
from messaging.actions.send import note_outcomes
from messaging.models import Message
from messaging.transports.base import Outcome, Result
from patients.models import Consent, Visit
from staff.models import Clinic
from tests import make
from tests.messaging.outbox import NOON, approval, gateway, queued, send, states

pytestmark = pytest.mark.django_db
H = timedelta(hours=1)


@pytest.fixture(scope="module")
def honest():
    with gateway() as server:
        yield server


@pytest.fixture
def sms(honest, settings):
    settings.SMS_GATEWAY_URL, settings.SMS_GATEWAY_SETTLE_SECONDS = honest[0], 0
    return honest[1]


@pytest.fixture
def message_about():
    def made(**fields) -> Message:
        branch = make.branch(address="ул. Мира, 1", phone="+74950000000")
        patient = make.patient(first_name="Анна", branch=branch)
        visit = make.visit(patient, start=NOON + 20 * H, status="scheduled", branch=branch)
        row = queued(patient, text="", **fields)
        Message.objects.filter(pk=row.pk).update(
            visit=visit, about_at=visit.start_at, automation="reminder_24h", template="reminder_24h"
        )
        return Message.objects.get(pk=row.pk)

    return made


def test_a_batch_goes_out_once_and_every_row_says_so(sms):
    rows = [queued() for _each in range(30)]
    send()
    send()
    assert states() == {"sent": 30}
    seen = sms()["seen"]
    row = Message.objects.get(pk=rows[0].pk)
    assert seen[row.client_id]["to"] == row.address and row.provider_id and row.sent_at and row.attempt == 1
    assert (row.owner, row.lease_until, row.reason) == ("", None, "")


def test_the_text_is_put_together_once_from_the_visit_in_the_branchs_time(sms, message_about):
    row = message_about(language="ru")
    make.clinic(name="Добрая клиника")
    send()
    row.refresh_from_db()
    assert row.text == (
        "Анна, ждём вас 3 марта (вт) в 08:00. Добрая клиника, ул. Мира, 1. "
        "Не сможете прийти? Сообщите нам: +74950000000"
    )
    assert row.variables["time"] == "08:00" and row.state == "sent"


def ends() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("id").values_list("state", "reason"))


CHANGES = {
    "visit_cancelled": {"status": "cancelled_patient", "cancelled_at": NOON},
    "visit_moved": {"start_at": NOON + 30 * H, "end_at": NOON + 31 * H},
    "visit_past": {"status": "completed"},
}


@pytest.mark.parametrize("reason", CHANGES)
@pytest.mark.parametrize("late", [False, True])
def test_a_changed_visit_sends_nothing_stale_even_between_claim_and_call(sms, message_about, reason, late):
    row, before = message_about(), sms()["accepted"]
    ids = actions.claim(transport="sms", owner="me", size=10, now=NOON) if late else []
    Visit.objects.filter(pk=row.visit_id).update(**CHANGES[reason])
    if late:
        assert actions.mark_inflight(ids=ids, owner="me", now=NOON) == []
    send()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("skipped", reason)
    assert sms()["accepted"] == before


def withdraw(patient, purpose="service", given=False, transport="", at=NOON):
    Consent.objects.create(
        patient=patient, purpose=purpose, given=given, transport=transport, at=at, how="paper", evidence="№ 1"
    )


def test_who_wants_no_messages_died_or_is_a_test_person_gets_none(sms):
    patients = {name: make.patient() for name in ("withdrawn", "other_transport", "again", "processing")}
    withdraw(patients["withdrawn"])
    withdraw(patients["other_transport"], transport="email")
    withdraw(patients["again"], at=NOON - H)
    withdraw(patients["again"], given=True)
    withdraw(patients["processing"], purpose="processing")
    patients["died"] = make.patient(natural_churn_reason="died")
    patients["test"] = make.patient(is_test=True)
    survivor = make.patient()
    patients["merged"] = make.patient(merged_into=survivor, canonical=survivor)
    withdraw(survivor)
    rows = {name: queued(patient) for name, patient in patients.items()}
    send()
    assert {name: Message.objects.values_list("state", "reason").get(pk=row.pk) for name, row in rows.items()} == {
        "withdrawn": ("skipped", "withdrawn"), "processing": ("skipped", "withdrawn"),
        "merged": ("skipped", "withdrawn"),
        "died": ("skipped", "deceased"), "test": ("skipped", "test"),
        "other_transport": ("sent", ""), "again": ("sent", ""),
    }  # fmt: skip


def test_advertising_needs_a_consent(sms):
    asked, silent = make.patient(), make.patient()
    withdraw(asked, purpose="marketing", given=True)
    queued(asked, purpose="marketing", approval=approval())
    queued(asked, purpose="marketing", approval=None)
    queued(silent, purpose="marketing", approval=approval())
    send()
    assert ends() == [("sent", ""), ("skipped", "not_approved"), ("skipped", "no_consent")]
    assert Message.objects.filter(state="sent", basis="consent", consent__patient=asked, decided_at=NOON).exists()


def test_what_is_too_late_expires_and_what_falls_into_the_night_waits(sms):
    late = queued(now=NOON - 10 * H, expires_at=NOON - H)
    far_east = queued(tz="Asia/Kamchatka", expires_at=NOON + 13 * H)  # 21:00 there
    senseless = queued(tz="Asia/Kamchatka", expires_at=NOON + 11 * H)
    send()
    late.refresh_from_db(), far_east.refresh_from_db(), senseless.refresh_from_db()
    assert (late.state, late.reason) == ("expired", "window")
    assert (senseless.state, senseless.reason) == ("expired", "quiet")
    assert (far_east.state, far_east.reason) == ("queued", "quiet")
    assert far_east.not_before == datetime(2026, 3, 2, 21, 0, tzinfo=UTC)


def test_two_messages_about_one_visit_closer_than_three_hours_become_one(sms, message_about):
    first = message_about()
    second = message_about()
    Message.objects.filter(pk=second.pk).update(visit=first.visit, automation="reminder_2h", template="reminder_2h")
    send()
    assert ends() == [
        ("sent", ""),
        ("skipped", "too_close"),
    ]


def test_no_address_no_value_and_a_switched_off_automation_are_named(sms, message_about):
    queued(address="")
    nameless = message_about()
    Message.objects.filter(pk=nameless.pk).update(template="no_such_text")
    off = message_about()
    Message.objects.filter(pk=off.pk).update(automation="reminder_2h")
    actions.switch_automation(code="reminder_2h", is_on=False, by=make.actor(), now=NOON)
    send()
    assert ends() == [("skipped", "no_address"), ("skipped", "no_value"), ("skipped", "switched_off")]


def test_the_switch_stops_everything_at_once_also_what_is_claimed(sms):
    queued()
    ids = actions.claim(transport="sms", owner="me", size=10, now=NOON)
    actions.pause_sending(paused=True, by=make.actor(), now=NOON)
    assert actions.mark_inflight(ids=ids, owner="me", now=NOON) == []
    send()
    assert states() == {"queued": 1}
    actions.pause_sending(paused=False, by=make.actor(), now=NOON)
    actions.pause_transport(transport="sms", paused=True, by=make.actor(), now=NOON)
    send()
    assert states() == {"queued": 1}
    actions.pause_transport(transport="sms", paused=False, by=make.actor(), now=NOON)
    send()
    assert states() == {"sent": 1}


def test_a_worker_whose_lease_is_over_sends_nothing(sms):
    row = queued()
    ids = actions.claim(transport="sms", owner="zombie", size=10, now=NOON)
    Message.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert actions.mark_inflight(ids=ids, owner="zombie", now=NOON) == []
    actions.reap(now=NOON)
    row.refresh_from_db()
    assert (row.state, row.owner) == ("queued", "")
    other = actions.claim(transport="sms", owner="other", size=10, now=NOON)
    assert actions.mark_inflight(ids=ids, owner="zombie", now=NOON) == []
    assert len(actions.mark_inflight(ids=other, owner="other", now=NOON)) == 1


def dies_in_flight() -> Message:
    queued()
    ids = actions.claim(transport="sms", owner="dead", size=10, now=NOON)
    actions.mark_inflight(ids=ids, owner="dead", now=NOON)
    Message.objects.update(lease_until=Now() - timedelta(seconds=1))
    actions.reap(now=NOON)
    return Message.objects.get()


@pytest.mark.parametrize("meanwhile", ["unknown", "queued", "claimed"])
def test_a_refusal_that_comes_after_the_lease_is_still_the_end(sms, meanwhile):
    queued()
    ids = actions.claim(transport="sms", owner="slow", size=10, now=NOON)
    [letter] = actions.mark_inflight(ids=ids, owner="slow", now=NOON)
    Message.objects.update(lease_until=Now() - timedelta(seconds=1))
    actions.reap(now=NOON)
    if meanwhile != "unknown":
        actions.reconcile(transport="sms")
        Message.objects.update(not_before=NOON)
    other = actions.claim(transport="sms", owner="other", size=10, now=NOON) if meanwhile == "claimed" else None
    assert states() == {meanwhile: 1}
    note_outcomes(transport="sms", outcomes=[Outcome(letter, Result.REFUSED, "blocked")], settle_seconds=0)
    row = Message.objects.get()
    assert (row.state, row.reason, row.next_check_at, row.owner) == ("refused", "blocked", None, "")
    assert actions.mark_inflight(ids=other or ids, owner="other", now=NOON) == [] and states() == {"refused": 1}


def test_what_a_dead_worker_had_in_flight_is_unknown_and_asked_about(sms):
    row = dies_in_flight()
    assert (row.state, row.reason) == ("unknown", "lease")
    actions.reconcile(transport="sms")
    Message.objects.update(not_before=NOON)
    send()
    row.refresh_from_db()
    assert (row.state, row.attempt) == ("sent", 2)
    assert sms()["twice"] == {}


def test_without_key_and_look_up_the_unknown_stays_listed(sms, settings):
    settings.SMS_GATEWAY_DEDUPE = "none"
    row = dies_in_flight()
    actions.reconcile(transport="sms")
    send()
    row.refresh_from_db()
    assert (row.state, row.reason, row.next_check_at) == ("unknown", "key_expired", None)


def test_a_key_is_only_good_while_the_provider_remembers_it(sms, settings):
    settings.SMS_GATEWAY_KEY_SECONDS = 60
    row = dies_in_flight()
    Message.objects.update(unsure_at=Now() - timedelta(seconds=61))
    actions.reconcile(transport="sms")
    row.refresh_from_db()
    assert (row.state, row.reason) == ("unknown", "key_expired")


def test_a_person_decides_about_an_unknown_one_and_only_once(sms, settings):
    settings.SMS_GATEWAY_DEDUPE = "none"
    row = dies_in_flight()
    actor = make.actor()
    actions.resolve_unknown(message=row, sent=True, by=actor, now=NOON)
    with pytest.raises(actions.AlreadyResolved):
        actions.resolve_unknown(message=row, sent=False, by=actor, now=NOON)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("sent", "by_person")


def test_sending_takes_the_same_number_of_queries_for_one_and_for_fifty(sms):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost(number: int) -> int:
        for _each in range(number):
            queued()
        with CaptureQueriesContext(
            connection,
        ) as taken:
            assert actions.send_batch(transport="sms", owner="x", now=NOON)
        return len(taken)

    assert cost(1) == cost(50) < 36


def test_the_clinic_row_is_asked_at_every_claim():
    Clinic.objects.update(sending_paused=True)
    queued()
    assert actions.claim(transport="sms", owner="a", size=5, now=NOON) is None


def test_who_books_at_night_is_awake_and_gets_the_answer_at_once(sms):
    night = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # half past two in Moscow
    patient = make.patient(phone="+79120000001")
    booked = [
        make.visit(patient, start=night + 30 * H, status="scheduled", booked_at=night - ago) for ago in (H * 0, H)
    ]
    for visit in booked:
        follow_up(Visit.objects.filter(pk=visit.pk), now=night)
    send(now=night)
    rows = Message.objects.filter(automation="confirmation").order_by("visit__booked_at")
    assert list(rows.values_list("state", "reason")) == [("queued", "quiet"), ("sent", "")]
