"""What holds for every history: budgets, quiet hours, refusals; whatever the number of campaigns and workers.

`DRILL_PATIENTS` makes the simulation as large as wished (10 000 in the drills); PostgreSQL runs it with real threads.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import zone
from messaging import actions
from messaging.models import Message
from messaging.models.outbox import Reason
from messaging.rules.policy import Contact, Limits, ration
from messaging.rules.quiet import opening_for
from patients.actions import withdraw
from patients.models import Consent, Patient
from tests import make
from tests.messaging.outbox import NOON, approval
from tests.messaging.test_policy import advert, agrees, end_of, go

RUSSIA = [
    *(f"Europe/{town}" for town in ("Kaliningrad", "Moscow", "Simferopol", "Kirov", "Volgograd", "Astrakhan")),
    *("Europe/Saratov", "Europe/Ulyanovsk", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Novosibirsk"),
    *("Asia/Barnaul", "Asia/Tomsk", "Asia/Novokuznetsk", "Asia/Krasnoyarsk", "Asia/Irkutsk", "Asia/Chita"),
    *("Asia/Yakutsk", "Asia/Khandyga", "Asia/Vladivostok", "Asia/Ust-Nera", "Asia/Magadan", "Asia/Sakhalin"),
    *("Asia/Srednekolymsk", "Asia/Kamchatka", "Asia/Anadyr"),
]
KAZAKHSTAN = [f"Asia/{town}" for town in ("Almaty", "Qostanay", "Qyzylorda", "Aqtobe", "Aqtau", "Atyrau", "Oral")]
ZONES = [*RUSSIA, *KAZAKHSTAN, "Europe/Berlin"]
PATIENTS = int(os.environ.get("DRILL_PATIENTS", "20"))
CAMPAIGNS, WORKERS = 20, 4
SENT = ("inflight", "sent", "delivered", "undelivered", "unknown")
H, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
instants = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@calmly
@given(instants, st.sampled_from(ZONES), st.integers(1, 600))
def test_what_opens_stays_open_until_the_thing_is_done_in_every_zone(at, tz, seconds):
    lasts = timedelta(seconds=seconds)
    opens = opening_for(at, tz, lasts)
    assert at <= opens <= at + 14 * H
    for moment in (opens, opens + lasts):
        assert 9 <= moment.astimezone(zone(tz)).hour < 21


asks = st.lists(st.tuples(st.integers(0, 72), st.sampled_from(["reminder", "feedback", "promotion"])), max_size=60)
limits = st.builds(
    Limits, st.integers(1, 10), st.integers(0, 4), st.integers(0, 3), st.integers(0, 100).map(lambda h: h * H)
)


@calmly
@given(asks, limits)
def test_no_history_exceeds_a_budget_and_a_hold_ends_as_soon_as_it_may(history, budget):
    now, past, capped = NOON, [], []
    for hours, kind in history:
        now += hours * H
        asked = {"limits": budget, "past": past, "reserved": 0, "advertises": kind == "promotion"}
        answer = ration(now=now, capped=kind != "reminder", **asked)
        if answer.never:
            assert budget.contacts == 0 or (kind == "promotion" and budget.promotions == 0)
        elif answer.until is not None:
            assert answer.until > now and kind != "reminder"
            assert ration(now=answer.until, capped=True, **asked).until is None
            assert ration(now=answer.until - timedelta(microseconds=1), capped=True, **asked).until is not None
        else:
            past.append(Contact(now, kind == "promotion"))
            if kind != "reminder":
                capped.append(len(past) - 1)
    for place in capped:
        at = past[place].at
        assert sum(at - budget.period < each.at for each in past[: place + 1]) <= budget.contacts
    shown = [each.at for each in past if each.advertises]
    assert all(sum(at - budget.period < other <= at for other in shown) <= budget.promotions for at in shown)
    assert all(later - earlier >= budget.gap for earlier, later in itertools.pairwise(shown))


def campaigns(number: int, seed: int) -> None:
    """`CAMPAIGNS` campaigns and automations over the same patients of all zones, due within two weeks."""
    dice, branch, signed = random.Random(seed), make.default_branch(), approval(last_day=NOON.date() + 60 * DAY)
    people = Patient.objects.bulk_create(
        Patient(branch=branch, first_name=f"П{n}", last_name="Иванов", created_at=NOON, tz=dice.choice(ZONES))
        for n in range(number)
    )
    Consent.objects.bulk_create(
        Consent(patient=one, purpose="marketing", given=True, at=NOON - DAY, how="paper", evidence="№ 1")
        for one in people
    )
    Message.objects.bulk_create(
        (message_of(one, campaign, signed, dice) for campaign in range(CAMPAIGNS) for one in people), batch_size=2000
    )


def message_of(patient, campaign, signed, dice) -> Message:
    purpose, priority = dice.choice([("marketing", 40)] * 4 + [("feedback", 30), ("service", 20), ("service", 10)])
    due = NOON + dice.random() * 10 * DAY
    return Message(
        patient=patient, purpose=purpose, priority=priority, approval=signed if purpose == "marketing" else None,
        transport="sms", address=f"+7900{patient.pk:07}", text="Здравствуйте!", tz="Europe/Moscow", created_at=NOON,
        not_before=due, expires_at=due + dice.random() * 20 * DAY, dedupe_key=f"campaign:{campaign}:{patient.pk}",
    )  # fmt: skip


def work(now: datetime, owner: str, size: int) -> None:
    turn = 0
    while (ids := actions.claim(transport="sms", owner=f"{owner}:{turn}", size=size, now=now)) is not None:
        actions.mark_inflight(ids=ids, owner=f"{owner}:{turn}", now=now)
        turn += 1


def in_a_thread(*args) -> None:
    try:
        work(*args)
    finally:
        connection.close()


def run(hours: range, size: int) -> None:
    """Every step of the clock all workers at once; on SQLite one, for it has one writer."""
    with ThreadPoolExecutor(WORKERS) as pool:
        for hour in hours:
            now = NOON + hour * H
            if connection.vendor == "postgresql":
                list(pool.map(in_a_thread, [now] * WORKERS, [f"{hour}:{n}" for n in range(WORKERS)], [size] * WORKERS))
            else:
                work(now, str(hour), size)
            actions.reap(now=now)


def assert_lawful() -> None:
    """Counted anew, without a word of the policy's own code."""
    histories = defaultdict(list)
    columns = ("patient_id", "decided_at", "purpose", "priority", "patient__tz")
    for patient, at, purpose, priority, tz in Message.objects.filter(state__in=SENT).values_list(*columns):
        histories[patient].append((at, purpose, priority))
        assert 9 <= at.astimezone(zone(tz)).hour < 21, (at, tz)
    for sent in histories.values():
        shown = sorted(at for at, purpose, _priority in sent if purpose == "marketing")
        assert all(later - earlier >= WEEK for earlier, later in itertools.pairwise(shown))
        for at in {at for at, _purpose, priority in sent if priority > 20}:
            earlier = sum(at - WEEK < other < at for other, *_rest in sent)
            together = sum(other == at and priority > 20 for other, _purpose, priority in sent)
            assert earlier + together <= 5


