"""A clinic in the exchange format (metrics.md section 2) as frozen records; nothing is computed here."""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Patient:
    patient_id: str
    created_at: datetime
    channel_id: str | None
    birth_date: date | None
    sex: str | None
    referrer_id: str | None
    merged_into: str | None
    natural_churn_reason: str | None
    natural_churn_date: date | None
    is_test: bool


@dataclass(frozen=True)
class Channel:
    channel_id: str
    name: str
    kind: str


@dataclass(frozen=True)
class Spend:
    spend_id: str
    channel_id: str | None
    campaign_id: str | None
    date: date
    amount: int
    purpose: str


@dataclass(frozen=True)
class Lead:
    lead_id: str
    created_at: datetime
    channel_id: str | None
    kind: str
    is_spam: bool
    duplicate_of: str | None
    patient_id: str | None
    first_response_at: datetime | None
    lost_at: datetime | None
    loss_stage: str | None
    loss_reason: str | None


@dataclass(frozen=True)
class Appointment:
    appointment_id: str
    patient_id: str
    doctor_id: str
    lead_id: str | None
    booked_at: datetime
    start_at: datetime
    end_at: datetime
    status: str
    cancelled_at: datetime | None
    diagnosis: str | None
    recommended_return_date: date | None
    branch_id: str | None  # optional column, not in section 2: only for the filter by branch


@dataclass(frozen=True)
class Service:
    service_id: str
    name: str
    tier: str


@dataclass(frozen=True)
class Item:
    item_id: str
    appointment_id: str
    service_id: str
    amount: int
    cost: int


@dataclass(frozen=True)
class Payment:
    payment_id: str
    patient_id: str
    appointment_id: str | None
    kind: str
    paid_at: datetime
    amount: int
    refund_of: str | None


@dataclass(frozen=True)
class Allocation:
    payment_id: str
    appointment_id: str
    amount: int


@dataclass(frozen=True)
class Doctor:
    doctor_id: str
    name: str
    specialty: str


@dataclass(frozen=True)
class Shift:
    shift_id: str
    doctor_id: str
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True)
class Survey:
    survey_id: str
    patient_id: str
    appointment_id: str
    sent_at: datetime
    answered_at: datetime | None
    nps: int | None
    csat: int | None


@dataclass(frozen=True)
class Campaign:
    campaign_id: str
    name: str


@dataclass(frozen=True)
class Member:
    campaign_id: str
    patient_id: str
    arm: str
    assigned_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class Clinic:
    """Everything that is stored. Money is kopecks, instants are aware UTC. `branch_zones`: branch_id -> IANA zone."""

    tz: str
    theta_days: int
    history_from: date | None
    branch_zones: dict[str, str]
    patients: tuple[Patient, ...]
    channels: tuple[Channel, ...]
    spend: tuple[Spend, ...]
    leads: tuple[Lead, ...]
    appointments: tuple[Appointment, ...]
    services: tuple[Service, ...]
    items: tuple[Item, ...]
    payments: tuple[Payment, ...]
    allocations: tuple[Allocation, ...]
    doctors: tuple[Doctor, ...]
    shifts: tuple[Shift, ...]
    surveys: tuple[Survey, ...]
    campaigns: tuple[Campaign, ...]
    campaign_members: tuple[Member, ...]
    allocated_only: tuple[Payment, ...] = ()  # after a filter: payments that count only through their allocations


TABLES: dict[str, type] = {
    "patients": Patient, "channels": Channel, "spend": Spend, "leads": Lead, "appointments": Appointment,
    "services": Service, "items": Item, "payments": Payment, "allocations": Allocation, "doctors": Doctor,
    "shifts": Shift, "surveys": Survey, "campaigns": Campaign, "campaign_members": Member,
}  # fmt: skip
DATES = {"birth_date", "natural_churn_date", "date", "recommended_return_date"}
MONEY = {"amount", "cost"}
FLAGS = {"is_test", "is_spam"}
MARKS = {"nps", "csat"}


def parsed(column: str, text: str) -> Any:
    """One CSV cell by the name of its column; an empty cell is None (a flag: False)."""
    if column in FLAGS:
        return text in ("1", "true", "True")
    if not text:
        return None
    if column.endswith("_at"):
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if column in DATES:
        return date.fromisoformat(text)
    if column in MONEY:
        return int(Decimal(text) * 100)
    return int(text) if column in MARKS else text


def records(kind: type, rows: Iterable[dict[str, str]]) -> tuple:
    """Rows of strings as records of `kind`; absent columns are null, unknown columns are ignored."""
    names = [field.name for field in fields(kind)]
    return tuple(kind(**{name: parsed(name, row.get(name) or "") for name in names}) for row in rows)


def from_rows(data: dict[str, Any]) -> Clinic:
    """{table: [{column: text}], "clinic": {...clinic.json}} -> Clinic. Absent tables are empty."""
    settings = data["clinic"]
    start = settings.get("history_from")
    return Clinic(
        tz=settings["tz"],
        theta_days=int(settings.get("theta_days") or 365),
        history_from=date.fromisoformat(start) if start else None,
        branch_zones=settings.get("branch_zones") or {},
        **{table: records(kind, data.get(table, [])) for table, kind in TABLES.items()},
    )


def read_folder(path: Path | str) -> dict[str, Any]:
    """An exchange folder (CSV files and clinic.json) as rows of strings; absent files are empty tables."""
    folder = Path(path)
    data: dict[str, Any] = {"clinic": json.loads((folder / "clinic.json").read_text(encoding="utf-8"))}
    for table in TABLES:
        file = folder / f"{table}.csv"
        data[table] = []
        if file.exists():
            with file.open(encoding="utf-8", newline="") as lines:
                data[table] = list(csv.DictReader(lines))
    return data


def load(source: Path | str | dict[str, Any]) -> Clinic:
    """A folder's path, or its rows already read, as a Clinic."""
    return from_rows(source if isinstance(source, dict) else read_folder(source))
