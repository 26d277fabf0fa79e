"""From a row of a file to rows of the row interface: one line of a visits file is a patient, a doctor, a service, a
visit, an item and a payment. Pure: what is known already comes in as `Known`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from core.names import folded
from mis.rules.cells import READERS
from mis.rules.fields import COLUMNS, NEEDED
from mis.rules.identity import Occurrences, full_name, made_id, patient_id

# Parents first: the order in which the parts of a batch are recorded.
ORDER = ("channels", "doctors", "services", "patients", "visits", "items", "payments", "spend")
MAIN = {
    "patients": ("patients",),
    "visits": ("visits", "items", "payments"),
    "payments": ("payments",),
    "services": ("services",),
    "spend": ("spend",),
}
FORMS = {kind: {column.name: column.form for column in columns} for kind, columns in COLUMNS.items()}
MINUTES = 30  # of a visit whose length the file does not tell
REFERRAL, ORGANIC = ("реком", "сарафан", "referral", "друз"), ("сайт", "вывеск", "самост", "organic", "карты", "поиск")
SEVERAL = -1  # in Known.patients: more than one person answers the description

Errors = dict[str, list[str]]
Cells = dict[str, Any]


class BadRow(ValueError):
    """The row cannot be understood. `field` is the field of the file that is to blame."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = name, reason


