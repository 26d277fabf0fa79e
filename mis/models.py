"""Imports: what came as a file, what it changed, and what still waits for the rows that it points at."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from staff.models import Branch, Source, User


class WaitingRow(models.Model):
    """A row of a folder whose reference is not known yet. It is tried again at the next load of the same source."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    resource = models.CharField(max_length=24)
    external_id = models.CharField(max_length=250)
    row = models.JSONField()
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "resource", "external_id"], name="mis_waiting_once")
        ]


class ImportJob(models.Model):
    """One uploaded file on its way in. How it is read (encoding, delimiter, columns) is decided once and kept here:
    preview and worker that read differently would refuse every row.

    `position`: rows that are done; it moves in the transaction of the batch, so a killed worker leaves no half.
    """

    class Kind(models.TextChoices):
        PATIENTS = "patients", _("patients")
        VISITS = "visits", _("visits")
        PAYMENTS = "payments", _("payments")
        SERVICES = "services", _("price list")
        SPEND = "spend", _("advertising spend")

    class Status(models.TextChoices):
        PREVIEW = "preview", _("waiting for your decision")
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    ACTIVE: ClassVar = ("queued", "running", "undoing")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PREVIEW)
    source = models.ForeignKey(Source, models.PROTECT, related_name="+")
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    file_name = models.CharField(max_length=200)  # as the person's computer calls it; never used as a path
    stored_as = models.CharField(max_length=80, blank=True)  # under MEDIA_ROOT/imports; empty once it was deleted
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    form = models.CharField(max_length=4)  # csv or book
    encoding = models.CharField(max_length=12, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    header = models.JSONField(default=list)
    mapping = models.JSONField(default=list)  # field of every column, "" = left out
    rows = models.BigIntegerField(default=0)
    position = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    conflicts = models.BigIntegerField(default=0)  # of the undo
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.JSONField(default=dict)  # who applies it, as the audit log will name him
    language = models.CharField(max_length=2, default="ru")  # of the reasons in the rejected rows
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=64, blank=True)  # who holds the job
    attempts = models.PositiveSmallIntegerField(default=0)  # times it was taken up without getting on
    lease_until = models.DateTimeField(null=True, blank=True)  # past it the job is anybody's

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["lease_until"],
                condition=models.Q(status__in=("queued", "running", "undoing")),
                name="mis_job_active",
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def counted(self) -> int:
        return self.created + self.updated + self.unchanged + self.failed

    @property
    def percent(self) -> int:
        return min(100, 100 * self.position // self.rows) if self.rows else 0

    @property
    def active(self) -> bool:
        return self.status in self.ACTIVE


class ImportedRow(models.Model):
    """What a file did to one object: its columns before and after, so that the import can be undone.

    `before` null = the import made it. `undo`: what became of it when the import was undone.
    """

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="changes", db_index=False)
    row = models.BigIntegerField()
    resource = models.CharField(max_length=24)
    object_id = models.BigIntegerField()
    external_id = models.CharField(max_length=120)
    before = models.JSONField(null=True)
    after = models.JSONField()
    undo = models.CharField(max_length=8, blank=True)  # "", undone, kept
    conflict = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["job", "id"], name="mis_imported_job"),
            models.Index(fields=["resource", "object_id"], name="mis_imported_object"),
        ]


class RejectedRow(models.Model):
    """A row that was refused, with its cells as they came, to correct and load again."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="rejected", db_index=False)
    row = models.BigIntegerField()
    cells = models.JSONField()
    errors = models.JSONField()  # field of the file -> reasons

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "row"], name="mis_rejected_once")]


class HeaderMapping(models.Model):
    """What a person said about the columns of a file; the next file with the same columns is read the same way."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=ImportJob.Kind.choices)
    fingerprint = models.CharField(max_length=64)  # of the header set
    fields = models.JSONField()  # folded column name -> field
    used_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "kind", "fingerprint"], name="mis_mapping_once")
        ]
