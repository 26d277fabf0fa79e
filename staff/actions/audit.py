"""The audit log: append-only and hash-chained, so that an edited, deleted or cut-off row shows."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from staff.access import Actor
from staff.models import AuditEntry, AuditHead

CHAINED = (
    "actor_kind",
    "actor_id",
    "actor_name",
    "deed",
    "object_kind",
    "object_id",
    "patient_id",
    "fields",
    "note",
    "address",
    "request_id",
)


def seal_of(*parts: object) -> str:
    """HMAC-SHA256 under SECRET_KEY: whoever holds only the database cannot forge it."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def chain_hash(previous: str, entry: AuditEntry) -> str:
    """Hash of an entry: of the previous hash, the time in UTC and every field that it keeps."""
    values: list[Any] = [getattr(entry, name) for name in CHAINED]
    return seal_of(previous, entry.at.astimezone(UTC).isoformat(timespec="microseconds"), *values)


def head_seal(head: AuditHead) -> str:
    return seal_of(head.last_id, head.count, head.hash)


@transaction.atomic
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
) -> AuditEntry:
    """Append one entry. Call it last in an action: it locks the head of the chain until the transaction ends.

    `fields` are names, never values; `note` carries nothing personal.
    """
    head = AuditHead.objects.select_for_update().get(id=1)
    entry = AuditEntry(
        at=now,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name,
        deed=deed,
        object_kind=object_kind,
        object_id=object_id,
        patient_id=patient_id,
        fields=sorted(fields),
        note=note,
        address=by.address,
        request_id=by.request_id,
    )
    entry.hash = chain_hash(head.hash, entry)
    entry.save(force_insert=True)
    head.last_id, head.count, head.hash = entry.pk, head.count + 1, entry.hash
    head.seal = head_seal(head)
    head.save()
    return entry
