"""A household is known by its external id from the first patient that names it (R32)."""

from __future__ import annotations

import csv

import pytest

from patients.models import Household, Patient
from patients.queries.card import patient_card
from tests import make
from tests.mis.folders import load

pytestmark = pytest.mark.django_db


def family(code: str) -> list[str]:
    """External ids of those whom the card of `code` shows as his family."""
    patient = Patient.objects.get(external_id=code)
    return sorted(member.external_id for member in patient_card(patient=patient, by=make.actor(), now=make.NOW).family)


def test_a_family_comes_in_bulk_and_its_card_shows_adults_and_children(api):
    mother = {"external_id": "P1", "last_name": "Иванова", "household_id": "F1"}
    father = {"external_id": "P2", "last_name": "Иванов", "household_id": "F1"}
    child = {"external_id": "P3", "last_name": "Иванов", "household_id": "F1", "responsible_adult_id": "P1"}
    answer = api.bulk("patients", child, mother, father).json()
    assert answer["created"] == 3
    household = Household.objects.get()
    assert (household.source.code, household.external_id, household.name) == ("mis", "F1", "Иванов")
    assert family("P1") == ["P2", "P3"] and family("P3") == ["P1", "P2"]
    assert api.bulk("patients", child, mother, father).json()["unchanged"] == 3
    shown = api.get(f"patients/{answer['results'][0]['id']}/").json()
    assert (shown["household"], shown["household_id"]) == (household.pk, "F1")
    assert len(api.get(f"patients/?household={household.pk}").json()["results"]) == 3


def test_one_joins_by_external_id_and_moves_out_by_null(api):
    assert api.put("patients/by-external/mis/P1/", {"household_id": "F1"}).status_code == 201
    joined = api.put("patients/by-external/mis/P2/", {"household_id": "F1"}).json()
    assert family("P1") == ["P2"]
    left = api.patch(f"patients/{joined['id']}/", {"household_id": None})
    assert left.status_code == 200 and left.json()["household"] is None
    assert family("P1") == []
    back = api.patch(f"patients/{joined['id']}/", {"household": joined["household"]})
    assert back.status_code == 200 and family("P1") == ["P2"]
    kept = api.patch(f"patients/{joined['id']}/", {"note": "x"})
    assert kept.json()["household_id"] == "F1", "a key that is absent leaves the household alone"


def test_each_source_has_its_own_households_and_a_bad_row_makes_none(api):
    api.bulk("patients", {"external_id": "P1", "household_id": "F1"}, source="mis")
    api.bulk("patients", {"external_id": "P1", "household_id": "F1"}, source="lab")
    assert Household.objects.filter(external_id="F1").count() == 2
    bad = {"external_id": "P2", "household_id": "F2", "birth_date": "soon"}
    assert api.bulk("patients", bad, {"external_id": "P3"}).json()["failed"] == 1
    assert not Household.objects.filter(external_id="F2").exists()
    unknown = api.bulk("patients", {"external_id": "P4", "household": 10**6}).json()
    assert list(unknown["results"][0]["errors"]) == ["household"]


def test_a_key_of_a_branch_cannot_name_another_branchs_household_by_our_id(keys):
    here, there = make.branch(), make.branch()
    household = Household.objects.create(name="x")
    make.patient(branch=there, household=household)
    bound = keys(branch=here)
    answer = bound.bulk("patients", {"external_id": "P1", "household": household.pk}).json()
    assert answer["failed"] == 1
    make.patient(branch=here, household=household)
    assert bound.bulk("patients", {"external_id": "P1", "household": household.pk}).json()["created"] == 1


def test_a_folder_brings_families(tmp_path):
    with (tmp_path / "patients.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["patient_id", "created_at", "household_id", "responsible_adult_id"])
        writer.writerows([["P1", "2024-01-01T00:00:00Z", "F1", "P2"], ["P2", "2024-01-01T00:00:00Z", "F1", ""]])
        writer.writerow(["P3", "2024-01-01T00:00:00Z", "", ""])
    report, rejected = load(tmp_path)
    assert not rejected and report.files[0].created == 3
    assert family("P1") == ["P2"] and family("P3") == []
    again, _rejected = load(tmp_path)
    assert again.files[0].unchanged == 3
