"""The breaker of a transport: opens by the share of faults, tries with a handful, closes; and managers hear of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging import actions
from messaging.actions.breaker import allowance, count_tries
from messaging.models import Message, TransportMinute, TransportSetting
from messaging.queries.health import oldest_due_age
from messaging.rules import breaker
from messaging.transports.base import Letter, Outcome, Result
from tests import make
from tests.messaging.outbox import NOON, gateway, queued, send, states

S = timedelta(seconds=1)
LETTER = Letter(1, 1, "k", "+7", "", "")


def outcomes(good: int, bad: int) -> list[Outcome]:
    return [Outcome(LETTER, Result.ACCEPTED)] * good + [Outcome(LETTER, Result.NOT_ACCEPTED, "busy")] * bad


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (Outcome(LETTER, Result.ACCEPTED), False),
        (Outcome(LETTER, Result.NOT_ACCEPTED, "busy"), True),
        (Outcome(LETTER, Result.NOT_ACCEPTED, "busy", retry_after=1), False),
        (Outcome(LETTER, Result.UNKNOWN, "no_answer"), True),
        (Outcome(LETTER, Result.UNKNOWN, "same_text"), False),
        (Outcome(LETTER, Result.REFUSED, "gateway"), True),
        (Outcome(LETTER, Result.REFUSED, "blocked"), False),
        (Outcome(LETTER, Result.REFUSED, "bad_message"), False),
        (Outcome(LETTER, Result.REFUSED, "not_configured"), False),
    ],
)
def test_only_what_speaks_against_the_provider_is_a_fault(outcome, fault):
    assert breaker.is_fault(outcome) is fault


def test_few_tries_say_nothing_and_rests_double():
    assert not breaker.is_too_much(19, 19) and breaker.is_too_much(20, 10) and not breaker.is_too_much(20, 9)
    assert [breaker.rest(minutes * 60 * S) for minutes in (0, 1, 2, 4, 60)] == [
        60 * S,
        60 * S,
        120 * S,
        240 * S,
        900 * S,
    ]


@pytest.mark.django_db
def test_a_dead_provider_opens_it_what_is_due_waits_and_managers_are_told_once(settings):
    settings.SMS_GATEWAY_URL, settings.EMAIL_URL = "http://127.0.0.1:9", "smtp://127.0.0.1:9"
    make.user("manager", email="boss@example.com", language="en")
    make.user("owner", email="", phone="+79160009999")  # only reachable by what is broken
    make.user("curator", email="curator@example.com")
    for _each in range(25):
        queued()
    send()
    state = TransportSetting.objects.get(transport="sms")
    assert state.broken_at and state.broken_until - state.broken_at == 60 * S
    assert list(TransportMinute.objects.values_list("transport", "tries", "faults")) == [("sms", 25, 25)]
    alarm = Message.objects.get(user__isnull=False)
    assert (alarm.address, alarm.transport, alarm.tz, alarm.language) == ("boss@example.com", "email", "", "en")
    assert alarm.subject == "SMS: sending rests" and "25 of the last 25 tries failed" in alarm.text
    Message.objects.filter(transport="sms").update(not_before=NOON)
    before = Message.objects.filter(transport="sms").values_list("attempt", flat=True)[0]
    send()
    rows = Message.objects.filter(transport="sms")
    assert set(rows.values_list("state", "reason", "attempt")) == {("queued", "breaker", before)}
    with pytest.MonkeyPatch.context():
        count_tries(transport="sms", outcomes=outcomes(0, 30), now=state.broken_at + S)
    assert Message.objects.filter(user__isnull=False).count() == 1


@pytest.mark.django_db
def test_half_open_one_caller_gets_a_handful_and_success_closes_it(settings):
    settings.SMS_GATEWAY_SETTLE_SECONDS = 0
    for _each in range(30):
        queued()
    TransportSetting.objects.update_or_create(
        transport="sms", defaults={"broken_at": NOON - 60 * S, "broken_until": NOON - S, "updated_at": NOON}
    )
    assert [allowance(transport="sms", most=500, now=NOON) for _caller in range(3)] == [5, 0, 0]
    later = NOON + timedelta(seconds=settings.SENDING_LEASE_SECONDS + 1)
    Message.objects.update(not_before=NOON, tz="")
    with gateway() as (url, judge):
        settings.SMS_GATEWAY_URL = url
        assert actions.send_batch(transport="sms", owner="a", now=later)  # the first caller had died
        assert judge()["accepted"] == 5
        assert TransportSetting.objects.get(transport="sms").broken_at is None
        send(now=later)
    assert states() == {"sent": 30}


@pytest.mark.django_db
def test_a_probe_that_fails_makes_the_rest_longer_and_old_faults_do_not_count_after_it_closed():
    now = NOON.replace(second=0)
    count_tries(transport="sms", outcomes=outcomes(0, 20), now=now)
    state = TransportSetting.objects.get(transport="sms")
    assert state.broken_at == now
    count_tries(transport="sms", outcomes=outcomes(0, 5), now=now + 240 * S)
    state.refresh_from_db()
    assert (state.broken_at, state.broken_until) == (now, now + 480 * S)
    count_tries(transport="sms", outcomes=outcomes(5, 0), now=now + 490 * S)
    state.refresh_from_db()
    assert (state.broken_at, state.broken_until) == (None, now + 490 * S)
    count_tries(transport="sms", outcomes=outcomes(18, 1), now=now + 495 * S)
    assert TransportSetting.objects.get(transport="sms").broken_at is None
    count_tries(transport="sms", outcomes=outcomes(0, 19), now=now + 560 * S)  # fewer than enough since it closed
    assert TransportSetting.objects.get(transport="sms").broken_at is None
    count_tries(transport="sms", outcomes=outcomes(0, 1), now=now + 561 * S)
    assert TransportSetting.objects.get(transport="sms").broken_at == now + 561 * S


@pytest.mark.django_db
def test_what_waits_for_a_breaker_is_no_worker_that_stands_still_and_old_tries_are_forgotten():
    queued(now=NOON - timedelta(hours=1))
    assert oldest_due_age(NOON) == timedelta(hours=1)
    TransportSetting.objects.create(transport="sms", broken_at=NOON, broken_until=NOON + 60 * S, updated_at=NOON)
    assert oldest_due_age(NOON) == timedelta(0)
    count_tries(transport="email", outcomes=outcomes(1, 0), now=NOON - timedelta(days=3))
    actions.forget_tries(now=NOON)
    assert not TransportMinute.objects.exists()
