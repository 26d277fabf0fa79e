"""Payments and refunds as other systems send them: rows that are added and never removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.utils.translation import gettext as _

from core.clock import local_date
from core.money import money_text
from patients.actions.allocations import ALLOCATIONS, AllocationBatch, write_listed
from patients.models import Patient, Payment, Visit
from patients.queries.scope import visible_patients, visible_visits
from staff.access import Actor
from staff.actions.intake import (
    Batch,
    Field,
    Nested,
    Record,
    Ref,
    Resource,
    RowResult,
    fail,
    feed,
    intake,
    store,
    touch_parents,
)
from staff.actions.intake.parsers import choice, instant, positive_money
from staff.models import Source

PAYMENT, REFUND = Payment.Kind.PAYMENT.value, Payment.Kind.REFUND.value


def own_payments(by: Actor) -> QuerySet[Payment]:
    payments = Payment.objects.all()
    return payments if by.branch_id is None else payments.filter(patient__in=visible_patients(by))


def _check(batch: Batch, record: Record) -> None:
    values = record.values
    if values["kind"] == REFUND and values["refund_of_id"] is None:
        fail(record, "refund_of", _("is required: which payment does it refund?"))
    elif values["kind"] != REFUND and values["refund_of_id"] is not None:
        fail(record, "refund_of", _("stands only at a refund"))
    values["day"] = local_date(values["paid_at"], batch.branches.clinic_tz)
    values["value_day"] = values["day"] if values["kind"] != REFUND else values["value_day"]


def _zone(batch: Batch, record: Record) -> str:
    return batch.branches.tz(batch.target(record, "visit_id").get("branch_id"))


PAYMENTS = Resource(
    name="payments",
    model=Payment,
    keys=(
        Ref(
            "patient_id",
            "patient_id",
            "patient",
            Patient,
            extras=("branch_id",),
            required=True,
            scope=visible_patients,
        ),
        Ref(
            "appointment_id",
            "visit_id",
            "visit",
            Visit,
            extras=("branch_id",),
            scope=visible_visits,
            aliases=("visit_id",),
        ),
        Field("kind", choice(Payment.Kind.values), "kind", required=True),
        Field("method", choice(Payment.Method.values), "method"),
        Field("paid_at", instant, "paid_at", required=True),
        Field("amount", positive_money, "amount", required=True),
        Ref(
            "refund_of",
            "refund_of_id",
            "refund_of_payment",
            Payment,
            extras=("kind", "day", "amount"),
            within=True,
            lock=True,
            scope=own_payments,
        ),
        Nested("allocations", "AllocationRow"),
    ),
    check=_check,
    zone=_zone,
    scope=own_payments,
    branch=lambda record: record.related.get("patient_id", {}).get("branch_id"),
)


def record_payments(
    *, source: Source, rows: Sequence[Mapping[str, object]], by: Actor, now: datetime
) -> list[RowResult]:
    """Upsert payments, refunds and point payments. All refunds of a payment together never exceed it: the refunds
    of a batch are taken in order of time until the payment is used up, whatever the order of the rows.
    """

    def work(numbered: list[tuple[int, Mapping[str, Any]]]) -> Batch:
        payments = Batch(PAYMENTS, source=source, by=by, now=now)
        payments.read(numbered)
        allocations = AllocationBatch(ALLOCATIONS, source=source, by=by, now=now, branches=payments.branches)
        payments.read_nested("allocations", allocations)
        payments.load()
        allocations.load()
        payments.settle()
        allocations.settle({"payment_id": "id"})
        limit_refunds(payments)
        touch_parents(allocations)
        for parent in allocations.listed:
            parent.touched |= parent.id in allocations.gone.values()
        payments.classify()
        write_payments(payments)
        write_listed(allocations, payments)
        feed(payments)
        return payments

    return intake(work, rows=rows, by=by, now=now, deed="record_payments")


# --- refunds ----------------------------------------------------------------------------------------------------------
def limit_refunds(batch: Batch) -> None:
    """Reject refunds of what is no payment and refunds above it; set the value day of the others. Call after settle."""
    refunds = [record for record in batch.live if record.values["refund_of_id"] is not None]
    _limit_shrunk(batch)
    if not refunds:
        return
    spent = _refunded(batch, {record.values["refund_of_id"] for record in refunds})
    for record in sorted(refunds, key=lambda r: (r.values["paid_at"], r.external_id)):
        if record.failed:
            continue
        payment = _refunded_payment(batch, record)
        key, amount = record.values["refund_of_id"], record.values["amount"]
        if payment.get("kind") != PAYMENT:
            fail(record, "refund_of", _("does not name a payment"))
        elif spent[key] + amount > payment["amount"]:
            fail(record, "amount", _("refunds exceed the payment of %(sum)s") % {"sum": money_text(payment["amount"])})
        else:
            spent[key] += amount
            record.values["value_day"] = payment["day"]


def _refunded_payment(batch: Batch, record: Record) -> dict[str, Any]:
    inner = batch.by_inner.get(record.values["refund_of_id"])
    if inner is None:
        return record.related["refund_of_id"]
    return inner.values if not inner.failed else inner.old or {}


def _refunded(batch: Batch, payment_ids: set[int]) -> dict[int, int]:
    """Stored refunds by payment, without those that this batch sends again."""
    stored = Payment.objects.filter(refund_of_id__in=store.among(payment_ids, "bigint"), kind=REFUND)
    mine = {record.id for record in batch.live if record.old is not None}
    spent: dict[int, int] = defaultdict(int)
    for pk, payment_id, amount in stored.values_list("pk", "refund_of_id", "amount"):
        if pk not in mine:
            spent[payment_id] += amount
    return spent


def _limit_shrunk(batch: Batch) -> None:
    """A stored payment cannot become less than what was refunded of it, nor stop being a payment."""
    shrunk = {
        record.id: record
        for record in batch.live
        if record.old is not None
        and record.old["kind"] == PAYMENT
        and (record.values["kind"] != PAYMENT or record.values["amount"] < record.old["amount"])
    }
    if not shrunk:
        return
    stored = Payment.objects.filter(refund_of_id__in=store.among(shrunk, "bigint"), kind=REFUND).order_by()
    mine = store.among([record.id for record in batch.live], "bigint")
    for payment_id, total in (
        stored.exclude(pk__in=mine)
        .values("refund_of_id")
        .annotate(total=Sum("amount"))
        .values_list("refund_of_id", "total")
    ):
        record = shrunk[payment_id]
        if record.values["kind"] != PAYMENT or total > record.values["amount"]:
            fail(record, "amount", _("is less than what was refunded of it: %(sum)s") % {"sum": money_text(total)})


def write_payments(batch: Batch) -> None:
    """Write, and where a payment moved to another day take its refunds' value day along."""
    batch.write()
    moved = [record.id for record in batch.updated if record.values["day"] != record.old["day"]]  # type: ignore[index]
    if moved:
        day = Payment.objects.filter(pk=OuterRef("refund_of_id")).values("day")
        Payment.objects.filter(refund_of_id__in=store.among(moved, "bigint")).update(value_day=Subquery(day))
