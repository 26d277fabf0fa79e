from __future__ import annotations

from collections import defaultdict

from core.money import money_text
from patients.actions.allocations import ALLOCATIONS
from patients.actions.money import PAYMENTS, own_payments, record_payments
from patients.models import Allocation, Payment
from staff.access import Actor
from staff.api.described import COMPONENTS, row_schema
from staff.api.doors import KIND_SCHEMA, Column, Door, Json, Listed, reference
from staff.api.filters import ChoiceFilter, DayFilter, DoorFilters, IdFilter, InstantFilter

COMPONENTS["AllocationRow"] = row_schema(ALLOCATIONS)


class PaymentFilters(DoorFilters):
    patient = IdFilter(field_name="patient_id")
    visit = IdFilter(field_name="visit_id")
    refund_of_payment = IdFilter(field_name="refund_of_id")
    kind = ChoiceFilter(choices=Payment.Kind.choices)
    method = ChoiceFilter(choices=Payment.Method.choices)
    paid_at__gte = InstantFilter(field_name="paid_at", lookup_expr="gte")
    paid_at__lt = InstantFilter(field_name="paid_at", lookup_expr="lt")
    day__gte = DayFilter(field_name="day", lookup_expr="gte")
    day__lte = DayFilter(field_name="day", lookup_expr="lte")


def fill_allocations(rows: list[Json], by: Actor) -> None:
    found: dict[int, list[Json]] = defaultdict(list)
    stored = Allocation.objects.filter(payment_id__in=[row["id"] for row in rows]).order_by("id")
    for payment, visit, code, amount in stored.values_list("payment_id", "visit_id", "visit__external_id", "amount"):
        found[payment].append({"visit": visit, "appointment_id": code, "amount": money_text(amount)})
    for row in rows:
        row["allocations"] = found[row["id"]]


PAYMENT_DOOR = Door(
    name="payments",
    one="payment",
    resource=PAYMENTS,
    record=record_payments,
    scope=own_payments,
    personal=True,
    columns=(
        *reference("patient"),
        Column("visit", "id", "visit_id", null=True),
        Column("appointment_id", "text", "visit__external_id", null=True),
        Column("kind"),
        Column("method"),
        Column("paid_at", "instant"),
        Column("day", "date"),
        Column("value_day", "date"),
        Column("amount", "money", deed="see_money"),
        Column("refund_of", "text", "refund_of__external_id", null=True),
        Column("refund_of_payment", "id", "refund_of_id", null=True),
    ),
    lists=(
        Listed(
            "allocations",
            fill_allocations,
            {
                "type": "object",
                "properties": {
                    "visit": KIND_SCHEMA["id"],
                    "appointment_id": KIND_SCHEMA["text"],
                    "amount": KIND_SCHEMA["money"],
                },
            },
            deed="see_money",
        ),
    ),
    filters=PaymentFilters,
)
