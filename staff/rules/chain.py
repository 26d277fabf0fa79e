"""How an entry of the audit log is tied to the one before it."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC
from typing import Any

from django.conf import settings

from staff.models import AuditEntry, AuditHead

CHAINED = (
    "id",
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


def seal_of(*parts: object, key: str = "") -> str:
    """HMAC-SHA256 under SECRET_KEY (or `key`): whoever holds only the database cannot forge it."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hmac.new((key or settings.SECRET_KEY).encode(), text.encode(), hashlib.sha256).hexdigest()


def chain_hash(previous: str, entry: AuditEntry, key: str = "") -> str:
    """Hash of an entry: of the previous hash, the time in UTC and every field that it keeps."""
    values: list[Any] = [getattr(entry, name) for name in CHAINED]
    return seal_of(previous, entry.at.astimezone(UTC).isoformat(timespec="microseconds"), *values, key=key)


def head_seal(head: AuditHead, key: str = "") -> str:
    return seal_of(head.last_id, head.count, head.hash, key=key)


def keys_in_force() -> list[str]:
    """SECRET_KEY and those before it: entries written before a rotation are checked under the old key."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def fits(previous: str, entry: AuditEntry) -> bool:
    """Whether `entry` is as it was written, right after the entry with hash `previous`."""
    return any(hmac.compare_digest(chain_hash(previous, entry, key), entry.hash) for key in keys_in_force())


def head_fits(head: AuditHead) -> bool:
    return any(hmac.compare_digest(head_seal(head, key), head.seal) for key in keys_in_force())
