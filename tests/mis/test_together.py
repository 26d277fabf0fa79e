"""Visits and items of a folder that go in together are what they are when they come one file after the other."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mis.actions.folder.together import Items
from patients import actions as patients
from patients.models import Visit, VisitItem
from staff.models import AuditEntry, Change, Source
from tests import make
from tests.clinics import random_clinic, shuffled, write_folder
from tests.mis.folders import NOW, facts, load

pytestmark = pytest.mark.django_db


def entries(*rows: dict) -> list:
    return list(enumerate(rows, 2))


def visits(*codes: str) -> list:
    return entries(*({"external_id": code} for code in codes))


def lines(*codes: str) -> list:
    return entries(*({"appointment_id": code} for code in codes))


def codes_of(found: list) -> list[str]:
    return [row["appointment_id"] for _number, row in found]


def test_items_are_taken_as_the_visits_come_by_and_the_others_wait():
    items = Items(iter(lines("A", "A", "C", "lost", "D", "E")), most=100)
    assert codes_of(items.of(visits("A", "B"))) == ["A", "A"]
    assert codes_of(items.of(visits("C"))) == ["C"]
    assert codes_of(items.of(visits("D"))) == ["D"], "one item without a visit does not stop those behind it"
    assert codes_of(items.rest()) == ["lost", "E"]


def test_what_is_read_ahead_has_a_limit_and_nothing_is_lost():
    items = Items(iter(lines(*"ZYXWAB")), most=2)
    assert items.of(visits("A")) == []
    assert items.of([(2, {"external_id": "B", "items": [{"service_id": "S1"}]})]) == []
    assert codes_of(items.rest()) == list("ZYXWAB")


@pytest.mark.parametrize("batch", [3, 5000])
def test_aligned_files_bring_the_same_clinic_as_files_in_any_order(tmp_path, batch):
    clinic = random_clinic(11, patients=25)
    place = {row["appointment_id"]: at for at, row in enumerate(clinic["appointments"])}
    aligned = clinic | {"items": sorted(clinic["items"], key=lambda row: place[row["appointment_id"]])}
    write_folder(aligned, tmp_path / "aligned")
    write_folder(shuffled(clinic, 5), tmp_path / "mixed")
    report, rejected = load(tmp_path / "aligned", batch=batch)
    assert not rejected
    counted = {file.name: (file.rows, file.created) for file in report.files}
    assert counted["items"] == (len(clinic["items"]),) * 2
    assert counted["appointments"] == (len(clinic["appointments"]),) * 2
    load(tmp_path / "mixed", source_code="mixed", batch=batch)
    assert facts() == facts("mixed")
    again, _rejected = load(tmp_path / "aligned", batch=batch)
    assert all(file.unchanged == file.rows for file in again.files)


@pytest.fixture
def ground():
    source = Source.objects.create(code="mis", name="MIS")
    make.service(external_id="S1", source=source)
    return {"source": source, "by": make.actor(), "now": NOW}


def visit(code: str, **fields) -> dict:
    who = {"patient": make.patient().pk, "doctor": make.doctor().pk}
    at = {"booked_at": "2026-02-01T10:00:00Z", "start_at": "2026-02-02T10:00:00Z", "end_at": "2026-02-02T11:00:00Z"}
    return {"external_id": code, "status": "completed", **who, **at, **fields}


def item(code: str, of: str, amount: str = "100.00", **fields) -> dict:
    return {"external_id": code, "appointment_id": of, "service_id": "S1", "amount": amount, "cost": "10.00", **fields}


def together(ground, rows, items):
    return patients.record_visits_and_items(rows=rows, items=items, **ground)


def test_a_bad_item_and_a_bad_visit_fail_alone(ground):
    rows = [visit("V1"), visit("V2", status="gone")]
    items = [item("I1", "V1"), item("I2", "V1", amount="x"), item("I3", "V2"), item("I4", "V1", amount="50.00")]
    told, theirs = together(ground, rows, items)
    assert [one.status for one in told] == ["created", "failed"]
    assert [one.status for one in theirs] == ["created", "failed", "failed", "created"]
    assert (theirs[1].errors.keys(), theirs[2].errors.keys()) == ({"amount"}, {"appointment_id"})
    stored = Visit.objects.get()
    assert (stored.amount, stored.cost, stored.items.count()) == (15000, 2000, 2)
    assert Change.objects.filter(resource="visits").count() == 1
    assert AuditEntry.objects.filter(deed="record_visits").count() == 1


def test_a_new_visit_is_written_once_and_a_stored_one_gets_its_sums(ground):
    together(ground, [visit("V1")], [item("I1", "V1")])
    first = visit("V1") | {name: getattr(Visit.objects.get(), f"{name}_id") for name in ("patient", "doctor")}
    with CaptureQueriesContext(connection) as queries:
        told, theirs = together(ground, [first, visit("V2")], [item("I2", "V1", "30.00"), item("I3", "V2")])
    assert [one.status for one in told] == ["unchanged", "created"]
    assert {one.status for one in theirs} == {"created"}
    assert dict(Visit.objects.values_list("external_id", "amount")) == {"V1": 13000, "V2": 10000}
    sums = [query["sql"] for query in queries if "UPDATE patients_visit AS v" in query["sql"]]
    assert len(sums) == 1, "only the stored visit is summed by SQL"
    assert set(Change.objects.filter(resource="visits").values_list("external_id", flat=True)) == {"V1", "V2"}
    assert VisitItem.objects.count() == 3
