"""Answers of metrics that were worked out, and the nights whose work is done. Both can be dropped at any time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class MetricAnswer(models.Model):
    """The result of one metric for one set of parameters. Valid while `version` is the version of the data below it."""

    slug = models.CharField(max_length=40)
    key = models.CharField(max_length=64)  # SHA-256 of the canonical parameters
    params = models.JSONField()
    version = models.CharField(max_length=64)  # of `analytics.queries.answers.data_version`
    result = models.JSONField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["slug", "key"], name="analytics_answer_once")]
        indexes: ClassVar = [models.Index(fields=["made_at"], name="analytics_answer_age")]


class Night(models.Model):
    """One local day whose nightly work (facts rebuilt, answers warmed) is done."""

    day = models.DateField(primary_key=True)
    finished_at = models.DateTimeField()
