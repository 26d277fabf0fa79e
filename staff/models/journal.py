from __future__ import annotations

from typing import ClassVar

from django.db import models


class Change(models.Model):
    """One line of the feed `/api/v1/changes/`: this object changed, was deleted, or was merged into another.

    `xact` is PostgreSQL's transaction number: a reader only takes lines of transactions older than every running one,
    so that a slow writer's early ids are not skipped. On SQLite writers queue, and `xact` stays 0.
    """

    class Kind(models.TextChoices):
        CHANGED = "changed"
        DELETED = "deleted"
        MERGED = "merged"  # `target_id` is the survivor
        SPLIT = "split"  # a merge was undone

    id = models.BigAutoField(primary_key=True)
    xact = models.BigIntegerField(default=0)
    at = models.DateTimeField()
    resource = models.CharField(max_length=24)
    object_id = models.BigIntegerField()
    branch_id = models.BigIntegerField(null=True)  # whose key may see this line; null = everybody's
    source_code = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.CHANGED)
    target_id = models.BigIntegerField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["xact", "id"], name="staff_change_order")]


class IdempotencyRecord(models.Model):
    """The answer that was given under an `Idempotency-Key`: the same key and body again get the same answer."""

    actor = models.CharField(max_length=40)  # "key:12" or "user:3"
    key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64)  # SHA-256 of method, path and body
    status = models.PositiveSmallIntegerField(null=True)  # null while the first request is running
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["actor", "key"], name="staff_idempotency_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="staff_idempotency_age")]
