"""Logging a visit: one transaction, once, and nobody leaves without a next booking or the reason why none."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from patients.models import Payment, Visit, VisitItem, WorkItem
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def coming(doctor, noon):
    patient = make.patient(branch=make.default_branch(), phone="+79123456789")
    start = min(noon, datetime.now(UTC) - timedelta(minutes=30))
    return make.visit(patient, doctor=doctor, start=start, status="scheduled", booked_at=start - timedelta(days=1))


def typed(visit, service, doctor, **more):
    """What the browser sends: one service, paid by card, and the next visit tomorrow at ten."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    start = tomorrow.replace(hour=7, minute=0, second=0, microsecond=0)
    return {
        "key": str(uuid.uuid4()),
        "items-TOTAL_FORMS": "2",
        "items-INITIAL_FORMS": "0",
        "items-0-service": service.name,
        "items-0-quantity": "2",
        "items-0-amount": "",
        "items-1-service": "",
        "items-1-quantity": "1",
        "method": "card",
        "paid": "",
        "app_offered": "on",
        "next-doctor": doctor.pk,
        "next-minutes": "30",
        "next-slot": f"{doctor.pk}::{start.isoformat()}",
        "next-goal": "снять швы",
        "next-no_next_reason": "",
    } | more


def test_a_visit_is_logged_with_money_and_the_next_booking(sign_in, coming, doctor):
    client, service = sign_in(), make.service(name="Приём терапевта", price=150050, cost=40000)
    response = client.post(f"/visits/{coming.pk}/log/", typed(coming, service, doctor))
    assert response.status_code == 303, response.content.decode()
    coming.refresh_from_db()
    assert (coming.status, coming.amount, coming.cost) == ("completed", 300100, 80000)
    assert (coming.app_offered, coming.cabinet_explained) == (True, False)
    assert coming.next_visit.goal == "снять швы"
    assert [p.amount for p in Payment.objects.filter(visit=coming)] == [300100]
    assert coming.followed_up_at is not None
    assert coming.patient.value.revenue == 300100


def test_double_click_reload_and_back_make_nothing_twice(sign_in, coming, doctor):
    client, service = sign_in(), make.service(name="Приём")
    data = typed(coming, service, doctor)
    assert [client.post(f"/visits/{coming.pk}/log/", data).status_code for _ in range(3)] == [303, 303, 303]
    assert (VisitItem.objects.count(), Payment.objects.count(), Visit.objects.count()) == (1, 1, 2)
    other = client.post(f"/visits/{coming.pk}/log/", data | {"key": str(uuid.uuid4())})
    assert other.status_code == 422
    assert (Payment.objects.count(), Visit.objects.count()) == (1, 2)


def test_nobody_leaves_without_a_next_booking_or_the_reason(sign_in, coming, doctor):
    client, service = sign_in(), make.service(name="Приём")
    data = typed(coming, service, doctor, **{"next-slot": ""})
    response = client.post(f"/visits/{coming.pk}/log/", data)
    assert response.status_code == 422
    page = response.content.decode()
    assert "Приём" in page and "id_next-no_next_reason" in page and data["key"] in page
    assert Payment.objects.count() == 0
    goalless = client.post(f"/visits/{coming.pk}/log/", typed(coming, service, doctor, **{"next-goal": " "}))
    assert goalless.status_code == 422
    reason = {"next-slot": "", "next-no_next_reason": "no_slot"}
    assert client.post(f"/visits/{coming.pk}/log/", typed(coming, service, doctor, **reason)).status_code == 303
    coming.refresh_from_db()
    assert coming.no_next_reason == "no_slot"
    assert WorkItem.objects.get(kind="no_next").visit == coming


def test_a_taken_next_time_keeps_what_was_typed_and_books_nothing(sign_in, coming, doctor):
    client, service = sign_in(), make.service(name="Приём")
    data = typed(coming, service, doctor)
    start = datetime.fromisoformat(data["next-slot"].split(":", 2)[2])
    make.visit(make.patient(), doctor=doctor, start=start, status="scheduled")
    response = client.post(f"/visits/{coming.pk}/log/", data)
    assert response.status_code == 422 and "снять швы" in response.content.decode()
    coming.refresh_from_db()
    assert (coming.status, Payment.objects.count()) == ("scheduled", 0)


def test_a_walk_in_is_booked_and_logged_at_once(sign_in, doctor, noon):
    client, service = sign_in(), make.service(name="Приём", price=100000)
    patient = make.patient(branch=make.default_branch())
    local = (datetime.now(UTC) + timedelta(hours=3)).replace(microsecond=0)
    own = {"own-doctor": doctor.pk, "own-minutes": "30", "own-day": local.date(), "own-time": f"{local:%H:%M}"}
    data = typed(None, service, doctor, **own, paid="400,50", method2="cash", paid2="100")
    assert client.post(f"/patients/{patient.pk}/visit/", data).status_code == 303
    visit = Visit.objects.get(patient=patient, status="completed")
    assert sorted(visit.payments.values_list("method", "amount")) == [("card", 40050), ("cash", 10000)]
    assert client.post(f"/patients/{patient.pk}/visit/", data).status_code == 303
    again = client.post(f"/patients/{patient.pk}/visit/", data | {"key": str(uuid.uuid4())})
    assert again.status_code == 422 and "own-overlap" in again.content.decode()
    assert Visit.objects.filter(patient=patient, status="completed").count() == 1


@pytest.mark.parametrize(("field", "value"), [("paid", "-5"), ("paid", "abc"), ("items-0-quantity", "0"), ("key", "x")])
def test_bad_input_is_answered_with_the_form(sign_in, coming, doctor, field, value):
    client, service = sign_in(), make.service(name="Приём")
    response = client.post(f"/visits/{coming.pk}/log/", typed(coming, service, doctor, **{field: value}))
    assert response.status_code == 422
    assert Payment.objects.count() == 0


def test_services_of_one_name_are_told_apart_by_their_code(sign_in, coming, doctor):
    client = sign_in()
    make.service(name="Повторный приём", external_id="T-2", speciality="терапия", price=100000)
    wanted = make.service(name="Повторный приём", external_id="D-2", speciality="дерматология", price=200000)
    make.service(name="Гигиена (полная)", external_id="G-1", price=50000)
    offered = client.get("/services/?items-0-service=приём").content.decode()
    assert 'value="Повторный приём (D-2)"' in offered
    assert "дерматология, 2" in offered
    assert 'value="Гигиена (полная)"' in client.get("/services/?items-0-service=Гиг").content.decode()
    lines = {"items-0-service": "Повторный приём (D-2)", "items-1-service": "Гигиена (полная)"}
    answer = client.post(f"/visits/{coming.pk}/log/", typed(coming, wanted, doctor, **lines))
    assert answer.status_code == 303
    assert set(VisitItem.objects.filter(visit=coming).values_list("service__external_id", flat=True)) == {"D-2", "G-1"}
    ambiguous = typed(coming, wanted, doctor)
    assert client.post(f"/visits/{coming.pk}/log/", ambiguous).status_code == 422
