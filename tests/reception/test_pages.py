"""Every page of the desk: who may open it, whose patients it shows, and how many questions it asks the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.actions import refresh_values
from patients.models import Touchpoint, WorkItem
from tests import make

pytestmark = pytest.mark.django_db

PAGES = ("/today/", "/find/?q=Иванов", "/patients/", "/patients/?order=value", "/patients/new/", "/work/")
OF_PATIENT = ("", "timeline/", "edit/", "consents/", "book/", "visit/", "work/")
OF_VISIT = ("log/", "move/", "cancel/")


def crowd(number: int, doctor, noon) -> list:
    """`number` patients with a phone, an appointment today, a payment, a call and a work item each."""
    people = []
    for n in range(number):
        patient = make.patient(branch=make.default_branch(), phone=f"+7912345{1000 + n}", birth_date=noon.date())
        patient.search = f"{patient.last_name.lower()} иван 7912345{1000 + n}"
        patient.save()
        visit = make.visit(patient, doctor=doctor, start=noon, status="scheduled", may_overlap=True, tz="Europe/Moscow")
        tomorrow = noon + timedelta(days=1)
        make.visit(patient, doctor=doctor, start=tomorrow, status="scheduled", may_overlap=True)
        done = make.visit(patient, doctor=doctor, start=noon - timedelta(days=1), may_overlap=True)
        make.payment(patient, 100000, visit=done, at=noon - timedelta(days=1))
        Touchpoint.objects.create(patient=patient, at=noon, kind="call", outcome="reached")
        WorkItem.objects.create(
            kind="call_back", patient=patient, visit=visit, branch=patient.branch, due_at=noon, created_at=noon
        )
        people.append((patient, visit))
    refresh_values(patients=None, now=datetime.now(UTC))
    return people


def queries_of(client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        response = client.get(url)
    assert response.status_code in (200, 302), (url, response.status_code)
    return len(seen)


def test_every_page_opens_for_the_desk(sign_in, doctor, noon):
    client = sign_in()
    [(patient, visit)] = crowd(1, doctor, noon)
    urls = [*PAGES, *(f"/patients/{patient.pk}/{end}" for end in OF_PATIENT)]
    urls += [f"/visits/{visit.pk}/{end}" for end in OF_VISIT]
    urls += [f"/work/{WorkItem.objects.get().pk}/close/", f"/slots/?doctor={doctor.pk}&minutes=30", "/services/?q=у"]
    for url in urls:
        response = client.get(url, follow=True)
        assert response.status_code == 200, url


@pytest.mark.parametrize("url", [page for page in PAGES if page != "/find/?q=Иванов"])
def test_a_list_asks_as_much_for_fifty_as_for_one(sign_in, doctor, noon, url):
    client = sign_in("owner")
    crowd(1, doctor, noon)
    client.get(url)
    few = queries_of(client, url)
    crowd(50, doctor, noon)
    many = queries_of(client, url)
    assert many == few and many < 30, (url, few, many)


def test_the_search_asks_as_much_for_fifty_as_for_one(sign_in, doctor, noon):
    client = sign_in()
    crowd(1, doctor, noon)
    client.get("/find/?q=иван", headers={"HX-Request": "true"})
    with CaptureQueriesContext(connection) as seen:
        client.get("/find/?q=иван", headers={"HX-Request": "true"})
    few = len(seen)
    crowd(50, doctor, noon)
    with CaptureQueriesContext(connection) as seen:
        client.get("/find/?q=иван", headers={"HX-Request": "true"})
    # PostgreSQL asks once less: what begins so fills the list, and nothing else is looked for.
    assert len(seen) == few - (connection.vendor == "postgresql") and few < 30


def test_the_card_asks_as_much_for_fifty_moments_as_for_one(sign_in, doctor, noon):
    client = sign_in("owner")
    [(patient, visit)] = crowd(1, doctor, noon)
    for n in (60, 70, 80):  # enough to have a doctor of his own
        make.visit(patient, doctor=doctor, start=noon - timedelta(days=n), may_overlap=True)
    client.get("/today/")
    few = queries_of(client, f"/patients/{patient.pk}/")
    for n in range(50):
        make.visit(patient, doctor=doctor, start=noon - timedelta(days=2 + n), may_overlap=True)
        Touchpoint.objects.create(patient=patient, at=noon - timedelta(days=2 + n), kind="call")
    many = queries_of(client, f"/patients/{patient.pk}/")
    assert many == few and many < 30
    for url in (f"/visits/{visit.pk}/log/", f"/patients/{patient.pk}/visit/", f"/patients/{patient.pk}/book/"):
        assert queries_of(client, url) < 30


def test_another_branch_answers_404_and_is_not_found(sign_in, doctor, noon):
    client = sign_in(branch=make.branch())
    [(patient, visit)] = crowd(1, doctor, noon)
    item = WorkItem.objects.get()
    urls = [f"/patients/{patient.pk}/{end}" for end in OF_PATIENT]
    urls += [f"/visits/{visit.pk}/{end}" for end in OF_VISIT] + [f"/work/{item.pk}/close/"]
    for url in urls:
        assert client.get(url).status_code == 404, url
        assert client.post(url).status_code in (404, 405), url
    for url in (f"/visits/{visit.pk}/confirm/", f"/work/{item.pk}/claim/"):
        assert client.post(url).status_code == 404
    for page in ("/today/", "/patients/", "/work/"):
        assert patient.last_name not in client.get(page).content.decode()
    hits = client.get(f"/find/?q={patient.last_name}", headers={"HX-Request": "true"}).content.decode()
    assert f"/patients/{patient.pk}/" not in hits


@pytest.mark.parametrize("role", ["owner", "manager", "marketer", "administrator", "curator", "doctor", "integration"])
def test_each_role_opens_what_the_table_says(sign_in, doctor, noon, role):
    from staff.access import DEEDS

    client = sign_in(role)
    [(patient, visit)] = crowd(1, doctor, noon)
    doors = {
        "/today/": "see_today",
        "/patients/": "find_patients",
        "/patients/new/": "edit_patients",
        f"/patients/{patient.pk}/": "see_card",
        f"/patients/{patient.pk}/book/": "book_visits",
        f"/patients/{patient.pk}/visit/": "log_visits",
        f"/visits/{visit.pk}/log/": "log_visits",
        "/work/": "work_items",
    }
    for url, deed in doors.items():
        assert client.get(url).status_code == (200 if role in DEEDS[deed] else 403), (role, url)


def test_a_stranger_is_sent_to_the_sign_in_page(client, doctor, noon):
    assert client.get("/today/").status_code == 302
