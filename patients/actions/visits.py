"""Visits as other systems send them, with their items and payments: one row, one fate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.clock import local_date
from patients.actions.booking import OVERLAP, SlotTaken
from patients.actions.held import hold_slots
from patients.actions.money import PAYMENTS, limit_refunds, write_payments
from patients.models import Patient, Service, Visit, VisitItem
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
    note_lines,
    store,
    touch_parents,
)
from staff.actions.intake.ground import BRANCH, ROOM, ordered
from staff.actions.intake.parsers import choice, day, instant, money_from_zero, text, whole
from staff.models import Change, Doctor, Source
from staff.models.base import OWN_SOURCE

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
        ROOM,
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


def record_visits(
    *,
    source: Source,
    rows: Sequence[Mapping[str, object]],
    by: Actor,
    now: datetime,
    resource: Resource = VISITS,
) -> list[RowResult]:
    """Upsert visits. `resource`: VISITS, or what a higher room made of it.

    `items` is the full list of a visit (this source's missing ones go), `payments` only adds.

    A fault in an item or payment rejects the whole visit. Rows of another system may overlap (`may_overlap`);
    a visit made here that is moved onto another raises SlotTaken.
    """
    return record_visits_and_items(source=source, rows=rows, items=(), by=by, now=now, resource=resource)[0]


def record_visits_and_items(
    *,
    source: Source,
    rows: Sequence[Mapping[str, object]],
    items: Sequence[Mapping[str, object]],
    by: Actor,
    now: datetime,
    resource: Resource = VISITS,
) -> tuple[list[RowResult], list[RowResult]]:
    """`record_visits` and then `record_items`, in one transaction: what of `items` belongs to new visits of `rows` is
    summed before these are written, which saves writing them twice. Such rows hold no lists `items` of their own.
    """
    told: list[RowResult] = []

    def work(numbered: list[tuple[int, Mapping[str, Any]]]) -> Batch:
        visits = Batch(resource, source=source, by=by, now=now)
        nested, payments, apart = visits.of(ITEMS), visits.of(PAYMENTS), visits.of(ITEMS)
        visits.read(numbered)
        visits.read_nested("items", nested, own_id=_item_id)
        visits.read_nested("payments", payments)
        first = numbered[0][0] == 0  # rows with an id that came before are a round of their own
        if first:
            told.clear()  # the batch may start again, after a conflict with another writer
        apart.read(enumerate(items if first else ()))
        for batch in (visits, nested, payments, apart):
            batch.load()
        visits.settle()
        nested.settle({"visit_id": "id"})
        payments.settle({"visit_id": "id", "patient_id": "patient_id"})
        limit_refunds(payments)
        _introduce(visits, apart)
        apart.settle()
        gone = _gone_items(nested)
        _total(visits, nested, apart)
        _write(visits, nested, apart, payments, gone)
        told.extend(record.result() for record in apart.records)
        return visits

    try:
        return intake(work, rows=rows, by=by, now=now, deed="record_visits"), told
    except IntegrityError as error:
        if OVERLAP in str(error):
            raise SlotTaken from error
        raise


def _introduce(visits: Batch, apart: Batch) -> None:
    """New visits that will be stored are known to the items that come with them. (A branch's actor, who may not see
    every visit that he writes, finds them by a second look.)
    """
    if apart.records and visits.by.branch_id is None:
        known = apart.found[ITEMS.refs[0]][0]
        for record in visits.live:
            if record.old is None:
                known[record.external_id] = record.values


def _item_id(visit: Record, position: int) -> str:
    return f"{visit.external_id[:110]}#{position + 1}"


def _write(visits: Batch, nested: Batch, apart: Batch, payments: Batch, gone: dict[int, int]) -> None:
    for children in (nested, payments):
        touch_parents(children)
    for visit_id in gone.values():
        visits.by_inner[visit_id].touched = True
    visits.classify()
    apart.classify()
    visits.beside = [apart]
    for record in visits.updated:
        record.values["followed_up_at"] = None  # the sweep looks at it again: every step happens once anyway
    hold_slots(visits)
    visits.write()
    if gone:
        VisitItem.objects.filter(pk__in=store.among(gone, "bigint")).delete()
    nested.write()
    apart.write()
    write_payments(payments)
    refresh_amounts({*gone.values(), *retotal(nested, visits), *retotal(apart, visits)})
    feed(visits, payments)
    if visits.resource.after:
        visits.resource.after(visits)
    told = {record.id for record in (*visits.created, *visits.updated)}
    note_lines([line for line in visit_lines(apart) if line[1] not in told], visits.now)


def _gone_items(items: Batch) -> dict[int, int]:
    """Stored items (id -> visit id) of this source that the full lists of the rows no longer name."""
    stored = [parent.id for parent in items.listed if parent.old is not None]
    if not stored:
        return {}
    kept = {record.id for record in items.live}
    rows = VisitItem.objects.filter(visit_id__in=store.among(stored, "bigint"), source_id=items.source.pk)
    return {pk: visit_id for pk, visit_id in rows.values_list("pk", "visit_id") if pk not in kept}


def _total(visits: Batch, *parts: Batch) -> None:
    """Sums of the items of new visits; those of stored ones are summed by SQL afterwards."""
    for items in parts:
        for item in items.live:
            visit = visits.by_inner.get(item.values["visit_id"])
            if visit is not None and visit.old is None:
                visit.values["amount"] += item.values["amount"]
                visit.values["cost"] += item.values["cost"]


def retotal(items: Batch, visits: Batch | None = None) -> set[int]:
    """Visits that were stored before and whose items changed, the one included that an item left."""
    new = visits.by_inner if visits is not None else {}
    found = set()
    for item in (*items.created, *items.updated):
        visit = new.get(item.values["visit_id"])
        if visit is None or visit.old is not None:
            found.add(item.values["visit_id"])
        if item.old is not None:
            found.add(item.old["visit_id"])
    return found


def visit_lines(items: Batch) -> list[tuple[Any, ...]]:
    """Lines of the change feed for the visits of items that came apart from them."""
    lines = {}
    for item in (*items.created, *items.updated):
        visit = item.related["visit_id"]
        code_ = items.source.code if visit["source_id"] == items.source.pk else ""
        kind = Change.Kind.CHANGED.value
        lines[visit["id"]] = ("visits", visit["id"], visit["branch_id"], code_, visit["external_id"], kind, None)
    return list(lines.values())


def refresh_amounts(visit_ids: Iterable[int]) -> None:
    """`Visit.amount` and `cost` again from the items of these visits: one statement."""
    ids = list(visit_ids)
    if not ids:
        return
    wanted, parameter = store.ids_as_rows(ids)
    with connection.cursor() as cursor:  # a join: one subquery a sum and visit costs three times as much
        cursor.execute(SUMS % wanted, [parameter])
