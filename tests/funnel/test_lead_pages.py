"""The pages of leads: who waits, one lead, what is done with it, the lists, the rules; by role and by branch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funnel.actions.desk import close_lead, mark_spam, offer_alternative
from funnel.actions.incoming import Enquiry, answer_lead, take_lead
from funnel.models import Alternative, Lead, StageRule
from funnel.queries.leads import waiting, waiting_page
from patients.models import Patient, WorkItem
from staff.models import AuditEntry
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_step(settings):
    settings.REQUIRE_TOTP = False


def ask(number=1, *, ago=10, **fields) -> Lead:
    now = datetime.now(UTC)
    told = {"name": f"Анна {number}", "phone": f"+7912000{number:04}", "text": "болит зуб", "door": "form"} | fields
    return take_lead(
        enquiry=Enquiry(kind="form", created_at=now - timedelta(minutes=ago), **told), by=make.actor(), now=now
    )


def signed_in(role="owner", **fields) -> Client:
    client = Client()
    client.force_login(make.user(role, **fields))
    return client


def test_the_longest_waiting_stands_first_and_is_red():
    ask(1, ago=1), ask(2, ago=30)
    text = signed_in().get("/leads/").content.decode()
    assert text.index("Анна 2") < text.index("Анна 1")
    assert "is-late" in text and "is-soon" in text


def test_a_person_who_asked_twice_stands_there_once():
    first = ask(1, ago=30)
    ask(1, ago=20), ask(1, ago=10)
    rows = waiting_page(by=make.actor(), now=datetime.now(UTC)).rows
    assert [(row.lead.pk, row.since) for row in rows] == [(first.pk, first.created_at)]


def test_who_had_an_answer_and_asks_again_waits_since_then_as_the_lead_that_counts():
    first = ask(1, ago=30)
    now = datetime.now(UTC)
    answer_lead(lead=first, by=make.actor(), now=now, at=now - timedelta(minutes=29))
    again, _third = ask(1, ago=20), ask(1, ago=10)
    rows = waiting_page(by=make.actor(), now=now).rows
    assert [(row.lead.pk, row.since) for row in rows] == [(first.pk, again.created_at)]


def test_further_enquiries_of_a_lead_that_is_closed_or_spam_wait_for_nobody():
    for number, end in enumerate(("close", "spam"), 1):
        first = ask(number, ago=30)
        now = datetime.now(UTC)
        ask(number, ago=10)
        if end == "close":
            close_lead(lead=first, reason="price", by=make.actor(), now=now)
        else:
            mark_spam(lead=first, is_spam=True, by=make.actor(), now=now)
    assert list(waiting(make.actor())) == []


def test_the_poll_answers_the_part_alone():
    ask()
    answer = signed_in().get("/leads/", headers={"X-Poll": "1"})
    assert b"<html" not in answer.content and b'id="waiting"' in answer.content


def test_pages_of_the_queue_neither_skip_nor_repeat(monkeypatch):
    made = [ask(number, ago=100 - number).pk for number in range(1, 8)]
    seen, after = [], None
    while True:
        page = waiting_page(by=make.actor(), now=datetime.now(UTC), after=after, size=3)
        seen += [row.lead.pk for row in page.rows]
        after = page.after
        if after is None:
            break
    assert seen == made


def queries_of(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


@pytest.mark.parametrize("url", ["/leads/", "/leads/board/", "/leads/list/", "/leads/speed/"])
def test_twenty_rows_cost_as_many_queries_as_one(url):
    client, branch, channel = signed_in(), make.default_branch(), make.channel()
    for number in range(1, 21):
        person = make.patient(phone=f"+7912000{number:04}")
        ask(number, branch=branch, patient=person, channel=channel)
        if number == 1:
            client.get(url)
            one = queries_of(client, url)
    assert queries_of(client, url) == one


@pytest.mark.parametrize(
    ("role", "name", "phone", "text"),
    [
        ("owner", True, True, True),
        ("curator", True, True, True),
        ("administrator", True, True, False),
        ("marketer", False, False, False),
    ],
)
def test_a_card_shows_what_the_role_may_see_and_says_so_in_the_audit_log(role, name, phone, text):
    lead = ask()
    page = signed_in(role).get(f"/leads/{lead.pk}/").content.decode()
    assert ("Анна 1" in page, "+79120000001" in page, "болит зуб" in page) == (name, phone, text)
    entry = AuditEntry.objects.filter(deed="see_lead").get()
    assert ("phone" in entry.fields, "text" in entry.fields) == (phone, text)


def test_a_further_enquiry_leads_to_the_lead_that_counts():
    first, again = ask(1, ago=30), ask(1, ago=10)
    assert signed_in().get(f"/leads/{again.pk}/").url == f"/leads/{first.pk}/"


def test_another_branch_s_lead_is_not_there_and_one_of_no_branch_is():
    lead, free = ask(1, branch=make.branch()), ask(2)
    client = signed_in("administrator", branch=make.branch())
    assert client.get(f"/leads/{lead.pk}/").status_code == 404
    assert client.post(f"/leads/{lead.pk}/answered/").status_code == 404
    assert client.get(f"/leads/{free.pk}/").status_code == 200
    assert "Анна 1" not in client.get("/leads/").content.decode()


def test_one_tap_answers_and_the_timer_stops():
    lead, client = ask(), signed_in("administrator")
    assert client.post(f"/leads/{lead.pk}/answered/", {"next": "/leads/"}).url == "/leads/"
    lead.refresh_from_db()
    assert lead.first_response_at is not None and lead.stage == "contacted"
    assert lead.first_response_by.role == "administrator"


def test_no_answer_leaves_it_waiting_with_a_call_due():
    lead = ask()
    signed_in().post(f"/leads/{lead.pk}/no-answer/")
    assert WorkItem.objects.filter(kind="call_back").count() == 1
    assert [one.pk for one in waiting(make.actor())] == [lead.pk]


def test_spam_and_back():
    lead, client = ask(), signed_in()
    client.post(f"/leads/{lead.pk}/spam/")
    assert not waiting(make.actor()).exists()
    client.post(f"/leads/{lead.pk}/not-spam/")
    assert waiting(make.actor()).exists()


def test_an_unknown_move_is_not_there():
    assert signed_in().post(f"/leads/{ask().pk}/dance/").status_code == 404


@pytest.mark.parametrize("reason", ["", "just because"])
def test_without_a_reason_it_stays_open_and_the_form_is_refused(reason):
    lead = ask()
    answer = signed_in().post(f"/leads/{lead.pk}/close/", {"close-reason": reason})
    assert answer.status_code == 422
    assert Lead.objects.get().lost_at is None


def test_closed_with_a_reason_and_opened_again():
    lead, client = ask(), signed_in()
    assert client.post(f"/leads/{lead.pk}/close/", {"close-reason": "price"}).status_code == 303
    assert Lead.objects.get().loss_reason == "price"
    client.post(f"/leads/{lead.pk}/reopen/")
    assert Lead.objects.get().lost_at is None


def test_something_else_is_offered_and_declined():
    lead, client = ask(), signed_in()
    assert client.post(f"/leads/{lead.pk}/offer/", {"offer-kind": "nothing"}).status_code == 422
    client.post(f"/leads/{lead.pk}/offer/", {"offer-kind": "day", "offer-note": "в субботу"})
    offered = Alternative.objects.get()
    client.post(f"/leads/offers/{offered.pk}/decline/")
    offered.refresh_from_db()
    assert offered.declined_at is not None and offered.accepted_at is None


def test_an_offer_of_another_branch_is_not_there():
    now = datetime.now(UTC)
    offered = offer_alternative(lead=ask(1, branch=make.branch()), kind="day", by=make.actor(), now=now)
    client = signed_in("administrator", branch=make.branch())
    assert client.post(f"/leads/offers/{offered.pk}/decline/").status_code == 404


def test_it_is_attached_to_a_patient_who_is_found():
    lead, client = ask(), signed_in("administrator")
    person = make.patient(last_name="Найденова")
    assert "Найденова" in client.post(f"/leads/{lead.pk}/who/", {"q": "Найденова"}).content.decode()
    client.post(f"/leads/{lead.pk}/who/", {"patient": person.pk})
    assert Lead.objects.get().patient_id == person.pk


def test_a_new_patient_is_entered_once_with_what_the_lead_says():
    make.default_branch()
    lead, client = ask(1, name="Седова Анна Петровна"), signed_in("administrator")
    for _again in range(2):
        assert client.post(f"/leads/{lead.pk}/patient/").status_code == 303
    person = Patient.objects.get()
    assert (person.last_name, person.first_name, person.middle_name) == ("Седова", "Анна", "Петровна")
    assert person.phones.get().number == "+79120000001"
    assert Lead.objects.get().patient_id == person.pk


def test_a_lead_is_entered_by_hand():
    channel, client = make.channel(), signed_in("administrator", branch=make.branch())
    told = {"kind": "walk_in", "name": "Пётр", "phone": "8 912 345-67-89", "channel": channel.pk, "promo_code": "А1"}
    client.post("/leads/new/", told)
    lead = Lead.objects.get()
    assert (lead.kind, lead.phone, lead.channel_id, lead.promo_code) == ("walk_in", "+79123456789", channel.pk, "А1")
    assert lead.branch_id is not None


@pytest.mark.parametrize(
    "told", [{"kind": "walk_in"}, {"kind": "carrier pigeon", "name": "Пётр"}, {"kind": "call", "phone": "12"}]
)
def test_nonsense_by_hand_is_refused(told):
    assert signed_in().post("/leads/new/", told).status_code == 422
    assert not Lead.objects.exists()


def test_the_list_is_filtered_and_a_bad_filter_is_survived():
    channel = make.channel()
    lost, other = ask(1, channel=channel), ask(2)
    close_lead(lead=lost, reason="far", by=make.actor(), now=datetime.now(UTC))
    client = signed_in()

    def names(query: str) -> list[bool]:
        text = client.get(f"/leads/list/?{query}").content.decode()
        return [f"/leads/{one.pk}/" in text for one in (lost, other)]

    assert names("") == [True, True]
    assert names("state=lost") == [True, False]
    assert names("reason=far") == [True, False]
    assert names(f"channel={channel.pk}") == [True, False]
    assert names("state=open") == [False, True]
    assert names("first=01.01.2020&last=02.01.2020") == [False, False]
    assert names("stage=paid") == [False, False]
    assert names("stage=nonsense&after=nonsense") == [True, True]


def test_rules_of_the_stages_are_saved_together_and_nonsense_is_refused():
    client = signed_in("manager")
    told = {"lead-role": "administrator", "lead-limit_minutes": "10", "lead-duty": "позвонить"}
    assert client.post("/leads/rules/", told | {"paid-limit_minutes": "-1"}).status_code == 422
    assert not StageRule.objects.exists()
    assert client.post("/leads/rules/", told).status_code == 303
    rule = StageRule.objects.get(stage="lead")
    assert (rule.role, rule.limit_minutes, rule.duty) == ("administrator", 10, "позвонить")
    assert "позвонить" in client.get("/leads/board/").content.decode()


def test_the_speed_of_answers_by_who_answered_and_by_source():
    client, channel = signed_in(), make.channel(name="Вывеска")
    now = datetime.now(UTC)
    who = make.user("administrator", full_name="Быстрова Нина")
    for number, seconds in enumerate((30, 90, 600), 1):
        lead = ask(number, ago=60, channel=channel)
        at = lead.created_at + timedelta(seconds=seconds)
        answer_lead(lead=lead, by=make.actor(), user=who, now=now, at=at)
    ask(4, ago=60)
    page = client.get("/leads/speed/?days=7")
    assert [(s.name, s.asked, s.answered, s.soon, s.late) for s in page.context["people"]] == [
        ("Быстрова Нина", 3, 3, 1, 2),
        ("", 1, 0, 0, 0),
    ]
    assert [(s.name, s.asked) for s in page.context["channels"]] == [("Вывеска", 3), ("", 1)]