@dataclass(frozen=True)
class Part:
    """One row for `record_<resource>`. `names`: field of the row interface -> field of the file, for its errors."""

    resource: str
    row: dict[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Known:
    """What there is already, by folded name (our own ids); `patients`: row number -> id, or SEVERAL."""

    doctors: dict[str, int] = field(default_factory=dict)
    services: dict[str, int] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    branches: dict[str, int] = field(default_factory=dict)
    patients: dict[int, int] = field(default_factory=dict)
    visits: set[str] = field(default_factory=set)  # external ids of this source


@dataclass(frozen=True)
class Way:
    """How the rows of one file become parts. `now`: when the file came (UTC), `local_now` by the clinic's clock."""

    kind: str
    now: datetime
    local_now: datetime
    branch_id: int | None
    has_paid: bool  # the file says what was paid; otherwise the amount of a completed visit counts as paid


def read_cells(kind: str, mapping: Sequence[str], cells: Sequence[Any]) -> tuple[Cells, Errors]:
    """Values by field, empty ones left out, and reasons by field for cells that cannot be read."""
    values: Cells = {}
    errors: Errors = {}
    for name, cell in zip(mapping, cells, strict=False):
        if not name or cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        try:
            value = READERS[FORMS[kind][name]](cell)
        except (ValueError, OverflowError) as error:
            errors[name] = [str(error)]
            continue
        if value not in (None, ""):
            values[name] = value
    return values, errors


def parts_of(way: Way, number: int, cells: Cells, known: Known, seen: Occurrences) -> list[Part]:
    """The parts of row `number`. Raises BadRow."""
    for group in NEEDED[way.kind]:
        if not any(cells.get(name) not in (None, "") for name in group):
            raise BadRow(group[0], _("is required"))
    return PARTS[way.kind](way, number, cells, known, seen)


# --- people -----------------------------------------------------------------------------------------------------------
def _patient_row(cells: Cells) -> dict[str, Any]:
    last, first, middle = full_name(cells)
    row = {"external_id": patient_id(cells), "last_name": last, "first_name": first, "middle_name": middle}
    if not (cells.get("full_name") or cells.get("last_name")):
        row = {"external_id": row["external_id"]}
    for name in ("birth_date", "phones", "sex", "email", "card_number", "tags", "note"):
        if name in cells:
            row[name] = cells[name]
    return row


def _patients(way: Way, _number: int, cells: Cells, known: Known, _seen: Occurrences) -> list[Part]:
    row: dict[str, Any] = _patient_row(cells) | _branch(way, cells, known)
    parts: list[Part] = []
    if "created_at" in cells:
        row["created_at"] = cells["created_at"].isoformat()
    if "channel" in cells:
        reference, parts = _channel(cells["channel"], known)
        row |= reference
    return [*parts, Part("patients", row, {"channel_id": "channel", "last_name": "full_name"})]


def _who(way: Way, number: int, cells: Cells, known: Known, since: datetime) -> tuple[dict[str, Any], list[Part]]:
    """Reference to the patient of a visit or payment; a new person comes along as a part."""
    found = known.patients.get(number)
    if found == SEVERAL:
        raise BadRow("full_name", _("several patients answer to this: give the card number or the patient's id"))
    if found is not None:
        return {"patient": found}, []
    row = _patient_row(cells)
    if "last_name" not in row:
        raise BadRow("patient_id" if "patient_id" in cells else "card_number", _("no such patient"))
    if not any(name in cells for name in ("patient_id", "card_number", "birth_date", "phones")):
        raise BadRow("full_name", _("a name is not enough to know who it is: add card number, birth date or phone"))
    row |= _branch(way, cells, known) | {"created_at": since.isoformat()}
    return {"patient_id": row["external_id"]}, [Part("patients", row, {"last_name": "full_name"})]


def _branch(way: Way, cells: Cells, known: Known) -> dict[str, Any]:
    if "branch" in cells:
        found = known.branches.get(folded(cells["branch"]))
        if found is None:
            raise BadRow("branch", _("there is no such branch"))
        return {"branch": found}
    return {"branch": way.branch_id} if way.branch_id else {}


# --- things that have names -------------------------------------------------------------------------------------------
def _channel(name: str, known: Known) -> tuple[dict[str, Any], list[Part]]:
    found = known.channels.get(folded(name))
    if found:
        return {"channel": found}, []
    words = folded(name)
    kind = "referral" if any(word in words for word in REFERRAL) else "paid"
    kind = "organic" if kind == "paid" and any(word in words for word in ORGANIC) else kind
    row = {"external_id": made_id("channel", name), "name": name, "kind": kind}
    return {"channel_id": row["external_id"]}, [Part("channels", row, {"name": "channel"})]


def _doctor(cells: Cells, known: Known) -> tuple[dict[str, Any], list[Part]]:
    name, code = cells.get("doctor", ""), cells.get("doctor_id", "")
    found = known.doctors.get(folded(name)) if name and not code else None
    if found:
        return {"doctor": found}, []
    if not name:
        return {"doctor_id": code}, []
    row = {"external_id": code or made_id("doctor", name), "name": name}
    if "speciality" in cells:
        row["speciality"] = cells["speciality"]
    return {"doctor_id": row["external_id"]}, [Part("doctors", row, {"name": "doctor"})]


def _service(cells: Cells, known: Known) -> tuple[dict[str, Any], list[Part]]:
    name, code = cells.get("service", ""), cells.get("service_id", "")
    found = known.services.get(folded(name)) if name and not code else None
    if found:
        return {"service": found}, []
    if not name:
        return {"service_id": code}, []
    row = {"external_id": code or made_id("service", name, ""), "name": name}
    return {"service_id": row["external_id"]}, [Part("services", row, {"name": "service"})]


# --- visits -----------------------------------------------------------------------------------------------------------
def _visits(way: Way, number: int, cells: Cells, known: Known, seen: Occurrences) -> list[Part]:
    start = cells["start_at"]
    if "time" in cells and start.time() == time.min:
        start = datetime.combine(start.date(), cells["time"])
    patient, people = _who(way, number, cells, known, min(start, way.local_now))
    doctor, doctors = _doctor(cells, known)
    key = cells.get("visit_id") or made_id(
        "visit", patient_id(cells), start, cells.get("doctor_id", cells.get("doctor"))
    )
    status = cells.get("status") or ("completed" if start <= way.local_now else "scheduled")
    row = {"external_id": key, "start_at": start.isoformat(), "status": status, **patient, **doctor}
    row["end_at"] = (start + timedelta(minutes=cells.get("minutes", MINUTES))).isoformat()
    row |= _branch(way, cells, known)
    if key not in known.visits:
        row["booked_at"] = start.isoformat() if start <= way.local_now else way.now.isoformat()
    for ours, theirs in (("diagnosis", "diagnosis"), ("recommended_return_date", "return_date")):
        if theirs in cells:
            row[ours] = cells[theirs]
    names = {"doctor_id": "doctor", "recommended_return_date": "return_date", "end_at": "minutes"}
    money = _visit_money(way, row, cells, known, seen)
    return [*people, *doctors, Part("visits", row, names), *money]


def _visit_money(way: Way, visit: dict[str, Any], cells: Cells, known: Known, seen: Occurrences) -> list[Part]:
    """The item and the payment of a visit's row."""
    key, patient = visit["external_id"], {name: visit[name] for name in ("patient", "patient_id") if name in visit}
    parts: list[Part] = []
    line = made_id("line", key, cells.get("service_id", cells.get("service")), cells.get("amount"), cells.get("paid"))
    line = seen.numbered(line)
    if cells.get("service") or cells.get("service_id"):
        service, parts = _service(cells, known)
        item: dict[str, Any] = {"external_id": line, "appointment_id": key} | service
        item |= {name: cells[name] for name in ("quantity", "amount", "cost") if name in cells}
        parts = [*parts, Part("items", item, {"service_id": "service"})]
    paid = cells.get("paid") if way.has_paid else cells.get("amount") if visit["status"] == "completed" else None
    if paid and paid.strip("0."):
        row: dict[str, Any] = {"external_id": line, "appointment_id": key, "kind": "payment", "amount": paid} | patient
        row["paid_at"] = visit["start_at"]
        if "method" in cells:
            row["method"] = cells["method"]
        parts.append(Part("payments", row, {"amount": "paid" if way.has_paid else "amount"}))
    return parts


def _payments(way: Way, number: int, cells: Cells, known: Known, seen: Occurrences) -> list[Part]:
    paid_at, kind = cells["paid_at"], cells.get("kind", "payment")
    amount = cells["amount"]
    if amount.startswith("-"):
        amount, kind = amount[1:], "refund"
    patient, people = _who(way, number, cells, known, min(paid_at, way.local_now))
    key = cells.get("payment_id") or seen.numbered(made_id("payment", patient_id(cells), paid_at, kind, amount))
    row = {"external_id": key, "kind": kind, "paid_at": paid_at.isoformat(), "amount": amount, **patient}
    for ours, theirs in (("appointment_id", "visit_id"), ("method", "method"), ("refund_of", "refund_of")):
        if theirs in cells:
            row[ours] = cells[theirs]
    return [*people, Part("payments", row, {"appointment_id": "visit_id"})]


def _services(_way: Way, _number: int, cells: Cells, _known: Known, _seen: Occurrences) -> list[Part]:
    key = cells.get("service_id") or made_id("service", cells["service"], cells.get("speciality", ""))
    row = {"external_id": key, "name": cells["service"]}
    for name in ("speciality", "price", "cost", "tier", "minutes", "recall_days"):
        if name in cells:
            row[name] = cells[name]
    return [Part("services", row, {"name": "service"})]


def _spend(_way: Way, _number: int, cells: Cells, known: Known, seen: Occurrences) -> list[Part]:
    channel, parts = _channel(cells["channel"], known)
    purpose, campaign = cells.get("purpose", "acquisition"), cells.get("campaign_id", "")
    key = cells.get("spend_id") or seen.numbered(made_id("spend", cells["channel"], cells["date"], purpose, campaign))
    row = {"external_id": key, "date": cells["date"], "amount": cells["amount"], "purpose": purpose, **channel}
    if campaign:
        row["campaign_id"] = campaign
    return [*parts, Part("spend", row, {"channel_id": "channel"})]


PARTS = {
    "patients": _patients,
    "visits": _visits,
    "payments": _payments,
    "services": _services,
    "spend": _spend,
}
