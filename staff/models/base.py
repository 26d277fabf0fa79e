"""What every record that other systems may feed has in common."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core.names import new_code

OWN_SOURCE = 1  # the row of `Source` that stands for this product itself; made by the first migration


class Sourced(models.Model):
    """A record known as (source, external_id). That pair is its identity, for ever: never a phone, never a name.

    What is made here has the source `crm` and a generated external id, which is also its `code` in results (R125).
    """

    source = models.ForeignKey("staff.Source", models.PROTECT, default=OWN_SOURCE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=120, default=new_code)

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["source", "external_id"], name="%(app_label)s_%(class)s_external")
        ]

    @property
    def code(self) -> str:
        return self.external_id
