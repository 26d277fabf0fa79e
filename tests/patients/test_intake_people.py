from __future__ import annotations

from datetime import date

import pytest

from patients import actions
from patients.models import Merge, Patient
from staff.models import Change, Source
from tests.patients.intake import NOW, mis, patients, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return mis()


def test_a_patient_row_becomes_a_record_with_phones_tags_and_search(source):
    row = {
        "external_id": "P1",
        "last_name": " Ёлкина ",
        "first_name": "Анна",
        "phones": ["8 (912) 345-67-89", "+7 912 345 67 89; 89123456780"],
        "email": " Anna@Example.ORG ",
        "card_number": "А-17",
        "tags": ["vip", "vip", "семья"],
        "channel_id": "C1",
        "birth_date": "1990-05-31",
    }
    assert [r.status for r in run(actions.record_patients, source, row)] == ["created"]
    patient = Patient.objects.get(external_id="P1")
    assert patient.search == "елкина анна 79123456789 79123456780 а-17"
    assert (patient.email, patient.email_raw) == ("anna@example.org", "Anna@Example.ORG")
    assert list(patient.phones.values_list("number", "raw", "position")) == [
        ("+79123456789", "8 (912) 345-67-89", 0),
        ("+79123456780", "89123456780", 1),
    ]
    assert set(patient.tags.values_list("name", flat=True)) == {"vip", "семья"}
    assert patient.created_at == NOW and patient.birth_date == date(1990, 5, 31) and patient.branch.is_default
    assert [r.status for r in run(actions.record_patients, source, row)] == ["unchanged"]


def test_an_absent_key_leaves_the_stored_value_and_null_empties_it(source):
    run(actions.record_patients, source, {"external_id": "P1", "last_name": "А", "phones": "89123456789", "note": "x"})
    assert run(actions.record_patients, source, {"external_id": "P1", "last_name": "Б"})[0].status == "updated"
    patient = Patient.objects.get()
    assert (patient.last_name, patient.note, patient.phones.count()) == ("Б", "x", 1)
    assert patient.search == "б 79123456789"
    run(actions.record_patients, source, {"external_id": "P1", "phones": None, "note": ""})
    patient.refresh_from_db()
    assert (patient.note, patient.phones.count(), patient.search) == ("", 0, "б")


def test_a_bad_row_fails_alone_and_says_why(source):
    results = run(
        actions.record_patients,
        source,
        {"external_id": "P1", "birth_date": "31.05.1990", "phones": ["12"], "sex": "x", "adress": "?", "email": "no"},
        {"external_id": "P2", "last_name": "Нормальный"},
        {"last_name": "Без номера"},
        ["not an object"],
        {"external_id": "P3", "referrer_id": "nobody", "branch_id": 5.5},
        {"external_id": "P4", "last_name": "x" * 121, "created_at": "1800-01-01T00:00:00Z"},
        {"external_id": "P5", "last_name": "На\x00На"},
    )
    assert [r.status for r in results] == ["failed", "created", "failed", "failed", "failed", "failed", "created"]
    assert set(results[0].errors) == {"birth_date", "sex", "adress", "email"}
    assert set(results[2].errors) == {"external_id"} and set(results[4].errors) == {"referrer_id", "branch_id"}
    assert set(results[5].errors) == {"last_name", "created_at"}
    assert Patient.objects.get(external_id="P5").last_name == "НаНа"
    assert run(actions.record_patients, source, {"external_id": "P6", "phones": "12"})[0].errors.keys() == {"phones"}


def test_references_inside_a_batch_work_in_any_order_and_fall_together(source):
    results = run(
        actions.record_patients,
        source,
        {"external_id": "P1", "referrer_id": "P2"},
        {"external_id": "P2"},
        {"external_id": "P3", "referrer_id": "P4"},
        {"external_id": "P4", "referrer_id": "P5"},
        {"external_id": "P5", "sex": "?"},
    )
    assert [r.status for r in results] == ["created", "created", "failed", "failed", "failed"]
    assert Patient.objects.get(external_id="P1").referrer.external_id == "P2"


def test_the_same_key_twice_in_a_batch_ends_with_the_newest(source):
    rows = [{"external_id": "P1", "last_name": name} for name in ("А", "Б", "Б")]
    assert [r.status for r in run(actions.record_patients, source, *rows)] == ["created", "updated", "unchanged"]
    assert Patient.objects.get().last_name == "Б"
    many = run(actions.record_patients, source, *({"external_id": "P1", "note": str(n)} for n in range(30)))
    assert [r.status for r in many].count("failed") == 10 and Patient.objects.get().note == "19"


def ends(source: Source) -> dict[str, str | None]:
    rows = Patient.objects.filter(source=source).values_list("external_id", "canonical__external_id")
    return dict(rows)


def test_chains_of_merges_of_any_length_end_at_one_record(source):
    rows = [{"external_id": f"P{n}", "merged_into": f"P{n + 1}" if n < 9 else None} for n in range(10)]
    assert {r.status for r in run(actions.record_patients, source, *rows)} == {"created"}
    assert ends(source) == {f"P{n}": "P9" if n < 9 else None for n in range(10)}
    run(actions.record_patients, source, {"external_id": "P9", "merged_into": "N"}, {"external_id": "N"})
    assert ends(source) == {f"P{n}": "N" for n in range(10)} | {"N": None}
    run(actions.record_patients, source, {"external_id": "P5", "merged_into": None})
    found = ends(source)
    assert found["P0"] == "P5" and found["P5"] is None and found["P6"] == "N"
    assert set(Change.objects.values_list("kind", flat=True)) == {"changed", "merged", "split"}


def test_merges_in_a_circle_are_refused_row_by_row(source):
    results = run(
        actions.record_patients,
        source,
        {"external_id": "A", "merged_into": "B"},
        {"external_id": "B", "merged_into": "A"},
        {"external_id": "C", "merged_into": "C"},
        {"external_id": "D"},
        {"external_id": "E", "merged_into": "A"},
    )
    assert [r.status for r in results] == ["failed", "failed", "failed", "created", "failed"]
    patients(source, "A", "B")
    assert run(actions.record_patients, source, {"external_id": "A", "merged_into": "B"})[0].status == "updated"
    closing = run(actions.record_patients, source, {"external_id": "B", "merged_into": "A"})[0]
    assert closing.errors.keys() == {"merged_into"}
    assert ends(source)["A"] == "B" and ends(source)["B"] is None


def test_a_merge_that_people_made_stands_whatever_the_source_says(source):
    patients(source, "A", "B", "C")
    a, b = (Patient.objects.get(external_id=code) for code in "AB")
    Merge.objects.create(survivor=b, loser=a, at=NOW)
    Patient.objects.filter(pk=a.pk).update(merged_into=b, canonical=b)
    assert run(actions.record_patients, source, {"external_id": "A", "merged_into": None})[0].status == "unchanged"
    assert run(actions.record_patients, source, {"external_id": "A", "merged_into": "C"})[0].status == "unchanged"
    assert run(actions.record_patients, source, {"external_id": "A", "last_name": "X"})[0].status == "updated"
    assert ends(source)["A"] == "B"
