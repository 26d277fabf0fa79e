from __future__ import annotations

from typing import ClassVar

from django.db import models

from patients.models.person import Patient
from staff.models import User


class DuplicatePair(models.Model):
    """Two canonical patients that look like one person. Shown to people, never merged by itself. `left_id` < `right_id`."""

    class Status(models.TextChoices):
        OPEN = "open"
        DISMISSED = "dismissed"
        MERGED = "merged"

    left = models.ForeignKey(Patient, models.CASCADE, related_name="+")
    right = models.ForeignKey(Patient, models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField()  # 0..100, symmetric
    reasons = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["left", "right"], name="patients_pair_once"),
            models.CheckConstraint(condition=models.Q(left__lt=models.F("right")), name="patients_pair_order"),
        ]
        indexes: ClassVar = [models.Index(fields=["status", "-score", "id"], name="patients_pair_open")]


class Merge(models.Model):
    """A merge that a person made, with all that undoing it needs: `before` and `chosen` = {field: value} of the survivor."""

    survivor = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    loser = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    before = models.JSONField(default=dict)
    chosen = models.JSONField(default=dict)
    marks = models.JSONField(default=dict)  # last id of each kind of fact: what is above came after the merge
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    conflicts = models.JSONField(default=list)
