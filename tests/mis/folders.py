"""Folders for the tests: load one, what came of it, clinic90 with rows changed."""

import csv
import shutil
from datetime import UTC, datetime
from pathlib import Path

from funnel.models import Lead, LeadBooking, Spend
from mis import actions
from patients.models import Allocation, Channel, Patient, Payment, Service, Visit, VisitItem
from staff.models import Doctor, Shift
from tests import make

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLINIC90 = Path(__file__).parents[1] / "data" / "clinic90"


def load(folder: Path, **options):
    """(report, rejected rows)."""
    rejected = []
    options = {"source_code": "mis", "by": make.actor(), "now": NOW, "batch": 200} | options
    return actions.import_folder(folder=folder, rejected=rejected.append, **options), rejected


COLUMNS = {
    Patient: "external_id created_at channel__external_id birth_date sex referrer__external_id merged_into__external_id"
    " canonical__external_id natural_churn_reason natural_churn_date is_test",
    Visit: "external_id patient__external_id doctor__external_id booked_at start_at end_at day status cancelled_at"
    " diagnosis recommended_return_date amount cost",
    VisitItem: "external_id visit__external_id service__tier amount cost",
    Payment: "external_id patient__external_id visit__external_id kind paid_at day value_day amount"
    " refund_of__external_id",
    Allocation: "payment__external_id visit__external_id amount",
    Lead: "external_id created_at channel__external_id kind is_spam duplicate_of__external_id patient__external_id"
    " first_response_at lost_at loss_stage loss_reason",
    LeadBooking: "lead__external_id visit__external_id",
    Spend: "external_id channel__external_id date amount purpose campaign_code",
    Shift: "external_id doctor__external_id start_at end_at",
    Channel: "external_id name kind",
    Doctor: "external_id name speciality",
    Service: "external_id name tier",
}


WHOSE = {Allocation: "payment__", LeadBooking: "visit__"}


def facts(source: str = "mis") -> dict[str, list]:
    """Everything that figures are made of, by external ids."""
    found = {}
    for model, columns in COLUMNS.items():
        mine = {f"{WHOSE.get(model, '')}source__code": source}
        found[model.__name__] = sorted(model.objects.filter(**mine).values_list(*columns.split()), key=str)
    return found


def changed_folder(tmp_path: Path, **tables) -> Path:
    """clinic90 with rows changed: {file: function of its rows}."""
    folder = tmp_path / "folder"
    shutil.copytree(CLINIC90, folder)
    for name, change in tables.items():
        path = folder / f"{name}.csv"
        path.chmod(0o644)
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        rows = change(rows) or rows
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder
