from __future__ import annotations

from typing import ClassVar

from django.db import models


class AuditEntry(models.Model):
    """Who did or saw what, of which patient, when and from where. Append-only (triggers), hash-chained (R27, 152-FZ).

    `patient_id` is a plain number: this room stands below `patients`. `fields` holds names of fields, never values.
    `hash` = HMAC-SHA256(key from SECRET_KEY, previous hash + canonical JSON of the row). The id is the row's number in
    the chain (given by `record`, never by the sequence), so a hole in the numbers is a deleted row.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=8)  # user, key, system, patient
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    deed = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40, blank=True)
    object_id = models.BigIntegerField(null=True)
    patient_id = models.BigIntegerField(null=True)
    fields = models.JSONField(default=list)
    note = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["patient_id", "-id"], name="staff_audit_patient"),
            models.Index(fields=["actor_kind", "actor_id", "-id"], name="staff_audit_actor"),
        ]


class AuditHead(models.Model):
    """The end of the chain (one row, id 1): number of entries and the last hash, so that a cut-off tail shows."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    last_id = models.BigIntegerField(default=0)
    count = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")
    seal = models.CharField(max_length=64, default="")  # HMAC over the three: a forged head shows too
