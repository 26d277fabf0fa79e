"""The 60-patient clinic goes in whole, and the second time nothing changes."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from funnel.actions import record_spend
from funnel.actions.intake import record_leads, record_visits
from patients import actions
from patients.models import Patient, Payment, Visit, VisitItem
from staff import actions as ground
from staff.access import SYSTEM
from staff.models import AuditEntry, Change, Clinic, Source

FOLDER = Path(__file__).resolve().parents[1] / "data" / "clinic90"
NOW = datetime(2025, 7, 1, tzinfo=UTC)
KEYS = {
    "channels": ("channel_id", actions.record_channels),
    "services": ("service_id", actions.record_services),
    "doctors": ("doctor_id", ground.record_doctors),
    "shifts": ("shift_id", ground.record_shifts),
    "patients": ("patient_id", actions.record_patients),
    "leads": ("lead_id", record_leads),
    "appointments": ("appointment_id", record_visits),
    "items": ("item_id", actions.record_items),
    "payments": ("payment_id", actions.record_payments),
    "spend": ("spend_id", record_spend),
}


def rows_of(name: str) -> list[dict]:
    own, _action = KEYS[name]
    with (FOLDER / f"{name}.csv").open(encoding="utf-8") as file:
        return [{"external_id": row.pop(own), **row} for row in csv.DictReader(file)]


def load(source: Source) -> dict[str, Counter]:
    counts = {}
    for name, (_own, action) in KEYS.items():
        results = action(source=source, rows=rows_of(name), by=SYSTEM, now=NOW)
        counts[name] = Counter(result.status for result in results)
        assert not [r for r in results if r.errors][:3], name
    return counts


@pytest.mark.django_db
def test_a_whole_clinic_goes_in_and_the_second_time_nothing_changes():
    Clinic.objects.update(tz="Asia/Yekaterinburg")
    source = Source.objects.create(code="mis")
    first = load(source)
    assert first == {name: Counter(created=len(rows_of(name))) for name in KEYS}
    lines, entries = Change.objects.count(), AuditEntry.objects.count()
    sums = Visit.objects.order_by("id").values_list("amount", "cost", "day")
    before = list(sums)
    assert load(source) == {name: Counter(unchanged=len(rows_of(name))) for name in KEYS}
    assert (Change.objects.count(), AuditEntry.objects.count()) == (lines, entries)
    assert list(sums) == before
    assert sum(row[0] for row in before) == sum(VisitItem.objects.values_list("amount", flat=True))
    assert Patient.objects.filter(merged_into__isnull=False).exists()
    assert not Payment.objects.filter(kind="refund").exclude(value_day__lte=NOW).exists()
