"""Events become a call, a lead, a first answer and a call-back, in whatever order they come."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from funnel.actions.calls import AlreadyExplained, BadEvent, explain_call, take_call_events
from funnel.models import Call, CallEvent, Lead, Operator, TelephonyLine
from funnel.queries.calls import not_settled
from funnel.rules.calls import IN, MISSED, OUT, Said
from patients.actions.work import close_work_item
from patients.models import Touchpoint, WorkItem
from staff.models import Source
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
BY = make.actor()
PHONE, OURS = "+79001112233", "+74951234567"
LATER = NOW + timedelta(hours=3)


@pytest.fixture
def line():
    source = Source.objects.create(code="pbx")
    return TelephonyLine.objects.create(source=source, kind="generic", secret=b"", created_at=NOW)


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def missed(call="c1", start=0, phone=PHONE):
    return [
        Said(call, f"{call}-ring", at(start), IN, phone, OURS, OURS, started_at=at(start)),
        Said(call, f"{call}-end", at(start + 20), IN, phone, ended_at=at(start + 20), outcome=MISSED),
    ]


def talk(call="t1", start=600, direction=OUT, extension=""):
    pair = (OURS, PHONE) if direction == OUT else (PHONE, OURS)
    return [
        Said(call, f"{call}-ring", at(start), direction, *pair, started_at=at(start)),
        Said(call, f"{call}-up", at(start + 5), direction, *pair, extension=extension, answered_at=at(start + 5)),
        Said(call, f"{call}-end", at(start + 65), direction, ended_at=at(start + 65), talk_seconds=60),
    ]


def take(line, *events):
    return take_call_events(line=line, events=events, by=BY, now=LATER)


def test_a_missed_call_is_a_lead_and_a_call_back_due_at_once(line):
    assert take(line, *missed()) == 2
    call, lead, item = Call.objects.get(), Lead.objects.get(), WorkItem.objects.get()
    assert (lead.phone, lead.kind, lead.called_number, lead.created_at) == (PHONE, "call", OURS, NOW)
    assert (item.kind, item.status, item.due_at) == ("call_back", "open", at(20))
    assert (call.lead, call.missed_item) == (lead, item)
    assert lead.first_response_at is None


def test_the_same_events_again_change_nothing(line):
    take(line, *missed())
    before = Call.objects.values().get()
    assert take(line, *missed(), *missed()) == 0
    assert Call.objects.values().get() == before
    assert (CallEvent.objects.count(), Lead.objects.count(), WorkItem.objects.count()) == (2, 1, 1)


def test_more_missed_calls_of_one_number_are_one_work_item_with_a_count(line):
    take(line, *missed("c1"), *missed("c2", 60), *missed("c3", 120))
    item = WorkItem.objects.get()
    assert item.note.endswith("×3")
    assert Lead.objects.filter(duplicate_of=None).count() == 1


def test_another_number_is_another_work_item(line):
    take(line, *missed("c1"), *missed("c2", 60, "+79001112244"))
    assert WorkItem.objects.count() == 2


def test_an_answered_outgoing_call_closes_the_work_item_and_answers_the_lead(line):
    user = make.user("administrator")
    Operator.objects.create(source=line.source, extension="7", user=user)
    take(line, *missed("c1"), *missed("c2", 60), *talk(extension="7"))
    assert WorkItem.objects.get().status == "done"
    assert not not_settled().exists()
    assert set(Call.objects.filter(direction=IN).values_list("called_back_at", flat=True)) == {at(605)}
    first = Lead.objects.get(duplicate_of=None)
    assert (first.first_response_at, first.first_response_by) == (at(605), user)
    assert Call.objects.get(external_id="t1").operator == user


def test_a_call_back_that_nobody_takes_closes_nothing(line):
    tried = [Said("o1", "o1-end", at(300), OUT, OURS, PHONE, ended_at=at(300), outcome=MISSED)]
    take(line, *missed(), *tried)
    assert WorkItem.objects.get().status == "open"
    assert not_settled().count() == 1


def test_who_calls_again_and_gets_through_needs_no_call_back(line):
    take(line, *missed(), *talk(direction=IN))
    assert WorkItem.objects.get().status == "done"


def test_the_order_of_events_does_not_matter(line):
    user = make.user("administrator")
    Operator.objects.create(source=line.source, extension="7", user=user)
    ring, end = missed()
    _ring, up, over = talk(extension="7")
    ends = set()
    for number, order in enumerate(permutations((ring, end, up, over))):
        Call.objects.all().delete()
        Lead.objects.all().delete()
        WorkItem.objects.all().delete()
        for said in order:
            take(line, said)
        call = Call.objects.get(external_id="c1")
        lead = Lead.objects.get()
        state = WorkItem.objects.exclude(status="done").count()
        ends.add((call.outcome, call.called_back_at, lead.created_at, lead.first_response_at, state))
        assert number < 24
    assert ends == {(MISSED, at(605), NOW, at(605), 0)}


def test_a_missed_leg_of_a_call_that_was_taken_leaves_no_call_back(line):
    """One phone rang in vain, then another took it: the work item that the first words made is closed."""
    end = Said("c1", "c1-end", at(20), IN, PHONE, ended_at=at(20), outcome=MISSED)
    take(line, end)
    take(line, Said("c1", "c1-up", at(8), IN, PHONE, OURS, OURS, answered_at=at(8)))
    assert Call.objects.get().outcome == "answered"
    assert WorkItem.objects.get().status == "done"


def test_a_missed_call_after_the_call_back_is_a_new_work_item(line):
    take(line, *missed("c1"), *talk(), *missed("c2", 2000))
    assert sorted(WorkItem.objects.values_list("status", flat=True)) == ["done", "open"]


def test_a_hidden_number_has_no_work_item_and_has_to_be_explained(line):
    take(line, *missed(phone=""))
    assert WorkItem.objects.count() == 0
    assert not_settled().count() == 1


def test_an_explanation_closes_the_work_item_and_stands_once(line):
    take(line, *missed())
    call = Call.objects.get()
    with pytest.raises(ValueError, match="reason"):
        explain_call(call=call, reason="  ", by=BY, now=LATER)
    explain_call(call=call, reason="Рекламный обзвон", by=BY, now=LATER)
    assert WorkItem.objects.get().status == "dropped"
    assert not not_settled().exists()
    with pytest.raises(AlreadyExplained):
        explain_call(call=call, reason="другое", by=BY, now=LATER)
    assert Call.objects.get().explained_reason == "Рекламный обзвон"


@pytest.mark.parametrize(("outcome", "waits"), [("reached", 0), ("booked", 0), ("no_answer", 1), ("dropped", 1)])
def test_a_work_item_closed_by_hand_settles_the_call_where_they_spoke(line, outcome, waits):
    take(line, *missed())
    close_work_item(item=WorkItem.objects.get(), outcome=outcome, by=BY, now=LATER)
    assert not_settled().count() == waits


def test_the_call_of_a_patient_is_a_contact_with_him_once(line):
    patient = make.patient(phone=PHONE)
    take(line, *talk(direction=IN))
    take(line, Said("t1", "t1-rec", at(700), recording="https://records.example/1.mp3"))
    assert Call.objects.get().patient == patient
    assert Lead.objects.get().patient == patient
    assert Touchpoint.objects.get(patient=patient).kind == "call"


@pytest.mark.parametrize(
    "wrong",
    [
        {"call_id": ""},
        {"call_id": "x" * 121},
        {"event_id": "\x00"},
        {"extension": "\ud800"},
        {"talk_seconds": -1},
        {"at": NOW.replace(year=1980)},
        {"ended_at": NOW + timedelta(days=9)},
    ],
)
def test_odd_events_are_refused_before_anything_is_stored(line, wrong):
    good = missed()[0]
    bad = Said(**{**{name: getattr(good, name) for name in good.__dataclass_fields__}, "event_id": "e", **wrong})
    with pytest.raises((BadEvent, UnicodeEncodeError)):
        take(line, good, bad)
    assert Call.objects.count() == 0
