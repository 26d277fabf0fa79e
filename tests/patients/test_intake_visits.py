from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils.translation import gettext

from patients import actions
from patients.models import Payment, Visit, VisitItem
from staff import actions as ground
from staff.access import SYSTEM
from staff.models import Clinic, Source
from tests.patients.intake import NOW, mis, patients, payment, run, visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return mis()


def test_a_visit_brings_its_items_and_payments(source):
    Clinic.objects.update(tz="Asia/Almaty")
    patients(source, "P1")
    row = visit(
        "V1",
        start_at="2026-02-03T20:00:00Z",
        end_at="2026-02-03T20:30:00Z",
        items=[
            {"external_id": "I1", "service_id": "S1", "quantity": 2, "amount": "2500.50", "cost": "100"},
            {"service_id": "S1"},
        ],
        payments=[{"external_id": "Y1", "kind": "payment", "paid_at": "2026-02-03T20:40:00Z", "amount": "2500.5"}],
    )
    (result,) = run(actions.record_visits, source, row)
    assert (result.status, result.errors) == ("created", {})
    stored = Visit.objects.get()
    assert (stored.amount, stored.cost, stored.day) == (400050, 50050, date(2026, 2, 4))
    assert stored.may_overlap and stored.branch.is_default and stored.recorded_at == NOW
    money = Payment.objects.get()
    assert (money.visit, money.patient, money.day) == (stored, stored.patient, date(2026, 2, 4))
    assert [r.status for r in run(actions.record_visits, source, row)] == ["unchanged"]
    row["items"] = row["items"][:1]
    row["payments"] = []
    assert [r.status for r in run(actions.record_visits, source, row)] == ["updated"]
    stored.refresh_from_db()
    assert (stored.amount, VisitItem.objects.count(), Payment.objects.count()) == (250050, 1, 1)


def test_a_fault_in_an_item_rejects_the_visit_whole_and_names_the_place(source):
    patients(source, "P1")
    results = run(
        actions.record_visits,
        source,
        visit("V1", items=[{"external_id": "I1", "service_id": "S1"}, {"external_id": "I2", "service_id": "S9"}]),
        visit("V2", payments=[payment("Y1"), {"kind": "payment", "amount": "-5", "paid_at": "x"}, 7]),
        visit("V3", items=[{"external_id": "I3", "service_id": "S1"}], payments=[{"external_id": "Y3"}]),
        visit("V4"),
    )
    assert [r.status for r in results] == ["failed", "failed", "failed", "created"]
    assert results[0].errors == {"items.1.service_id": [gettext("%(id)s is not known") % {"id": "S9"}]}
    assert set(results[1].errors) == {
        "payments.1.external_id",
        "payments.1.amount",
        "payments.1.paid_at",
        "payments.2.row",
    }
    assert (Visit.objects.count(), VisitItem.objects.count(), Payment.objects.count()) == (1, 0, 0)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"end_at": "2026-02-03T09:59:59Z"}, "end_at"),
        ({"cancelled_at": "2026-02-02T00:00:00Z"}, "cancelled_at"),
        ({"status": "cancelled_patient", "cancelled_at": "2026-01-31T00:00:00Z"}, "cancelled_at"),
        ({"status": "done"}, "status"),
        ({"doctor_id": "D9"}, "doctor_id"),
        ({"patient_id": None}, "patient_id"),
        ({"start_at": "2026-02-03"}, "start_at"),
        ({"start_at": "2026-02-03T10:00:00+99:00"}, "start_at"),
        ({"booked_at": 17}, "booked_at"),
        ({"items": {"a": 1}}, "items"),
        ({"recommended_return_date": "2150-01-01"}, "recommended_return_date"),
    ],
)
def test_what_the_contract_forbids_is_refused_by_field(source, fields, name):
    patients(source, "P1")
    (result,) = run(actions.record_visits, source, visit("V1", **fields))
    assert result.status == "failed" and set(result.errors) == {name}
    assert not Visit.objects.exists()


def test_part_of_a_visit_is_checked_together_with_what_is_stored(source):
    patients(source, "P1")
    run(actions.record_visits, source, visit("V1"))
    (late,) = run(actions.record_visits, source, {"external_id": "V1", "start_at": "2026-02-03T11:00:00Z"})
    assert late.errors.keys() == {"end_at"}
    (cancelled,) = run(
        actions.record_visits,
        source,
        {"external_id": "V1", "status": "cancelled_clinic", "cancelled_at": "2026-02-02T00:00:00Z"},
    )
    assert cancelled.status == "updated"
    (back,) = run(actions.record_visits, source, {"external_id": "V1", "status": "completed"})
    assert back.errors.keys() == {"cancelled_at"}


def test_a_time_without_offset_is_the_branch_s_local_time(source):
    ground.record_branches(
        source=source, rows=[{"external_id": "B1", "name": "Восток", "tz": "Asia/Vladivostok"}], by=SYSTEM, now=NOW
    )
    patients(source, "P1")
    row = visit("V1", branch_id="B1", start_at="2026-02-03T10:00:00", end_at="2026-02-03T10:30:00+10:00")
    assert run(actions.record_visits, source, row)[0].status == "created"
    stored = Visit.objects.get()
    assert stored.start_at == datetime(2026, 2, 3, 0, 0, tzinfo=UTC) and stored.end_at - stored.start_at == timedelta(
        minutes=30
    )


def test_an_item_that_moves_to_another_visit_takes_its_money_along(source):
    patients(source, "P1")
    item = {"external_id": "I1", "service_id": "S1", "amount": "10", "cost": "1"}
    run(actions.record_visits, source, visit("V1", items=[item]), visit("V2", items=[]))
    run(actions.record_items, source, {**item, "appointment_id": "V2"})
    assert dict(Visit.objects.values_list("external_id", "amount")) == {"V1": 0, "V2": 1000}
