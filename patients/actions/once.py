"""Double click, reload and back create nothing twice: a form carries a key, and the database keeps it once."""

from __future__ import annotations

import hashlib
from datetime import datetime

from patients.rules.once import submission
from staff.access import Actor
from staff.models import IdempotencyRecord


class Once:
    """Guard of one submission: `made_id` of the first one, or None when this is the first.

    The row is written in the transaction of the facts: a second request waits for the first on the unique index, and
    either finds its result or, when the first was rolled back, does the work itself.
    """

    def __init__(self, *, key: str, deed: str, by: Actor, now: datetime) -> None:
        self.record, fresh = IdempotencyRecord.objects.get_or_create(
            **submission(by.kind, by.id, deed, key),
            defaults={
                "fingerprint": hashlib.sha256(deed.encode()).hexdigest(),
                "created_at": now,
                "status": 201,
                "body": b"",
            },
        )
        self.made_id = None if fresh else int(bytes(self.record.body or b"0"))

    def remember(self, object_id: int) -> None:
        self.record.body = str(object_id).encode()
        self.record.save(update_fields=["body"])
