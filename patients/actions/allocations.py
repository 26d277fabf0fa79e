"""Prepaid money that pays for visits. An allocation has no id of its own: payment and visit are its identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from patients.models import Allocation, Payment, Visit
from patients.queries.scope import visible_patients, visible_visits
from staff.access import Actor
from staff.actions.intake import Batch, Field, Record, Ref, Resource, RowResult, intake, note_lines, store
from staff.actions.intake.parsers import positive_money
from staff.models import Change, Source

ALLOCATIONS = Resource(
    name="allocations",
    model=Allocation,
    keys=(
        Ref(
            "payment_id",
            "payment_id",
            "payment",
            Payment,
            extras=("patient__branch_id", "source_id", "external_id"),
            required=True,
            scope=lambda by: Payment.objects.filter(patient__in=visible_patients(by)),
        ),
        Ref(
            "appointment_id",
            "visit_id",
            "visit",
            Visit,
            required=True,
            scope=visible_visits,
            aliases=("visit_id",),
        ),
        Field("amount", positive_money, "amount", required=True),
    ),
    feed=False,
)


class AllocationBatch(Batch):
    """Stored rows are found by (payment, visit)."""

    def add(self, record: Record, row: Any) -> None:
        if isinstance(row, Mapping):
            visit = next((row[k] for k in ("appointment_id", "visit_id", "visit") if row.get(k)), "")
            payment = record.parent.external_id if record.parent else row.get("payment_id") or row.get("payment") or ""
            row = {**row, "external_id": f"{payment}:{visit}"[:120]}
        super().add(record, row)

    def load(self) -> None:
        for ref in self.resource.refs:
            self._load_related(ref, self.live)
        for record in self.live:
            self._resolve(record)
            record.references = []
            if record.parent is not None:
                record.given["payment_id"] = record.parent.id
        self._load_stored(self.live)
        self._number(self.live)

    def _load_stored(self, live: list[Record]) -> None:
        pairs = {(record.given.get("payment_id"), record.given.get("visit_id")): record for record in live}
        payments = {payment for payment, _visit in pairs if payment} | {one.id for one in self.listed}
        columns = self.resource.columns
        rows = Allocation.objects.filter(payment_id__in=store.among(payments, "bigint")).order_by("id")
        listed = {one.id for one in self.listed}
        self.gone: dict[int, int] = {}  # allocation -> payment whose list no longer names it
        for row in rows.values_list(*columns):
            old = dict(zip(columns, row, strict=True))
            record = pairs.get((old["payment_id"], old["visit_id"]))
            if record is not None:
                record.id, record.old = old["id"], old
            elif old["payment_id"] in listed:
                self.gone[old["id"]] = old["payment_id"]


def write_listed(allocations: AllocationBatch, payments: Batch) -> None:
    """Write the lists of these payments (already written): what a list no longer names goes."""
    kept = {record.id for record in payments.live}
    if allocations.gone:
        going = Allocation.objects.filter(pk__in=store.among(allocations.gone, "bigint"))
        going.filter(payment_id__in=store.among(kept, "bigint")).delete()
    allocations.write()


def _payment_lines(batch: Batch) -> list[tuple[Any, ...]]:
    lines = {}
    for record in (*batch.created, *batch.updated):
        payment = record.related["payment_id"]
        code = batch.source.code if payment["source_id"] == batch.source.pk else ""
        branch, external_id = payment["patient__branch_id"], payment["external_id"]
        kind = Change.Kind.CHANGED.value
        lines[payment["id"]] = ("payments", payment["id"], branch, code, external_id, kind, None)
    return list(lines.values())


def record_allocations(
    *, source: Source, rows: Sequence[Mapping[str, object]], by: Actor, now: datetime
) -> list[RowResult]:
    """Upsert allocations (payment_id, appointment_id, amount). Nothing is removed."""

    def work(numbered: list[tuple[int, Mapping[str, Any]]]) -> Batch:
        batch = AllocationBatch(ALLOCATIONS, source=source, by=by, now=now)
        batch.read(numbered)
        batch.load()
        batch.settle()
        batch.classify()
        batch.write()
        note_lines(_payment_lines(batch), now)
        return batch

    return intake(work, rows=rows, by=by, now=now, deed="record_allocations")
