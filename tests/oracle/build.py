"""Small clinics by hand, for the worked examples: a day is "2024-05-10", noon unless a clock is given; UTC; rubles."""

from typing import Any

from . import compute, from_rows
from .exchange import Tables


def instant(day: str) -> str:
    """ "2024-05-10" or "2024-05-10 10:40" or "... 10:40:05" as a UTC instant."""
    date, _, clock = day.partition(" ")
    clock = clock or "12:00"
    return f"{date}T{clock if clock.count(':') == 2 else clock + ':00'}Z"


class Case(Tables):
    """Collects rows; people and doctors appear when first named. Ask with case.get(metric, **params)."""

    def __init__(self, tz: str = "UTC", **settings: Any) -> None:
        super().__init__()
        self.settings = {"tz": tz} | settings

    def known(self, table: str, key: str) -> bool:
        return any(next(iter(row.values())) == key for row in self.rows[table])

    def patient(self, key: str, created: str = "2015-01-01", **more: object) -> str:
        return self.add("patients", **{"patient_id": key, "created_at": instant(created), "is_test": False} | more)

    def doctor(self, key: str, specialty: str = "therapy") -> str:
        return self.add("doctors", doctor_id=key, name=key, specialty=specialty)

    def channel(self, key: str, kind: str = "paid") -> str:
        return self.add("channels", channel_id=key, name=key, kind=kind)

    def service(self, key: str, tier: str = "core") -> str:
        return self.add("services", service_id=key, name=key, tier=tier)

    def booking(
        self,
        patient: str,
        day: str,
        status: str = "scheduled",
        doctor: str = "D",
        end: str | None = None,
        **more: object,
    ) -> str:
        """An appointment; booked at its start unless booked_at is given."""
        if not self.known("patients", patient):
            self.patient(patient)
        if not self.known("doctors", doctor):
            self.doctor(doctor)
        start = instant(day)
        values = {"booked_at": start, "start_at": start, "end_at": instant(end) if end else start, "status": status}
        return self.add("appointments", patient_id=patient, doctor_id=doctor, **values | more)

    def visit(self, patient: str, day: str, paid: str | None = None, cost: str | None = None, **more: Any) -> str:
        """A completed appointment, paid at once, with one item when it has a cost."""
        key = self.booking(patient, day, "completed", **more)
        if paid:
            self.pay(patient, day, paid, key)
        if cost:
            self.item(key, "S", paid or "0", cost)
        return key

    def item(self, visit: str, service: str, amount: str, cost: str = "0") -> str:
        if not self.known("services", service):
            self.service(service)
        return self.add("items", appointment_id=visit, service_id=service, amount=amount, cost=cost)

    def pay(self, patient: str, day: str, amount: str, visit: str | None = None, kind: str = "payment", **more) -> str:
        if not self.known("patients", patient):
            self.patient(patient)
        values = {
            "patient_id": patient,
            "appointment_id": visit,
            "kind": kind,
            "paid_at": instant(day),
            "amount": amount,
        }
        return self.add("payments", **values | more)

    def refund(self, payment: str, day: str, amount: str) -> str:
        row = next(r for r in self.rows["payments"] if r["payment_id"] == payment)
        return self.pay(row["patient_id"], day, amount, row["appointment_id"], "refund", refund_of=payment)

    def spend(self, day: str, amount: str, channel: str | None = None, purpose: str = "acquisition", **more) -> str:
        return self.add("spend", channel_id=channel, date=day, amount=amount, purpose=purpose, **more)

    def lead(self, day: str, answered: str | None = None, **more: object) -> str:
        answer = {"first_response_at": instant(answered)} if answered else {}
        return self.add("leads", **{"created_at": instant(day), "kind": "call", "is_spam": False} | answer | more)

    def member(self, campaign: str, patient: str, arm: str, day: str) -> None:
        if not self.known("patients", patient):
            self.patient(patient)
        if not self.known("campaigns", campaign):
            self.add("campaigns", campaign_id=campaign, name=campaign)
        self.add("campaign_members", campaign_id=campaign, patient_id=patient, arm=arm, assigned_at=instant(day))

    def survey(self, visit: str, patient: str, sent: str, answered: str | None = None, **marks: int) -> str:
        when = {"sent_at": instant(sent), "answered_at": instant(answered) if answered else None}
        return self.add("surveys", patient_id=patient, appointment_id=visit, **when, **marks)

    def get(self, metric: str, as_of: str = "2026-12-31", year: int | None = None, **params: Any) -> Any:
        """The oracle's answer; churn_year takes `year`, other metrics turn it into from/to."""
        if year is not None:
            whole = {"from": f"{year}-01-01", "to": f"{year}-12-31"}
            params |= {"year": year} if metric == "churn_year" else whole
        return compute(from_rows(self.rows | {"clinic": self.settings}), metric, params | {"as_of": as_of})
