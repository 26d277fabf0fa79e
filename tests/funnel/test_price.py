"""The public price list: shown when the clinic says so, without costs and steps, found by part of a name."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from funnel.actions.ladder import set_prices_shown
from funnel.models import BookingRules
from funnel.queries.price import price_list, wanted
from tests import make

pytestmark = pytest.mark.django_db
URL = "/prices/"


@pytest.fixture(autouse=True)
def fresh():
    cache.clear()


@pytest.fixture
def shown():
    set_prices_shown(shown=True, by=make.actor(), now=make.NOW)


def test_there_is_no_page_until_the_clinic_shows_it(client):
    make.service()
    assert client.get(URL).status_code == 404
    owner = make.user("owner")
    client.force_login(owner)
    assert client.post(reverse("funnel:prices_publish"), {"shown": "1"}).status_code == 303
    client.logout()
    assert client.get(URL).status_code == 200
    set_prices_shown(shown=False, by=make.actor(), now=make.NOW)
    assert client.get(URL).status_code == 404


def test_the_list_holds_neither_cost_nor_step(client, shown):
    make.service(name="Приём", price=150000, cost=7654300, tier="tripwire")
    make.service(name="Снятая", is_active=False)
    (row,) = price_list()
    assert set(row) == {"id", "name", "speciality", "price", "minutes"}
    text = client.get(URL).content.decode()
    assert "Приём" in text and "1\xa0500" in text
    assert "76\xa0543" not in text and "tripwire" not in text and "трипвайер" not in text and "Снятая" not in text


def test_a_service_is_found_by_part_of_its_name_in_any_case(client, shown):
    make.service(name="УЗИ малого таза", speciality="Гинекология")
    make.service(name="Рентген")
    assert [row["name"] for row in wanted(price_list(), " узи ")] == ["УЗИ малого таза"]
    assert [row["name"] for row in wanted(price_list(), "ГИНЕК")] == ["УЗИ малого таза"]
    text = client.get(URL, {"q": "рент"}).content.decode()
    assert "Рентген" in text and "УЗИ" not in text
    assert client.get(URL, {"q": "нет такого"}).status_code == 200


def test_a_service_leads_to_its_booking_only_while_booking_is_open(client, shown):
    branch, service = make.default_branch(), make.service(speciality="")
    link = f'/b/{branch.external_id}/?service={service.pk}"'
    assert link in client.get(URL).content.decode()
    make.branch()
    text = client.get(URL).content.decode()
    assert link not in text and 'href="/b/"' in text
    BookingRules.objects.update_or_create(pk=1, defaults={"is_open": False})
    assert 'href="/b/' not in client.get(URL).content.decode()


def test_twenty_services_cost_as_many_queries_as_one(client, shown):
    counts = []
    for number in (1, 19):
        for _n in range(number):
            make.service()
        cache.clear()
        with CaptureQueriesContext(connection) as caught:
            assert client.get(URL).status_code == 200
        counts.append(len(caught))
    assert counts[0] == counts[1]
