"""A folder in the exchange format: loaded once, twice, in pieces or shuffled, the clinic is the same."""

import csv
import json
import shutil
from datetime import timedelta

import pytest

from analytics.metrics import compute
from mis.models import WaitingRow
from patients.models import Visit
from staff.models import Branch, Clinic
from tests.clinics import random_clinic, shuffled, split, write_folder
from tests.mis.folders import CLINIC90, NOW, changed_folder, facts, load

pytestmark = pytest.mark.django_db


def test_clinic90_comes_in_whole_and_a_second_load_changes_nothing():
    report, rejected = load(CLINIC90)
    assert not rejected
    rows = {file.name: file.rows for file in report.files}
    said = json.loads((CLINIC90 / "clinic.json").read_text())["files"]
    assert rows == {name: said[name]["rows"] for name in rows}
    assert all(file.created == file.rows for file in report.files)
    assert sorted(report.skipped) == ["campaign_members", "campaigns", "surveys"]
    before = facts()
    again, _rejected = load(CLINIC90)
    assert all(file.unchanged == file.rows for file in again.files)
    assert facts() == before


FIGURES = (
    *("average_check", "visit_frequency", "ltv_historical", "no_show", "cac", "revenue_by_service"),
    *("response_sla", "funnel_cohort", "funnel_snapshot", "losses", "response_bands", "cost_per"),
)


def test_figures_of_clinic90_are_those_that_were_expected(tmp_path):
    folder = changed_folder(tmp_path, appointments=lambda rows: rows[::-1], payments=lambda rows: rows[::-1])
    load(folder, batch=50)
    asked = json.loads((CLINIC90 / "expected.json").read_text())["requests"]
    asked = [one for one in asked if one["metric"] in FIGURES]
    assert len(asked) > 5
    for one in asked:
        assert compute(one["metric"], one["params"], NOW) == one["result"], one["metric"]


def test_the_clinic_is_set_up_once_and_differences_are_told_later():
    load(CLINIC90)
    clinic = Clinic.objects.get()
    assert (clinic.tz, clinic.currency, clinic.theta_days, clinic.went_live_at) == (
        "Asia/Yekaterinburg",
        "RUB",
        365,
        NOW,
    )
    assert Branch.objects.get().tz == "Asia/Yekaterinburg"
    Clinic.objects.update(theta_days=200)
    report, _rejected = load(CLINIC90, now=NOW + timedelta(days=1))
    assert Clinic.objects.get().theta_days == 200
    assert any("theta_days" in note and "365" in note for note in report.notes)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("batch", [7, 5000])
def test_shuffled_or_in_pieces_it_is_the_same_clinic(tmp_path, seed, batch):
    clinic = random_clinic(seed, patients=40)
    write_folder(clinic, tmp_path / "whole")
    _report, rejected = load(tmp_path / "whole", source_code="whole", batch=batch)
    assert not rejected
    whole = facts("whole")
    write_folder(shuffled(clinic, seed), tmp_path / "shuffled")
    for part, piece in enumerate(split(shuffled(clinic, seed), 3)):
        write_folder(piece, tmp_path / f"piece{part}")
        _report, rejected = load(tmp_path / f"piece{part}", batch=batch)
        assert not rejected
    assert facts() == whole
    report, _rejected = load(tmp_path / "shuffled", batch=batch)
    assert all(file.unchanged == file.rows for file in report.files)


def test_rows_in_the_wrong_order_wait_and_take_effect_with_a_later_load(tmp_path):
    clinic = random_clinic(3, patients=25)
    load_whole = tmp_path / "whole"
    write_folder(clinic, load_whole)
    empty = {table: [] for table in clinic if table != "clinic"} | {"clinic": clinic["clinic"]}
    children = empty | {name: clinic[name] for name in ("appointments", "items", "payments", "allocations")}
    parents = empty | {name: clinic[name] for name in ("patients", "channels", "doctors", "services", "leads")}
    write_folder(children, tmp_path / "children")
    write_folder(parents, tmp_path / "parents")
    first, rejected = load(tmp_path / "children")
    assert first.failed == sum(len(children[name]) for name in ("appointments", "items", "payments", "allocations"))
    assert {one.file for one in rejected} >= {"appointments.csv", "items.csv", "payments.csv"}
    assert not Visit.objects.exists()
    second, rejected = load(tmp_path / "parents")
    assert not rejected
    assert not WaitingRow.objects.exists()
    assert Visit.objects.count() == len(clinic["appointments"])
    assert sum(file.waited for file in second.files) == first.failed
    third, rejected = load(load_whole)
    assert not rejected
    assert all(file.unchanged == file.rows for file in third.files if file.name not in ("spend", "shifts"))


def test_json_files_say_the_same(tmp_path):
    folder = tmp_path / "json"
    folder.mkdir()
    for path in CLINIC90.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{k: v or None for k, v in row.items()} for row in csv.DictReader(file)]
        (folder / f"{path.stem}.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    shutil.copy(CLINIC90 / "clinic.json", folder)
    load(CLINIC90)
    before = facts()
    report, rejected = load(folder)
    assert not rejected
    assert all(file.unchanged == file.rows for file in report.files)
    assert facts() == before
