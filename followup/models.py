"""How far the sweep has read the change feed."""

from __future__ import annotations

from django.db import models


class Cursor(models.Model):
    """The last line of `staff.Change` that was worked off. Losing it only means working some lines off again."""

    name = models.CharField(max_length=20, primary_key=True)
    xact = models.BigIntegerField(default=0)
    change_id = models.BigIntegerField(default=0)