def assert_accounted_for(due: int) -> None:
    counts = defaultdict(int)
    for state, reason in Message.objects.values_list("state", "reason"):
        counts[state] += 1
        assert state in SENT or reason in Reason.values, (state, reason)
    assert sum(counts.values()) == due
    assert not {"claimed", "queued"} & counts.keys(), counts


def test_twenty_campaigns_at_once_never_exceed_a_budget_never_leave_the_day_and_account_for_everything(committed):
    campaigns(PATIENTS, seed=7)
    run(range(0, 24 * 32, 11), size=max(25, PATIENTS // 10))
    assert_lawful()
    assert_accounted_for(PATIENTS * CAMPAIGNS)
    assert Message.objects.filter(state="inflight", purpose="marketing").count() >= PATIENTS  # the test is no empty one


def test_who_opts_out_during_a_campaign_gets_nothing_after_it(committed):
    number = max(100, PATIENTS)
    signed, dice = approval(), random.Random(3)
    people = [agrees(make.patient(first_name=f"П{n}")) for n in range(number)]
    for n, one in enumerate(people):
        advert(one, approval=signed, address=f"+7901{n:07}")
    leaving = dice.sample(people, number // 2)
    left: dict[int, int] = {}
    begun: list[tuple[int, int]] = []
    clock, lock = iter(range(10**9)), threading.Lock()

    def tick() -> int:
        with lock:
            return next(clock)

    def leave() -> None:
        for one in leaving:
            withdraw(patient=one, purpose="marketing", transport="sms", how="link", by=make.actor(), now=NOON)
            left[one.pk] = tick()

    def send(owner: str) -> None:
        turn = 0
        while (ids := actions.claim(transport="sms", owner=f"{owner}{turn}", size=5, now=NOON)) is not None:
            at = tick()
            letters = actions.mark_inflight(ids=ids, owner=f"{owner}{turn}", now=NOON)
            begun.extend((letter.id, at) for letter in letters)
            turn += 1

    def alone(do, *args) -> None:
        try:
            do(*args)
        finally:
            close_old_connections()
            connection.close()

    if connection.vendor == "postgresql":
        with ThreadPoolExecutor(WORKERS + 1) as pool:
            jobs = [pool.submit(alone, leave), *(pool.submit(alone, send, f"w{n}:") for n in range(WORKERS))]
            [job.result() for job in jobs]
    else:
        ids = actions.claim(transport="sms", owner="early", size=number, now=NOON)
        leave()
        begun.extend((letter.id, tick()) for letter in actions.mark_inflight(ids=ids, owner="early", now=NOON))
        send("w")
    whose = dict(Message.objects.values_list("pk", "patient_id"))
    assert [pk for pk, at in begun if at > left.get(whose[pk], 10**9)] == []
    assert len(left) == len(leaving) and len(begun) < number
    assert Message.objects.filter(state="skipped", reason="withdrawn").count() == number - len(begun)


@pytest.mark.django_db
def test_a_complaint_at_t_stops_a_promotion_that_is_due_a_second_later():
    row = advert()
    later = NOON + timedelta(seconds=1)
    Message.objects.filter(pk=row.pk).update(not_before=later)
    actions.hold_promotions(patient=row.patient, reason="complaint", key="incident:9", by=make.actor(), now=NOON)
    assert go(now=later) == 0 and end_of(row) == ("skipped", "promotion_hold")
