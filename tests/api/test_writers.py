"""Several writers send the same rows at once: every answer is a proper one and the rows are there once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, connections

from patients import actions
from patients.models import Patient, Payment, Visit
from staff.access import SYSTEM
from staff.models import Source
from tests.patients.intake import mis, visit

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.usefixtures("committed")
def test_writers_of_the_same_rows_do_not_hurt_each_other():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's writers queue")
    source = mis()
    money = {"kind": "payment", "paid_at": "2026-02-03T11:00:00Z", "amount": "10"}
    people = [{"external_id": f"P{n}", "phones": [f"+7912345{n:04}"]} for n in range(200)]
    visits = [
        visit(f"V{n}", patient_id=f"P{n}", payments=[{"external_id": f"Y{n}", **money}], items=[{"service_id": "S1"}])
        for n in range(200)
    ]
    found = _at_once(source, actions.record_patients, people)
    assert sorted(set(found)) in (["created", "unchanged"], ["created"]) and found.count("created") == 200
    found = _at_once(source, actions.record_visits, visits)
    assert found.count("created") == 200 and "failed" not in found
    assert (Patient.objects.count(), Visit.objects.count(), Payment.objects.count()) == (200, 200, 200)
    assert set(Visit.objects.values_list("amount", flat=True)) == {150000}


@pytest.mark.usefixtures("committed")
def test_refunds_sent_at_once_never_exceed_their_payment():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's writers queue")
    source = mis()
    actions.record_patients(source=source, rows=[{"external_id": "P1"}], by=SYSTEM, now=NOW)
    common = {"patient_id": "P1", "paid_at": "2026-02-03T11:00:00Z"}
    paid = {"external_id": "Y1", "kind": "payment", "amount": "100", **common}
    actions.record_payments(source=source, rows=[paid], by=SYSTEM, now=NOW)
    statuses: list[str] = []

    def refund(n: int) -> None:
        row = {"external_id": f"R{n}", "kind": "refund", "refund_of": "Y1", "amount": "60", **common}
        _record(source, actions.record_payments, [row], statuses)

    threads = [threading.Thread(target=refund, args=(n,)) for n in range(6)]
    _run(threads)
    assert sorted(statuses) == ["created"] + ["failed"] * 5
    assert Payment.objects.filter(kind="refund").count() == 1


def _at_once(source: Source, action, rows: list[dict]) -> list[str]:
    """Six writers, three of them in the other order."""
    statuses: list[str] = []
    _run(
        [
            threading.Thread(target=_record, args=(source, action, rows[:: 1 if n % 2 else -1], statuses))
            for n in range(6)
        ]
    )
    return statuses


def _record(source: Source, action, rows: list[dict], statuses: list[str]) -> None:
    try:
        statuses.extend(result.status for result in action(source=source, rows=rows, by=SYSTEM, now=NOW))
    finally:
        connections.close_all()


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
