from __future__ import annotations

from datetime import date

import pytest

from patients import actions
from patients.models import Allocation, Payment
from staff.models import Source
from tests.patients.intake import mis, patients, payment, run, visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return mis()


def test_refunds_together_never_exceed_their_payment(source):
    patients(source, "P1")
    refund = {"kind": "refund", "refund_of": "Y1"}
    results = run(
        actions.record_payments,
        source,
        payment("R2", amount="600", paid_at="2026-02-05T10:00:00Z", **refund),
        payment("R1", amount="600", paid_at="2026-02-04T10:00:00Z", **refund),
        payment("Y1"),
        payment("R3", amount="1", kind="refund"),
        payment("R4", amount="1", refund_of="Y1"),
        payment("R5", amount="1", kind="refund", refund_of="R1"),
        payment("R6", amount="0"),
    )
    assert [r.status for r in results] == ["failed", "created", "created"] + ["failed"] * 4
    assert Payment.objects.get(external_id="R1").value_day == date(2026, 2, 3)
    assert run(actions.record_payments, source, payment("R7", amount="400.01", **refund))[0].status == "failed"
    assert run(actions.record_payments, source, payment("R7", amount="400.00", **refund))[0].status == "created"
    assert run(actions.record_payments, source, payment("Y1", amount="999.99"))[0].errors.keys() == {"amount"}
    moved = run(actions.record_payments, source, payment("Y1", paid_at="2026-02-01T10:00:00Z"))
    assert moved[0].status == "updated"
    assert set(Payment.objects.values_list("value_day", flat=True)) == {date(2026, 2, 1)}


def test_money_is_taken_exactly_or_not_at_all(source):
    patients(source, "P1")
    good = {"1500": 150000, "0.01": 1, 99.9: 9990, 7: 700}
    bad = ["1,5", "1e3", "NaN", "0.001", 0.1 + 0.2, float("nan"), float("inf"), True, [], "9" * 20, "-1"]
    results = run(
        actions.record_payments, source, *(payment(f"G{n}", amount=value) for n, value in enumerate([*good, *bad]))
    )
    assert [r.status for r in results] == ["created"] * len(good) + ["failed"] * len(bad)
    assert list(Payment.objects.order_by("id").values_list("amount", flat=True)) == list(good.values())


def test_allocations_are_the_full_list_of_a_payment(source):
    patients(source, "P1")
    run(actions.record_visits, source, visit("V1"), visit("V2"))
    row = payment("Y1", allocations=[{"appointment_id": "V1", "amount": "400"}])
    assert run(actions.record_payments, source, row)[0].status == "created"
    assert run(actions.record_payments, source, row)[0].status == "unchanged"
    row["allocations"] = [{"appointment_id": "V2", "amount": "300"}]
    assert run(actions.record_payments, source, row)[0].status == "updated"
    assert list(Allocation.objects.values_list("visit__external_id", "amount")) == [("V2", 30000)]
    apart = {"payment_id": "Y1", "appointment_id": "V1", "amount": "100"}
    assert [r.status for r in run(actions.record_allocations, source, apart)] == ["created"]
    assert [r.status for r in run(actions.record_allocations, source, apart)] == ["unchanged"]
    assert run(actions.record_allocations, source, apart | {"payment_id": "Y9"})[0].errors.keys() == {"payment_id"}
    row["allocations"] = [{"appointment_id": "V9", "amount": "300"}]
    assert run(actions.record_payments, source, row)[0].errors.keys() == {"allocations.0.appointment_id"}
