"""The waiting list: a freed time goes out in waves, the first who takes it has it, the others stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from core.clock import day_start, local_date
from funnel import actions
from funnel.actions.waitlist import OfferOver, add_to_waitlist, offer_freed
from funnel.models import SlotOffer, WaitlistEntry
from funnel.queries.booking import claim_path
from funnel.rules.booking import Wish
from messaging.models import Message
from patients import actions as patients
from patients.actions.booking import SlotTaken
from patients.models import Visit
from staff.access import PATIENT
from staff.models import Shift
from tests import make

pytestmark = pytest.mark.django_db
TZ = "Europe/Moscow"
TODAY = local_date(datetime.now(UTC), TZ)
NOON = day_start(TODAY, TZ) + timedelta(days=1, hours=12)  # of tomorrow: the clock of these tests
START = NOON + timedelta(hours=27)  # one single time, the day after


@pytest.fixture
def waiting():
    """Five people wait for one doctor, who has one free time."""
    branch = make.default_branch()
    doctor = make.doctor(branch=branch)
    Shift.objects.create(doctor=doctor, branch=branch, start_at=START, end_at=START + timedelta(minutes=30))
    entries = [
        add_to_waitlist(
            patient=make.patient(branch=branch, phone=f"+7912345670{n}"),
            branch=branch,
            doctor=doctor,
            speciality="",
            wish=Wish(TODAY, TODAY + timedelta(days=14)),
            by=make.actor(),
            now=NOON - timedelta(hours=10 - n),
        )
        for n in range(5)
    ]
    return branch, doctor, entries


def test_a_wave_goes_to_those_who_wait_longest_and_the_next_to_the_others(waiting):
    _branch, _doctor, entries = waiting
    assert offer_freed(now=NOON) == 3
    assert offer_freed(now=NOON + timedelta(minutes=1)) == 0
    assert set(SlotOffer.objects.values_list("entry", flat=True)) == {entry.pk for entry in entries[:3]}
    assert offer_freed(now=NOON + timedelta(minutes=16)) == 2
    assert Message.objects.filter(automation="waitlist_offer").count() == 5


def test_the_first_who_takes_it_has_it_and_the_others_stay(waiting):
    _branch, doctor, entries = waiting
    offer_freed(now=NOON)
    first, second, _third = SlotOffer.objects.order_by("pk")
    visit = actions.claim_offer(offer_id=second.pk, by=PATIENT, now=NOON + timedelta(minutes=2))
    assert (visit.patient, visit.doctor, visit.start_at) == (entries[1].patient, doctor, START)
    with pytest.raises(OfferOver):
        actions.claim_offer(offer_id=first.pk, by=PATIENT, now=NOON + timedelta(minutes=3))
    states = dict(WaitlistEntry.objects.values_list("pk", "state"))
    assert states[entries[1].pk] == "booked"
    assert states[entries[0].pk] == states[entries[2].pk] == "waiting"
    assert actions.claim_offer(offer_id=second.pk, by=PATIENT, now=NOON + timedelta(minutes=4)) == visit
    assert offer_freed(now=NOON + timedelta(minutes=20)) == 0


def test_a_time_that_was_filled_by_phone_cannot_be_claimed(waiting):
    branch, doctor, entries = waiting
    offer_freed(now=NOON)
    patients.book_visit(
        patient=make.patient(branch=branch),
        doctor=doctor,
        branch=branch,
        start_at=START,
        end_at=START + timedelta(minutes=30),
        by=make.actor(),
        now=NOON,
    )
    with pytest.raises(SlotTaken):
        actions.claim_offer(offer_id=SlotOffer.objects.first().pk, by=PATIENT, now=NOON + timedelta(minutes=1))
    assert offer_freed(now=NOON + timedelta(minutes=20)) == 0
    assert set(SlotOffer.objects.values_list("state", flat=True)) == {"lost"}
    assert WaitlistEntry.objects.filter(state="waiting").count() == len(entries)


def test_a_cancelled_visit_frees_its_time(waiting):
    branch, doctor, _entries = waiting
    visit = make.visit(make.patient(branch=branch), doctor=doctor, start=START, status="scheduled", booked_at=NOON)
    assert offer_freed(now=NOON) == 0
    patients.cancel_visit(visit=visit, reason="", by_clinic=False, by=make.actor(), now=NOON)
    assert offer_freed(now=NOON + timedelta(minutes=1)) == 3


def test_an_offer_is_over_after_its_hour(waiting):
    offer_freed(now=NOON)
    with pytest.raises(OfferOver):
        actions.claim_offer(offer_id=SlotOffer.objects.first().pk, by=PATIENT, now=NOON + timedelta(minutes=61))
    assert not Visit.objects.exists()


def test_nobody_is_woken_at_night(waiting):
    assert offer_freed(now=NOON + timedelta(hours=12)) == 0


def test_opening_the_link_takes_nothing(waiting):
    offer_freed(now=NOON)
    offer = SlotOffer.objects.first()
    assert Client().get(claim_path(offer.pk)).status_code == 200
    assert SlotOffer.objects.get(pk=offer.pk).state == "open"


def test_the_number_of_queries_does_not_grow_with_those_who_wait(waiting, django_assert_max_num_queries):
    """Nor with their branches and the lengths that they want."""
    for number in range(5):
        branch = make.branch()
        doctor = make.doctor(branch=branch)
        Shift.objects.create(doctor=doctor, branch=branch, start_at=START, end_at=START + timedelta(hours=3))
        for minutes in (20, 40, 60):
            add_to_waitlist(
                patient=make.patient(branch=branch, phone=f"+791234567{number}{minutes // 20}"),
                branch=branch,
                doctor=doctor,
                speciality="",
                wish=Wish(TODAY, TODAY + timedelta(days=20)),
                minutes=minutes,
                by=make.actor(),
                now=NOON - timedelta(hours=1),
            )
    with django_assert_max_num_queries(45):
        assert offer_freed(now=NOON) >= 15


@pytest.mark.parametrize(
    ("wish", "suits"),
    [
        (Wish(TODAY, TODAY + timedelta(days=20)), True),
        (Wish(TODAY, TODAY), False),
        (Wish(TODAY, TODAY + timedelta(days=20), days=str((TODAY + timedelta(days=3)).isoweekday())), False),
    ],
)
def test_a_wish_knows_its_days(wish, suits):
    assert wish.suits(START) is suits
