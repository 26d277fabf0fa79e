"""Answers of metrics that were already worked out; they can be dropped at any time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class MetricAnswer(models.Model):
    """The result of one metric for one set of parameters. Valid while `version` is the version of the data below it."""

    slug = models.CharField(max_length=40)
    key = models.CharField(max_length=64)  # SHA-256 of the canonical parameters
    params = models.JSONField()
    version = models.BigIntegerField()
    result = models.JSONField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["slug", "key"], name="analytics_answer_once")]
