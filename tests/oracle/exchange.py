"""The exchange format as rows of text: columns, writing a folder, another order of rows, several batches."""

import csv
import json
from datetime import datetime
from pathlib import Path
from random import Random

Row = dict[str, str]
COLUMNS = {
    "patients": "patient_id created_at channel_id birth_date sex referrer_id merged_into natural_churn_reason"
    " natural_churn_date is_test",
    "channels": "channel_id name kind",
    "spend": "spend_id channel_id campaign_id date amount purpose",
    "leads": "lead_id created_at channel_id kind is_spam duplicate_of patient_id first_response_at lost_at loss_stage"
    " loss_reason",
    "appointments": "appointment_id patient_id doctor_id lead_id booked_at start_at end_at status cancelled_at"
    " diagnosis recommended_return_date",
    "services": "service_id name tier",
    "items": "item_id appointment_id service_id amount cost",
    "payments": "payment_id patient_id appointment_id kind paid_at amount refund_of",
    "allocations": "payment_id appointment_id amount",
    "doctors": "doctor_id name specialty",
    "shifts": "shift_id doctor_id start_at end_at",
    "surveys": "survey_id patient_id appointment_id sent_at answered_at nps csat",
    "campaigns": "campaign_id name",
    "campaign_members": "campaign_id patient_id arm assigned_at sent_at",
}


def text(value: object) -> str:
    """A cell: None is empty, flags are 0/1, instants are UTC with Z."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


def rubles(kopecks: int) -> str:
    return f"{kopecks // 100}.{kopecks % 100:02d}"


class Tables:
    """Rows being collected: self.rows is {table: [{column: text}]} with every column of section 2."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {table: [] for table in COLUMNS}

    def add(self, table: str, **values: object) -> str:
        """Append a row (absent columns empty) and return its own id, the first column's value."""
        names = COLUMNS[table].split()
        if values.get(names[0]) is None:
            values = {names[0]: f"{table[:2].upper()}{len(self.rows[table]):05d}"} | values
        extra = {"branch_id": values["branch_id"]} if "branch_id" in values else {}
        self.rows[table].append({name: text(values.get(name)) for name in names} | extra)
        return str(values[names[0]])


REFERENCES = {
    "patient_id": "patients", "merged_into": "patients", "referrer_id": "patients", "channel_id": "channels",
    "campaign_id": "campaigns", "lead_id": "leads", "duplicate_of": "leads", "doctor_id": "doctors",
    "appointment_id": "appointments", "service_id": "services", "payment_id": "payments", "refund_of": "payments",
}  # fmt: skip
KEYED = tuple(table for table in COLUMNS if table not in ("allocations", "campaign_members"))


def write_folder(clinic: dict, path: Path | str) -> None:
    """Write clinic.json and one CSV a table (allocations.csv only if there are any)."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clinic.json").write_text(json.dumps(clinic["clinic"], indent=1), encoding="utf-8")
    for table, columns in COLUMNS.items():
        if clinic[table] or table != "allocations":
            names = list(clinic[table][0]) if clinic[table] else columns.split()
            with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, names)
                writer.writeheader()
                writer.writerows(clinic[table])


def shuffled(clinic: dict, seed: int) -> dict:
    """The same rows in another order."""
    rng = Random(seed)
    return {table: rng.sample(rows, len(rows)) if table in COLUMNS else rows for table, rows in clinic.items()}


def split(clinic: dict, n: int, seed: int = 0) -> list[dict]:
    """n batches to import one after another: no row comes before a row that it refers to."""
    rng = Random(seed)
    batch = {(table, i): rng.randrange(n) for table in COLUMNS for i in range(len(clinic[table]))}
    owner = {(table, row[next(iter(row))]): (table, i) for table in KEYED for i, row in enumerate(clinic[table])}
    before: dict = {}
    while batch != before:
        before = dict(batch)
        for (table, i), number in before.items():
            named = [owner.get((REFERENCES.get(column), value)) for column, value in clinic[table][i].items()]
            batch[table, i] = max([number, *(before[target] for target in named if target)])
    return [
        {t: [row for i, row in enumerate(clinic[t]) if batch[t, i] == b] for t in COLUMNS}
        | {"clinic": clinic["clinic"]}
        for b in range(n)
    ]
