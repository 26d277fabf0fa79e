from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from core.money import money_text
from patients.actions.booked_rows import RowRejected, book_row
from patients.actions.booking import BadTime, SlotTaken
from patients.actions.visits import ITEMS, VISITS, record_visits
from patients.models import Payment, Visit, VisitItem
from patients.queries.scope import visible_visits
from staff.access import Actor
from staff.actions.intake import RowResult
from staff.api.described import COMPONENTS, row_schema
from staff.api.doors import KIND_SCHEMA, Column, Door, Json, Listed, instant_text, reference
from staff.api.filters import ChoiceFilter, DayFilter, DoorFilters, IdFilter, InstantFilter, TextFilter
from staff.api.problems import Problem

COMPONENTS["ItemBulkRow"] = row_schema(ITEMS, key=False)
COMPONENTS["ItemBulkRow"]["properties"]["external_id"] = {"type": ["string", "null"], "maxLength": 120}
MONEY, TEXT, ID = KIND_SCHEMA["money"], KIND_SCHEMA["text"], KIND_SCHEMA["id"]


class VisitFilters(DoorFilters):
    deeds: Mapping[str, str] = {"diagnosis": "see_medical"}
    patient = IdFilter(field_name="patient_id")
    doctor = IdFilter(field_name="doctor_id")
    branch = IdFilter(field_name="branch_id")
    status = ChoiceFilter(choices=Visit.Status.choices)
    diagnosis = TextFilter()
    start_at__gte = InstantFilter(field_name="start_at", lookup_expr="gte")
    start_at__lt = InstantFilter(field_name="start_at", lookup_expr="lt")
    booked_at__gte = InstantFilter(field_name="booked_at", lookup_expr="gte")
    booked_at__lt = InstantFilter(field_name="booked_at", lookup_expr="lt")
    day__gte = DayFilter(field_name="day", lookup_expr="gte")
    day__lte = DayFilter(field_name="day", lookup_expr="lte")


def fill_items(rows: list[Json], by: Actor) -> None:
    found: dict[int, list[Json]] = defaultdict(list)
    money = by.may("see_money")
    items = VisitItem.objects.filter(visit_id__in=[row["id"] for row in rows]).order_by("id")
    for visit, pk, code, service, service_code, quantity, amount, cost in items.values_list(
        "visit_id", "id", "external_id", "service_id", "service__external_id", "quantity", "amount", "cost"
    ):
        item = {"id": pk, "external_id": code, "service": service, "service_id": service_code, "quantity": quantity}
        found[visit].append(item | ({"amount": money_text(amount), "cost": money_text(cost)} if money else {}))
    for row in rows:
        row["items"] = found[row["id"]]


def fill_payments(rows: list[Json], by: Actor) -> None:
    found: dict[int, list[Json]] = defaultdict(list)
    payments = Payment.objects.filter(visit_id__in=[row["id"] for row in rows]).order_by("id")
    for visit, pk, code, kind, paid_at, amount, refund_of in payments.values_list(
        "visit_id", "id", "external_id", "kind", "paid_at", "amount", "refund_of__external_id"
    ):
        found[visit].append(
            {
                "id": pk,
                "external_id": code,
                "kind": kind,
                "paid_at": instant_text(paid_at),
                "amount": money_text(amount),
                "refund_of": refund_of,
            }
        )
    for row in rows:
        row["payments"] = found[row["id"]]


def taken(error: SlotTaken) -> Problem:
    free = [{"start_at": instant_text(slot.start_at), "end_at": instant_text(slot.end_at)} for slot in error.free]
    return Problem(409, _("The doctor's time is taken."), {"start_at": [_("is taken")]}, free=free)


def record(work: Callable[..., list[RowResult]] = record_visits, **call: Any) -> list[RowResult]:
    """`record_visits`, or what a higher room made of it; time that is taken answers 409."""
    try:
        return work(**call)
    except SlotTaken as error:
        raise taken(error) from None


def make(work: Callable[..., int] = book_row, **call: Any) -> int:
    """`book_row`, or what a higher room made of it; its refusals as problems."""
    try:
        return work(**call)
    except SlotTaken as error:
        raise taken(error) from None
    except BadTime:
        raise Problem(422, errors={"end_at": [_("must be after the start, by a day at most")]}) from None
    except RowRejected as error:
        raise Problem(422, errors=error.errors) from None


ITEM_SCHEMA = {
    "type": "object",
    "properties": {
        "id": ID,
        "external_id": TEXT,
        "service": ID,
        "service_id": TEXT,
        "quantity": ID,
        "amount": MONEY,
        "cost": MONEY,
    },
}
PAYMENT_SCHEMA = {
    "type": "object",
    "properties": {
        "id": ID,
        "external_id": TEXT,
        "kind": TEXT,
        "paid_at": KIND_SCHEMA["instant"],
        "amount": MONEY,
        "refund_of": {"type": ["string", "null"]},
    },
}
VISIT_DOOR = Door(
    name="visits",
    one="visit",
    resource=VISITS,
    record=record,
    make=make,
    scope=visible_visits,
    personal=True,
    columns=(
        *reference("patient"),
        *reference("doctor"),
        *reference("branch"),
        *reference("room"),
        Column("status"),
        Column("booked_at", "instant"),
        Column("confirmed_at", "instant", null=True),
        Column("start_at", "instant"),
        Column("end_at", "instant"),
        Column("day", "date"),
        Column("arrived_at", "instant", null=True),
        Column("finished_at", "instant", null=True),
        Column("cancelled_at", "instant", null=True),
        Column("cancel_reason"),
        Column("diagnosis", deed="see_medical"),
        Column("recommended_return_date", "date", null=True),
        Column("goal"),
        Column("next_visit", "id", "next_visit_id", null=True),
        Column("no_next_reason"),
        Column("amount", "money", deed="see_money"),
        Column("cost", "money", deed="see_money"),
    ),
    lists=(
        Listed("items", fill_items, ITEM_SCHEMA),
        Listed("payments", fill_payments, PAYMENT_SCHEMA, deed="see_money"),
    ),
    filters=VisitFilters,
)
