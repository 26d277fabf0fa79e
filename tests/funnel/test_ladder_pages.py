"""The pages of the ladder: every number opens its people, work items once a person, a word only with its reason."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from funnel.actions.ladder import call_stuck, indicate, set_tiers
from funnel.models import Indication
from funnel.queries import ladder as asked
from funnel.queries.ladder_page import ladder, specialities, touch_lines
from funnel.views.ladder import last_year, live_scope, people_url
from messaging.models import PromotionHold
from patients.models import Service, Touchpoint, WorkItem
from staff.models import AuditEntry
from tests import make
from tests.clinics import random_clinic
from tests.funnel.test_ladder import scope_of
from tests.load import load

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


@pytest.fixture
def as_role(client):
    def log_in(role="owner", **fields):
        user = make.user(role, **fields)
        client.force_login(user)
        return client, user

    return log_in


def on_step(tier="tripwire", days=200, *, speciality="ЭКО", service=None, **fields):
    """A person who bought one service of that step so many days ago."""
    patient = make.patient(**fields)
    visit = make.visit(patient, start=NOW - timedelta(days=days))
    make.item(visit, service=service or make.service(tier=tier, speciality=speciality))
    return patient


def queries_of(client, url):
    with CaptureQueriesContext(
        connection,
    ) as caught:
        answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    return len(caught)


@pytest.mark.parametrize("seed", range(3))
def test_every_number_of_a_ladder_opens_as_many_people(seed):
    data = random_clinic(seed)
    load(data)
    scope = scope_of(data)
    checked = 0
    for name in specialities():
        found = ladder(scope, name, last_year(scope))
        stand = asked.standing(scope, name, found.usual)
        for tier, number in found.people.items():
            assert len(asked.people(stand, {"tier": tier}, 0, 9999)[0]) == number
            assert len(asked.people(stand, {"tier": tier, "stuck": 1}, 0, 9999)[0]) == found.stuck[tier]
            checked += number
        narrow = {"speciality": name, "mature": 1}
        for tier, ways in found.ways.items():
            for way in ways:
                rows, _more = asked.people(asked.steps(scope), narrow | {"tier": tier, "later": way.later}, 0, 9999)
                assert len(rows) == way.count
        for tier, (items, amount, cost) in found.money.items():
            rows, _more = asked.people(
                asked.income(scope, last_year(scope)), {"speciality": name, "tier": tier}, 0, 9999
            )
            assert tuple(sum(int(row[key]) for row in rows) for key in ("items", "amount", "cost")) == (
                items, amount, cost,
            )  # fmt: skip
    assert checked


def test_touches_before_the_core_product_are_counted_by_person_and_channel():
    channel, core = make.channel(), make.service(tier="core")
    told = {}
    for number in (0, 2, 5):
        patient = make.patient(channel=channel if number else None)
        start = NOW - timedelta(days=30)
        make.item(make.visit(patient, start=start), service=core)
        make.item(make.visit(patient, start=start + timedelta(days=9)), service=core)
        for n in range(number):
            Touchpoint.objects.create(patient=patient, at=start - timedelta(days=n + 1), kind="call")
        Touchpoint.objects.create(patient=patient, at=start, kind="visit")
        Touchpoint.objects.create(patient=patient, at=start + timedelta(days=1), kind="call")
        told[patient.pk] = number
    twin = make.patient(created_at=make.NOW)
    person = next(pk for pk, number in told.items() if number == 5)
    type(twin).objects.filter(pk=twin.pk).update(merged_into=person, canonical=person)
    Touchpoint.objects.create(patient=twin, at=NOW - timedelta(days=50), kind="webinar")
    told[person] = 6
    scope = make_scope()
    rows, _more = asked.people(asked.touches(scope, last_year(scope)), {}, 0, 99)
    assert {row["patient_id"]: row["touches"] for row in rows} == told
    lines, counted = touch_lines(scope, last_year(scope))
    assert [(line.name, line.people, line.median) for line in lines] == [("", 3, 2), (channel.name, 2, 2), ("", 1, 0)]
    assert Counter(dict(counted)) == Counter(told.values())


def make_scope():
    return live_scope(make.actor())


def links(answer):
    text = answer.content.decode()
    return {part.split('"')[0].replace("&amp;", "&") for part in text.split('href="')[1:] if "/ladder/" in part[:60]}


def test_every_link_of_the_ladder_opens_and_shows_its_people(as_role):
    client, _user = as_role()
    patient = on_step()
    on_step("lead_magnet", 3, speciality="ЭКО")
    answer = client.get(reverse("funnel:ladder"), {"speciality": "ЭКО"})
    opened = {url: client.get(url) for url in links(answer)}
    assert {one.status_code for one in opened.values()} == {200}
    behind = [url for url in opened if "people" in url or "stuck" in url]
    assert len(behind) >= 6
    named = [url for url in behind if patient.full_name in opened[url].content.decode()]
    assert {dict(parse_qsl(urlsplit(url).query)).get("of", "stuck") for url in named} == {
        "ways", "places", "money", "stuck",
    }  # fmt: skip


def test_a_marketer_sees_codes_and_no_names(as_role):
    client, _user = as_role("marketer")
    patient = on_step()
    text = client.get(people_url("places", "ЭКО", tier="tripwire")).content.decode()
    assert patient.external_id in text and patient.last_name not in text
    assert client.post(reverse("funnel:ladder_call")).status_code == 403


@pytest.mark.parametrize("query", ["of=places&speciality=none", "of=ways&tier=x", "of=", "of=touches&touches=x",
                                   "of=touches&channel=-1", "of=ways&later=x", "of=money"])  # fmt: skip
def test_an_address_that_we_never_made_is_not_found(as_role, query):
    client, _user = as_role()
    make.service(speciality="")
    assert client.get(f"{reverse('funnel:ladder_people')}?{query}").status_code == 404


def test_who_is_bound_to_a_branch_sees_the_people_of_that_branch(as_role):
    mine, other = make.branch(), make.branch()
    service = make.service(tier="tripwire", speciality="ЭКО")
    here, there = on_step(branch=mine, service=service), on_step(branch=other, service=service)
    client, _user = as_role("manager", branch=mine)
    text = client.get(people_url("places", "ЭКО", tier="tripwire")).content.decode()
    assert here.last_name in text and there.last_name not in text
    assert client.get(reverse("funnel:patient_ladder", args=[there.pk])).status_code == 404


@pytest.mark.parametrize("name", ["ladder", "people", "stuck", "touches", "services"])
def test_twenty_people_cost_as_many_queries_as_one(as_role, name):
    client, _user = as_role()
    service = make.service(tier="core", speciality="ЭКО")
    url = {
        "ladder": f"{reverse('funnel:ladder')}?speciality=ЭКО",
        "people": people_url("places", "ЭКО", tier="core"),
        "stuck": f"{reverse('funnel:ladder_stuck')}?speciality=ЭКО&tier=core",
        "touches": reverse("funnel:ladder_touches"),
        "services": reverse("funnel:ladder_services"),
    }[name]
    on_step(service=service)
    client.get(url)
    one = queries_of(client, url)
    for _n in range(19):
        on_step(service=service)
        make.service(tier="other", speciality="ЭКО")
    assert queries_of(client, url) == one


def test_a_person_gets_one_work_item_a_step_and_none_with_a_hold_or_a_booking(as_role):
    client, _user = as_role()
    service = make.service(tier="tripwire", speciality="ЭКО")
    plain, held, booked = (on_step(service=service) for _n in range(3))
    PromotionHold.objects.create(patient=held, reason="complaint", key="k", since=NOW - timedelta(days=1))
    asks = {"speciality": "ЭКО", "tier": "tripwire"}
    assert call_stuck(patient_ids=[booked.pk], tier="core", note="x", by=make.actor(), now=NOW) == 1
    make.visit(booked, start=NOW + timedelta(days=9), status="scheduled", booked_at=NOW - timedelta(days=1))
    assert call_stuck(patient_ids=[booked.pk], tier="tripwire", note="x", by=make.actor(), now=NOW) == 0
    for _again in range(2):
        assert client.post(reverse("funnel:ladder_call"), asks).status_code == 303
    items = WorkItem.objects.filter(dedupe_key__startswith="ladder:tripwire")
    assert [(item.patient_id, item.branch_id) for item in items] == [(plain.pk, plain.branch_id)]
    assert "ЭКО" in items[0].note
    assert AuditEntry.objects.filter(deed="call_stuck").count() == 4


def test_a_page_of_services_gets_its_step(as_role):
    client, _user = as_role()
    chosen, left = (make.service(tier="other") for _n in range(2))
    url = reverse("funnel:ladder_services") + "?only=gaps"
    assert client.post(url, {"services": [chosen.pk], "tier": "tripwire"}).url == url
    assert list(Service.objects.order_by("pk").values_list("tier", flat=True)) == ["tripwire", "other"]
    text = client.get(url).content.decode()
    assert left.name in text and chosen.name not in text
    assert client.post(url, {"tier": "core"}).status_code == 422
    assert client.post(url, {"services": [left.pk], "tier": "top"}).status_code == 422
    set_tiers(tiers={left.pk: "other"}, by=make.actor(), now=NOW)
    assert left.name not in client.get(url).content.decode()


def word(patient, service, kind="indicated", reason="тайная причина"):
    return indicate(
        patient=patient, service=service, kind=kind, doctor=make.doctor(), reason=reason, by=make.actor(), now=NOW
    )


def test_a_doctor_says_it_himself_and_only_with_a_reason(as_role):
    doctor = make.doctor()
    client, _user = as_role("doctor", doctor=doctor)
    patient, service = make.patient(), make.service(tier="core")
    url = reverse("funnel:ladder_word", args=[patient.pk])
    assert client.post(url, {"service": service.pk, "kind": "indicated", "reason": "  "}).status_code == 422
    assert not Indication.objects.exists()
    assert client.post(url, {"service": service.pk, "kind": "forbidden", "reason": "аллергия"}).status_code == 303
    said = Indication.objects.get()
    assert (said.doctor, said.kind, said.reason) == (doctor, "forbidden", "аллергия")


def test_a_manager_names_the_doctor(as_role):
    client, _user = as_role("manager")
    patient, service, doctor = make.patient(), make.service(tier="core"), make.doctor()
    url, said = reverse("funnel:ladder_word", args=[patient.pk]), {"service": service.pk, "kind": "indicated"}
    assert client.post(url, said | {"reason": "x"}).status_code == 422
    assert client.post(url, said | {"reason": "x", "doctor": doctor.pk}).status_code == 303
    assert Indication.objects.get().doctor == doctor


def test_the_desk_sees_what_to_offer_but_neither_the_reason_nor_what_is_forbidden(as_role):
    patient = on_step()
    offered, forbidden = make.service(name="Программа", price=1234500), make.service(name="Запретная")
    word(patient, offered)
    word(patient, forbidden, "forbidden")
    client, _user = as_role("administrator")
    url = reverse("funnel:patient_ladder", args=[patient.pk])
    text = client.get(url).content.decode()
    assert "Программа" in text and "12\xa0345" in text
    assert "тайная" not in text and "Запретная" not in text
    assert AuditEntry.objects.filter(deed="see_card", patient_id=patient.pk).exists()
    offer = reverse("funnel:ladder_offer", args=[patient.pk])
    assert client.post(offer, {"service": offered.pk, "outcome": "agreed"}).status_code == 303
    assert client.post(offer, {"service": forbidden.pk, "outcome": "agreed"}).status_code == 303
    assert client.post(offer, {"service": offered.pk, "outcome": "bought"}).status_code == 303
    assert list(Touchpoint.objects.filter(kind="offer").values_list("note", "outcome")) == [("Программа", "agreed")]
    doctor, _user = as_role("doctor")
    text = doctor.get(url).content.decode()
    assert "тайная причина" in text and "Запретная" in text


def test_a_card_with_twenty_indications_costs_as_many_queries_as_with_one(as_role):
    client, _user = as_role()
    patient = on_step()
    url = reverse("funnel:patient_ladder", args=[patient.pk])
    word(patient, make.service())
    client.get(url)
    one = queries_of(client, url)
    for _n in range(19):
        word(patient, make.service())
    assert queries_of(client, url) == one
