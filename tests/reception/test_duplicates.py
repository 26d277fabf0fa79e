"""The pages on which people decide about possible duplicates."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from patients.actions import find_duplicates
from patients.models import DuplicatePair, Merge, Patient
from tests import make

pytestmark = pytest.mark.django_db


def desk(**fields: object) -> Client:
    client = Client()
    client.force_login(make.user("administrator", **fields))
    return client


def two(**fields: object) -> list[Patient]:
    names = {"last_name": "Котова", "first_name": "Анна", "birth_date": date(1985, 3, 12), "search": "котова анна"}
    rows = [make.patient(**(names | fields), phone=f"+7912000000{n}", email=f"{n}@example.com") for n in (1, 2)]
    find_duplicates(now=make.NOW)
    return rows


def test_the_list_leads_to_a_comparison_that_merges_and_can_be_undone():
    client, (a, b) = desk(), two()
    assert f"/duplicates/{a.pk}/{b.pk}/" in client.get("/duplicates/").content.decode()
    page = client.get(f"/duplicates/{a.pk}/{b.pk}/").content.decode()
    assert "+7 912 000-00-02" in page.replace("\u00a0", " ")
    done = client.post(f"/duplicates/{a.pk}/{b.pk}/", {"survivor": b.pk, "email": a.pk})
    assert (done.status_code, done.url) == (303, f"/patients/{b.pk}/")
    b.refresh_from_db()
    assert b.email == "1@example.com"
    assert client.get(f"/duplicates/{a.pk}/{b.pk}/").status_code == 404
    merge = Merge.objects.get()
    assert client.post(f"/duplicates/merges/{merge.pk}/undo/").status_code == 303
    b.refresh_from_db()
    assert b.email == "2@example.com"
    assert client.post(f"/duplicates/merges/{merge.pk}/undo/").status_code == 303
    assert client.get("/duplicates/merges/").status_code == 200


def test_two_people_are_two_people_for_good():
    client, _rows = desk(), two()
    pair = DuplicatePair.objects.get()
    assert client.post(f"/duplicates/{pair.pk}/dismiss/").status_code == 303
    assert DuplicatePair.objects.get().status == "dismissed"
    assert client.post(f"/duplicates/{pair.pk}/dismiss/").status_code == 404


def test_another_branch_sees_nothing_of_it():
    here, there = make.branch(), make.branch()
    a, b = two(branch=there)
    client = desk(branch=here)
    assert client.get(f"/duplicates/{a.pk}/{b.pk}/").status_code == 404
    assert client.post(f"/duplicates/{a.pk}/{b.pk}/", {"survivor": a.pk}).status_code == 404
    assert client.post(f"/duplicates/{DuplicatePair.objects.get().pk}/dismiss/").status_code == 404
    assert "Котова" not in client.get("/duplicates/").content.decode()


def test_the_list_costs_the_same_for_one_and_fifty_pairs(django_assert_max_num_queries):
    client = desk()
    client.get("/duplicates/")
    for n in range(60):
        a, b = make.patient(), make.patient()
        DuplicatePair.objects.create(left=a, right=b, score=60 + n % 40, reasons=["phone", "birth_equal"])
    with django_assert_max_num_queries(12):
        first = client.get("/duplicates/")
    assert len(first.context["rows"]) == 50
    second = client.get(f"/duplicates/?after={first.context['after']}")
    assert len(second.context["rows"]) == 10
    assert not {r["pair"].pk for r in first.context["rows"]} & {r["pair"].pk for r in second.context["rows"]}
