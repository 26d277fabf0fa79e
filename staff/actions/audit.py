"""The audit log: append-only and hash-chained, so that an edited, deleted or cut-off row shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.db import transaction

from staff.access import Actor
from staff.models import AuditEntry, AuditHead
from staff.rules.chain import chain_hash, head_seal

_waiting: ContextVar[list[AuditEntry] | None] = ContextVar("audit_waiting", default=None)


@contextmanager
def one_deed() -> Iterator[None]:
    """Round an action that is made of other actions: their entries are written together at its end, in one transaction.

    Danger: an entry locks the head of the chain until the transaction ends. An action that records and then locks
    another row (a doctor, a patient) meets somebody who holds that row and waits for the head: a deadlock.
    """
    if _waiting.get() is not None:
        yield
        return
    with transaction.atomic():
        token = _waiting.set([])
        try:
            yield
            entries = _waiting.get() or []
        finally:
            _waiting.reset(token)
        if entries:
            _append(entries)


def record(
    *,
    by: Actor,
    deed: str,
    now: datetime,
    object_kind: str = "",
    object_id: int | None = None,
    patient_id: int | None = None,
    fields: Iterable[str] = (),
    note: str = "",
) -> None:
    """Append one entry. Call it last in an action (it locks the head of the chain), or inside `one_deed()`.

    `fields` are names, never values; `note` carries nothing personal.
    """
    entry = AuditEntry(
        at=now,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name[:200],
        deed=deed,
        object_kind=object_kind,
        object_id=object_id,
        patient_id=patient_id,
        fields=sorted(fields),
        note=note[:300],
        address=by.address,
        request_id=by.request_id,
    )
    waiting = _waiting.get()
    if waiting is None:
        _append([entry])
    else:
        waiting.append(entry)


@transaction.atomic
def _append(entries: list[AuditEntry]) -> None:
    """Number and chain the entries under the lock of the head."""
    head = AuditHead.objects.select_for_update().get(id=1)
    for entry in entries:
        head.last_id += 1
        head.count += 1
        entry.id = head.last_id
        entry.hash = head.hash = chain_hash(head.hash, entry)
    head.seal = head_seal(head)
    AuditEntry.objects.bulk_create(entries)
    head.save()
