"""Puts a clinic of the exchange format (tests.oracle.read_folder, tests.clinics) straight into the tables.

It trusts its input and notes no changes: the real ways in are `manage.py import_folder` and REST. Use it where a
test is about figures, not about importing.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.clock import local_date
from funnel.models import Lead, LeadBooking, Spend
from patients.models import Allocation, Channel, Patient, Payment, Service, Visit, VisitItem
from staff.models import Branch, Clinic, Doctor, Shift, Source
from tests.oracle import read_folder

Rows = list[dict[str, str]]
Ids = dict[str, int]


def load_folder(path: Path | str, source: str = "mis") -> None:
    load(read_folder(path), source)


def load(data: dict[str, Any], source: str = "mis") -> None:
    """Into an empty installation: sets the clinic too."""
    Loader(data["clinic"], source).everything(data)


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def kopecks(text: str | None) -> int:
    return int(Decimal(text or 0) * 100)


class Loader:
    def __init__(self, clinic: dict[str, Any], source: str) -> None:
        self.tz = clinic["tz"]
        self.source = Source.objects.get_or_create(code=source)[0]
        Clinic.objects.filter(pk=1).update(
            tz=self.tz, theta_days=clinic.get("theta_days") or 365, history_from=day(clinic.get("history_from"))
        )
        zones = clinic.get("branch_zones") or {}
        self.default = Branch.objects.create(external_id="MAIN", name="Main", tz=self.tz, is_default=True)
        self.branches: Ids = {
            code: Branch.objects.create(external_id=code, source=self.source, name=code, tz=zone).pk
            for code, zone in zones.items()
        }

    def many(self, model: type, rows: list[dict[str, Any]]) -> Ids:
        """Insert rows (dicts of fields) and return {external id: id}."""
        made = model.objects.bulk_create([model(source=self.source, **row) for row in rows], batch_size=2000)
        return {row.external_id: row.pk for row in made}

    def everything(self, data: dict[str, Any]) -> None:
        self.catalogue(data)
        self.patients(data["patients"])
        self.visits(data["appointments"], data.get("items", []))
        self.leads(data.get("leads", []), data["appointments"])
        self.shifts(data.get("shifts", []))
        self.payments(data["payments"], data.get("allocations", []))

    def catalogue(self, data: dict[str, Any]) -> None:
        self.channels = self.many(
            Channel, [{"external_id": r["channel_id"], "name": r["name"], "kind": r["kind"]} for r in data["channels"]]
        )
        self.doctors = self.many(
            Doctor,
            [{"external_id": r["doctor_id"], "name": r["name"], "speciality": r["specialty"]} for r in data["doctors"]],
        )
        self.services = self.many(
            Service, [{"external_id": r["service_id"], "name": r["name"], "tier": r["tier"]} for r in data["services"]]
        )
        self.many(Spend, [
            {"external_id": r["spend_id"], "channel_id": self.channels.get(r["channel_id"]), "date": day(r["date"]),
             "campaign_code": r["campaign_id"] or "", "amount": kopecks(r["amount"]), "purpose": r["purpose"]}
            for r in data["spend"]
        ])  # fmt: skip

    def patients(self, rows: Rows) -> None:
        self.people = self.many(Patient, [
            {"external_id": r["patient_id"], "created_at": instant(r["created_at"]), "branch": self.default,
             "channel_id": self.channels.get(r["channel_id"]), "birth_date": day(r["birth_date"]),
             "sex": r["sex"] or "",
             "natural_churn_reason": r["natural_churn_reason"] or "",
             "natural_churn_date": day(r["natural_churn_date"]), "is_test": r["is_test"] in ("1", "true", "True")}
            for r in rows
        ])  # fmt: skip
        for r in rows:
            if r.get("referrer_id"):
                Patient.objects.filter(pk=self.people[r["patient_id"]]).update(referrer=self.people[r["referrer_id"]])
        into = {r["patient_id"]: r["merged_into"] for r in rows if r["merged_into"]}
        for own, target in into.items():
            end = target
            while end in into:
                end = into[end]
            Patient.objects.filter(pk=self.people[own]).update(
                merged_into=self.people[target], canonical=self.people[end]
            )

    def visits(self, rows: Rows, items: Rows) -> None:
        cost: dict[str, int] = {}
        amount: dict[str, int] = {}
        for r in items:
            cost[r["appointment_id"]] = cost.get(r["appointment_id"], 0) + kopecks(r["cost"])
            amount[r["appointment_id"]] = amount.get(r["appointment_id"], 0) + kopecks(r["amount"])
        for code in {r.get("branch_id") or "" for r in rows} - {"", *self.branches}:
            self.branches[code] = Branch.objects.create(external_id=code, source=self.source, name=code, tz=self.tz).pk
        self.appointments = self.many(Visit, [
            {"external_id": r["appointment_id"], "patient_id": self.people[r["patient_id"]],
             "doctor_id": self.doctors[r["doctor_id"]],
             "branch_id": self.branches.get(r.get("branch_id") or "", self.default.pk),
             "booked_at": instant(r["booked_at"]), "start_at": instant(r["start_at"]), "end_at": instant(r["end_at"]),
             "day": local_date(instant(r["start_at"]), self.tz), "status": r["status"],
             "cancelled_at": instant(r["cancelled_at"]), "diagnosis": r["diagnosis"] or "",
             "recommended_return_date": day(r["recommended_return_date"]), "may_overlap": True,
             "cost": cost.get(r["appointment_id"], 0), "amount": amount.get(r["appointment_id"], 0)}
            for r in rows
        ])  # fmt: skip
        self.many(VisitItem, [
            {"external_id": r["item_id"], "visit_id": self.appointments[r["appointment_id"]],
             "service_id": self.services[r["service_id"]], "amount": kopecks(r["amount"]), "cost": kopecks(r["cost"])}
            for r in items
        ])  # fmt: skip

    def leads(self, rows: Rows, appointments: Rows) -> None:
        ids = self.many(Lead, [
            {"external_id": r["lead_id"], "created_at": instant(r["created_at"]), "kind": r["kind"],
             "channel_id": self.channels.get(r["channel_id"]), "is_spam": r["is_spam"] in ("1", "true", "True"),
             "patient_id": self.people.get(r["patient_id"] or ""),
             "first_response_at": instant(r["first_response_at"]), "lost_at": instant(r["lost_at"]),
             "loss_stage": r["loss_stage"] or "", "loss_reason": r["loss_reason"] or ""}
            for r in rows
        ])  # fmt: skip
        for r in rows:
            if r["duplicate_of"]:
                Lead.objects.filter(pk=ids[r["lead_id"]]).update(duplicate_of=ids[r["duplicate_of"]])
        LeadBooking.objects.bulk_create(
            LeadBooking(lead_id=ids[r["lead_id"]], visit_id=self.appointments[r["appointment_id"]])
            for r in appointments
            if r["lead_id"]
        )

    def shifts(self, rows: Rows) -> None:
        self.many(Shift, [
            {"external_id": r["shift_id"], "doctor_id": self.doctors[r["doctor_id"]],
             "start_at": instant(r["start_at"]), "end_at": instant(r["end_at"])}
            for r in rows
        ])  # fmt: skip

    def payments(self, rows: Rows, allocations: Rows) -> None:
        days = {r["payment_id"]: local_date(instant(r["paid_at"]), self.tz) for r in rows}
        ids: Ids = {}
        for refunds in (False, True):
            ids |= self.many(Payment, [
                {"external_id": r["payment_id"], "patient_id": self.people[r["patient_id"]], "kind": r["kind"],
                 "visit_id": self.appointments.get(r["appointment_id"] or ""), "paid_at": instant(r["paid_at"]),
                 "day": days[r["payment_id"]], "value_day": days[r["refund_of"] or r["payment_id"]],
                 "amount": kopecks(r["amount"]), "refund_of_id": ids.get(r["refund_of"] or "")}
                for r in rows if bool(r["refund_of"]) == refunds
            ])  # fmt: skip
        sums: dict[tuple[str, str], int] = {}
        for r in allocations:
            pair = (r["payment_id"], r["appointment_id"])
            sums[pair] = sums.get(pair, 0) + kopecks(r["amount"])
        Allocation.objects.bulk_create(
            Allocation(payment_id=ids[p], visit_id=self.appointments[a], amount=n) for (p, a), n in sums.items()
        )
