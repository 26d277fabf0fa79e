"""What the intake tests share: a source with its master data, and rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from patients import actions
from staff import actions as ground
from staff.access import SYSTEM
from staff.models import Source

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def mis() -> Source:
    """A source with a doctor D1, a service S1 and a channel C1."""
    source = Source.objects.create(code="mis")
    ground.record_doctors(source=source, rows=[{"external_id": "D1", "name": "Врач"}], by=SYSTEM, now=NOW)
    service = {"external_id": "S1", "name": "Приём", "tier": "core", "price": "1500", "cost": "400.50"}
    actions.record_services(source=source, rows=[service], by=SYSTEM, now=NOW)
    channel = {"external_id": "C1", "name": "Реклама", "kind": "paid"}
    actions.record_channels(source=source, rows=[channel], by=SYSTEM, now=NOW)
    return source


def run(action: Any, source: Source, *rows: Any, by: Any = SYSTEM) -> list[Any]:
    return action(source=source, rows=list(rows), by=by, now=NOW)


def patients(source: Source, *codes: str) -> None:
    results = run(actions.record_patients, source, *({"external_id": c, "last_name": c} for c in codes))
    assert {r.status for r in results} <= {"created", "unchanged"}


def visit(code: str, **fields: Any) -> dict[str, Any]:
    return {
        "external_id": code,
        "patient_id": "P1",
        "doctor_id": "D1",
        "booked_at": "2026-02-01T10:00:00Z",
        "start_at": "2026-02-03T10:00:00Z",
        "end_at": "2026-02-03T10:30:00Z",
        "status": "completed",
    } | fields


def payment(code: str, **fields: Any) -> dict[str, Any]:
    return {
        "external_id": code,
        "patient_id": "P1",
        "kind": "payment",
        "paid_at": "2026-02-03T11:00:00Z",
        "amount": "1000.00",
    } | fields
