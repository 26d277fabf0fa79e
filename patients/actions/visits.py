"""Visits as other systems send them, with their items and payments: one row, one fate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.clock import local_date
from patients.actions.booking import OVERLAP, SlotTaken, lock_doctors
from patients.actions.money import PAYMENTS, limit_refunds, write_payments
from patients.models import Patient, Service, Visit, VisitItem
from patients.queries.scope import visible_patients, visible_visits
from patients.queries.slots import nearest_free
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
    note_lines,
    store,
    touch_parents,
)
from staff.actions.intake.ground import BRANCH, ordered
from staff.actions.intake.parsers import choice, code, day, instant, money_from_zero, text, whole
from staff.models import Change, Doctor, Source
from staff.models.base import OWN_SOURCE

SLOT = ("doctor_id", "start_at", "end_at", "status", "may_overlap")
CANCELLED = frozenset(Visit.CANCELLED)
SUMS = """UPDATE patients_visit AS v SET amount = s.amount, cost = s.cost FROM (
SELECT w.id, COALESCE(SUM(i.amount), 0) AS amount, COALESCE(SUM(i.cost), 0) AS cost
FROM (%s) w LEFT JOIN patients_visititem i ON i.visit_id = w.id GROUP BY w.id) s WHERE v.id = s.id"""


def _check_visit(batch: Batch, record: Record) -> None:
    values = record.values
    if values["branch_id"] is None:
        values["branch_id"] = batch.branches.default_id
    ordered(record)
    cancelled_at = values["cancelled_at"]
    if cancelled_at is not None and values["status"] not in CANCELLED:
        fail(record, "cancelled_at", _("stands at a visit that is not cancelled"))
    elif cancelled_at is not None and cancelled_at < values["booked_at"]:
        fail(record, "cancelled_at", _("is before the booking"))
    values["day"] = local_date(values["start_at"], batch.branches.clinic_tz)
    if record.old is None:
        values["may_overlap"] = batch.source.pk != OWN_SOURCE
        values["created_by_id"] = batch.by.id if batch.by.kind == "user" else None


def _visit_zone(batch: Batch, record: Record) -> str:
    return batch.branches.tz(record.values["branch_id"] or batch.branches.default_id)


VISITS = Resource(
    name="visits",
    model=Visit,
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
        Ref("doctor_id", "doctor_id", "doctor", Doctor, required=True),
        BRANCH,
        Field("lead_id", code),  # leads are a later room; the link takes effect when the row is sent again then
        Field("status", choice(Visit.Status.values), "status"),
        Field("booked_at", instant, "booked_at", required=True),
        Field("confirmed_at", instant, "confirmed_at"),
        Field("arrived_at", instant, "arrived_at"),
        Field("finished_at", instant, "finished_at"),
        Field("start_at", instant, "start_at", required=True),
        Field("end_at", instant, "end_at", required=True),
        Field("cancelled_at", instant, "cancelled_at"),
        Field("cancel_reason", text(300), "cancel_reason"),
        Field("diagnosis", text(10), "diagnosis", deed="see_medical"),
        Field("recommended_return_date", day, "recommended_return_date"),
        Field("goal", text(300), "goal"),
        Nested("items", "ItemBulkRow"),
        Nested("payments", "PaymentBulkRow"),
    ),
    check=_check_visit,
    zone=_visit_zone,
    scope=visible_visits,
    branch=lambda record: record.values["branch_id"],
    on_create=("recorded_at",),
)


def own_items(by: Actor) -> QuerySet[VisitItem]:
    return VisitItem.objects.filter(visit__in=visible_visits(by))


def _check_item(batch: Batch, record: Record) -> None:
    """What the row does not say about the price comes from the price list."""
    service, values = batch.target(record, "service_id"), record.values
    for column, price in (("amount", "price"), ("cost", "cost")):
        if record.old is None and column not in record.given:
            values[column] = service.get(price, 0) * values["quantity"]


ITEMS = Resource(
    name="items",
    model=VisitItem,
    keys=(
        Ref(
            "appointment_id",
            "visit_id",
            "visit",
            Visit,
            extras=("branch_id", "source_id", "external_id"),
            required=True,
            scope=visible_visits,
            aliases=("visit_id",),
            lock=True,  # two batches with items of one visit would each sum without the other's
        ),
        Ref("service_id", "service_id", "service", Service, extras=("price", "cost"), required=True),
        Field("quantity", whole(1, 10_000), "quantity"),
        Field("amount", money_from_zero, "amount"),
        Field("cost", money_from_zero, "cost"),
    ),
    check=_check_item,
    scope=own_items,
)


def record_visits(*, source: Source, rows: Sequence[Mapping[str, object]], by: Actor, now: datetime) -> list[RowResult]:
    """Upsert visits. `items` is the full list of a visit (this source's missing ones go), `payments` only adds.

    A fault in an item or payment rejects the whole visit. Rows of another system may overlap (`may_overlap`);
    a visit made here that is moved onto another raises SlotTaken.
    """

    def work(numbered: list[tuple[int, Mapping[str, Any]]]) -> Batch:
        visits = Batch(VISITS, source=source, by=by, now=now)
        items, payments = visits.of(ITEMS), visits.of(PAYMENTS)
        visits.read(numbered)
        visits.read_nested("items", items, own_id=_item_id)
        visits.read_nested("payments", payments)
        for batch in (visits, items, payments):
            batch.load()
        visits.settle()
        items.settle({"visit_id": "id"})
        payments.settle({"visit_id": "id", "patient_id": "patient_id"})
        limit_refunds(payments)
        gone = _gone_items(items)
        _total(items)
        _write(visits, items, payments, gone)
        return visits

    try:
        return intake(work, rows=rows, by=by, now=now, deed="record_visits")
    except IntegrityError as error:
        if OVERLAP in str(error):
            raise SlotTaken from error
        raise


def _hold_slots(visits: Batch) -> None:
    """Visits made here hold their doctor's time: lock him, so that the constraint refuses instead of deadlocking."""
    moved = [record for record in visits.live if _takes_time(record)]
    if not moved:
        return
    lock_doctors(*(record.values["doctor_id"] for record in moved))
    if len(moved) == 1:  # more than one at a time comes from no person: the constraint answers
        values = moved[0].values
        others = Visit.objects.filter(doctor_id=values["doctor_id"]).exclude(pk=values["id"]).holding_slot()
        if others.overlapping(values["start_at"], values["end_at"]).exists():
            minutes = max(5, int((values["end_at"] - values["start_at"]).total_seconds() // 60))
            raise SlotTaken(nearest_free(values["doctor_id"], values["start_at"], minutes, visits.now))


def _takes_time(record: Record) -> bool:
    """Whether the record was made here and newly holds this time of this doctor."""
    old, values = record.old, record.values
    if values["may_overlap"] or values["status"] not in Visit.HOLDING:
        return False
    return old is None or any(old[name] != values[name] for name in SLOT)


def _item_id(visit: Record, position: int) -> str:
    return f"{visit.external_id[:110]}#{position + 1}"


def _write(visits: Batch, items: Batch, payments: Batch, gone: dict[int, int]) -> None:
    for children in (items, payments):
        touch_parents(children)
    for visit_id in gone.values():
        visits.by_inner[visit_id].touched = True
    visits.classify()
    for record in visits.updated:
        record.values["followed_up_at"] = None  # the sweep looks at it again: every step happens once anyway
    _hold_slots(visits)
    visits.write()
    if gone:
        VisitItem.objects.filter(pk__in=store.among(gone, "bigint")).delete()
    items.write()
    write_payments(payments)
    refresh_amounts(_retotal(items, gone))
    feed(visits, payments)


def _gone_items(items: Batch) -> dict[int, int]:
    """Stored items (id -> visit id) of this source that the full lists of the rows no longer name."""
    stored = [parent.id for parent in items.listed if parent.old is not None]
    if not stored:
        return {}
    kept = {record.id for record in items.live}
    rows = VisitItem.objects.filter(visit_id__in=store.among(stored, "bigint"), source_id=items.source.pk)
    return {pk: visit_id for pk, visit_id in rows.values_list("pk", "visit_id") if pk not in kept}


def _total(items: Batch) -> None:
    """Sums of the items of new visits; those of stored ones are summed by SQL afterwards."""
    for item in items.live:
        parent = item.parent
        if parent is not None and parent.old is None:
            parent.values["amount"] += item.values["amount"]
            parent.values["cost"] += item.values["cost"]


def _retotal(items: Batch, gone: Mapping[int, int]) -> set[int]:
    """Visits that were stored before and whose items changed, the one included that an item left."""
    visits = set(gone.values())
    for item in (*items.created, *items.updated):
        if item.parent is None or item.parent.old is not None:
            visits.add(item.values["visit_id"])
        if item.old is not None:
            visits.add(item.old["visit_id"])
    return visits


def refresh_amounts(visit_ids: Iterable[int]) -> None:
    """`Visit.amount` and `cost` again from the items of these visits: one statement."""
    ids = list(visit_ids)
    if not ids:
        return
    wanted, parameter = store.ids_as_rows(ids)
    with connection.cursor() as cursor:  # a join: one subquery a sum and visit costs three times as much
        cursor.execute(SUMS % wanted, [parameter])


def record_items(*, source: Source, rows: Sequence[Mapping[str, object]], by: Actor, now: datetime) -> list[RowResult]:
    """Upsert items that come apart from their visits (the folder's items.csv). Nothing is removed."""

    def work(numbered: list[tuple[int, Mapping[str, Any]]]) -> Batch:
        items = Batch(ITEMS, source=source, by=by, now=now)
        items.read(numbered)
        items.load()
        items.settle()
        items.classify()
        items.write()
        refresh_amounts(_retotal(items, {}))
        note_lines(_visit_lines(items), now)
        return items

    return intake(work, rows=rows, by=by, now=now, deed="record_items")


def _visit_lines(items: Batch) -> list[tuple[Any, ...]]:
    lines = {}
    for item in (*items.created, *items.updated):
        visit = item.related["visit_id"]
        code_ = items.source.code if visit["source_id"] == items.source.pk else ""
        lines[visit["id"]] = (
            "visits",
            visit["id"],
            visit["branch_id"],
            code_,
            visit["external_id"],
            Change.Kind.CHANGED.value,
            None,
        )
    return list(lines.values())
