"""Whatever way a write comes, the sweep of the next minute makes the facts of all whom it concerns anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from followup.actions import sweep
from loyalty.actions import refresh_values, renew_values
from loyalty.models import PatientValue, StaleValue
from patients import actions
from patients.models import Allocation, Merge, Patient, Payment, Visit, VisitItem
from staff.models import Source
from tests import make
from tests.followup.test_follow_up import move_on
from tests.loyalty.test_turn import facts, scale, whole
from tests.mis.files import PATIENTS, VISITS, applied, csv_text, undone
from tests.patients.intake import NOW, mis, patients, payment, run, visit

pytestmark = pytest.mark.django_db
Way = Callable[[Source], Any]


def swept() -> None:
    """The facts are those that a rebuild would give, after the minute and again after the night."""
    move_on()
    sweep(now=NOW)
    assert not StaleValue.objects.exists()
    expected = whole(NOW)[0]
    assert {pk: mine | ranks(expected[pk]) for pk, mine in facts().items()} == expected  # ranks are of the last night
    renew_values(now=NOW)
    assert (facts(), scale()) == whole(NOW)


def ranks(value: dict) -> dict:
    return {name: value[name] for name in ("rfm", "segment")}


def value(code: str) -> PatientValue:
    return PatientValue.objects.get(patient__external_id=code)


@pytest.fixture
def source() -> Source:
    """P1 came twice; P2 paid for one of these visits, and by a certificate for the other; P3 has nothing."""
    made = mis()
    patients(made, "P1", "P2", "P3")
    item = {"external_id": "I1", "service_id": "S1", "amount": "500", "cost": "100"}
    run(actions.record_visits, made, visit("V1", items=[item]), visit("V2", start_at="2026-02-10T10:00:00Z",
        end_at="2026-02-10T10:30:00Z"), visit("V3", patient_id="P3"))  # fmt: skip
    run(
        actions.record_payments,
        made,
        payment("Y1", patient_id="P2", appointment_id="V1"),
        payment("Y2", patient_id="P2", allocations=[{"appointment_id": "V2", "amount": "400"}]),
    )
    refund = payment("R1", patient_id="P2", kind="refund", refund_of="Y1", amount="100", paid_at="2026-02-04T10:00:00Z")
    run(actions.record_payments, made, refund)
    refresh_values(patients=None, now=NOW)
    swept()
    assert (value("P1").paid_visits, value("P1").paid_sum, value("P1").cost) == (2, 130000, 10000)
    return made


def merged(survivor: str, loser: str) -> Merge:
    found = {code: Patient.objects.get(external_id=code) for code in (survivor, loser)}
    return actions.merge_patients(survivor=found[survivor], loser=found[loser], chosen={}, by=make.actor(), now=NOW)


def marked_as_test(source: Source) -> None:
    run(actions.record_patients, source, {"external_id": "P2", "is_test": True})
    assert Patient.objects.get(external_id="P2").is_test


def merged_into_a_test_person(source: Source) -> None:
    marked_as_test(source)
    swept()
    assert value("P1").paid_visits == 0
    merged("P2", "P3")
    swept()
    assert not PatientValue.objects.filter(patient__external_id__in=("P2", "P3")).exists()
    actions.undo_merge(merge=Merge.objects.get(), by=make.actor(), now=NOW)
    swept()
    assert value("P3").visits == 1


def merged_and_split(source: Source) -> None:
    merged("P2", "P1")
    swept()
    assert value("P2").visits == 2
    actions.undo_merge(merge=Merge.objects.get(), by=make.actor(), now=NOW)
    swept()
    assert value("P2").visits == 0 and value("P1").visits == 2


def visit_of_another(source: Source) -> None:
    run(actions.record_visits, source, visit("V1", patient_id="P3"))
    swept()
    assert (value("P1").visits, value("P3").visits) == (1, 2)


def payment_of_another(source: Source) -> None:
    run(actions.record_payments, source, payment("Y1", patient_id="P3", appointment_id="V1"))
    swept()
    assert value("P2").revenue < value("P3").revenue


def payment_for_another_visit(source: Source) -> None:
    run(actions.record_payments, source, payment("Y1", patient_id="P2", appointment_id="V3"))
    swept()
    assert (value("P1").paid_visits, value("P3").paid_visits) == (1, 1)


def payment_of_another_amount_and_day(source: Source) -> None:
    changed = payment("Y1", patient_id="P2", appointment_id="V1", amount="1500", paid_at="2026-02-01T10:00:00Z")
    run(actions.record_payments, source, changed)
    swept()
    assert value("P1").paid_sum == 180000


def certificate_for_another(source: Source) -> None:
    run(actions.record_payments, source,
        payment("Y2", patient_id="P2", allocations=[{"appointment_id": "V3", "amount": "300"}]))  # fmt: skip
    swept()
    assert (value("P1").paid_visits, value("P3").paid_sum) == (1, 30000)


def certificate_by_itself(source: Source) -> None:
    row = {"payment_id": "Y2", "appointment_id": "V3", "amount": "200"}
    run(actions.record_allocations, source, row)
    swept()
    assert value("P3").paid_sum == 20000


def refund_later(source: Source) -> None:
    refund = payment("R2", patient_id="P2", kind="refund", refund_of="Y1", amount="900", paid_at="2026-02-06T10:00:00Z")
    run(actions.record_payments, source, refund)
    swept()
    assert value("P1").paid_visits == 1


def item_of_another_visit(source: Source) -> None:
    run(actions.record_items, source, {"external_id": VisitItem.objects.get().external_id, "appointment_id": "V3"})
    swept()
    assert (value("P1").cost, value("P3").cost) == (0, 10000)


def list_without_the_item(source: Source) -> None:
    run(actions.record_visits, source, visit("V1", items=[]))
    swept()
    assert value("P1").cost == 0


def visit_that_was_none(source: Source) -> None:
    run(actions.record_visits, source, visit("V1", status="no_show"))
    swept()
    assert value("P1").visits == 1


def file_taken_back(source: Source) -> None:
    applied(csv_text(PATIENTS).encode())
    job = applied(csv_text(VISITS).encode())
    swept()
    before = PatientValue.objects.filter(visits__gt=0).count()
    undone(job)
    swept()
    assert PatientValue.objects.filter(visits__gt=0).count() < before


def rows_deleted_by_hand(source: Source) -> None:
    """No action does it, and the facts still follow."""
    Allocation.objects.all().delete()
    Payment.objects.filter(kind="refund").delete()
    Payment.objects.all().delete()
    swept()
    assert value("P1").paid_visits == 0 and value("P2").revenue == 0
    VisitItem.objects.all().delete()
    Visit.objects.filter(external_id="V1").delete()
    swept()
    assert value("P1").visits == 1


WAYS: list[Way] = [
    marked_as_test, merged_into_a_test_person, merged_and_split, visit_of_another, payment_of_another,
    payment_for_another_visit, payment_of_another_amount_and_day, certificate_for_another, certificate_by_itself,
    refund_later, item_of_another_visit, list_without_the_item, visit_that_was_none, file_taken_back,
    rows_deleted_by_hand,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_sweep_makes_anew_whomever_a_write_concerns(source, way):
    way(source)
    swept()


def test_a_day_of_writes_and_the_night_after_it_give_what_a_rebuild_gives(source):
    refund_later(source)
    visit_of_another(source)
    merged("P3", "P1")
    swept()
    later = NOW + timedelta(days=300)
    renew_values(now=later)
    assert (facts(), scale()) == whole(later)
