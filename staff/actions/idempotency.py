"""`Idempotency-Key`: a request repeated under its key gets the first answer again and does nothing.

The claim is committed before the work, so that a repetition meanwhile sees it; the answer is stored in the transaction
of the work, so that there is no moment at which the work is done and the answer unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from staff.access import Actor
from staff.models import IdempotencyRecord

KEPT = timedelta(hours=48)
ABANDONED = timedelta(minutes=10)  # a claim without an answer for so long belongs to a process that died


class KeyReused(Exception):
    """The key was used with another method, path or body."""


class StillRunning(Exception):
    """The first request under this key has not ended yet."""


@dataclass(frozen=True)
class Claim:
    """`answer` = (status, body) when the work was done before."""

    record_id: int
    answer: tuple[int, bytes] | None = None


def claim_key(*, by: Actor, key: str, fingerprint: str, now: datetime) -> Claim:
    """Take the key for this request, or return the answer given under it. Raises KeyReused, StillRunning."""
    actor = f"{by.kind}:{by.id}"
    IdempotencyRecord.objects.filter(actor=actor, key=key, status=None, created_at__lt=now - ABANDONED).delete()
    try:
        with transaction.atomic():
            made = IdempotencyRecord.objects.create(actor=actor, key=key, fingerprint=fingerprint, created_at=now)
            return Claim(made.pk)
    except IntegrityError:
        stored = IdempotencyRecord.objects.filter(actor=actor, key=key).first()
    if stored is None or (stored.status is None and stored.fingerprint == fingerprint):
        raise StillRunning
    if stored.fingerprint != fingerprint:
        raise KeyReused
    return Claim(stored.pk, (stored.status or 0, bytes(stored.body or b"")))


def keep_answer(*, record_id: int, status: int, body: bytes) -> None:
    """Store the answer; inside the transaction of the work where there was any."""
    IdempotencyRecord.objects.filter(pk=record_id).update(status=status, body=body)


def release_key(*, record_id: int) -> None:
    """Nothing was done: the key is free again."""
    IdempotencyRecord.objects.filter(pk=record_id, status=None).delete()


def forget_old_keys(*, now: datetime) -> int:
    """Drop answers older than two days; returns how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=now - KEPT).delete()[0]
