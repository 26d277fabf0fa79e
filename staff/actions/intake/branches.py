"""The branches of the clinic as intake needs them: few, so read whole, once a batch."""

from __future__ import annotations

from functools import cached_property

from django.utils.translation import gettext as _

from staff.access import Actor
from staff.models import Branch, Clinic


class Branches:
    def __init__(self, by: Actor) -> None:
        self.by = by

    @cached_property
    def clinic(self) -> Clinic:
        return Clinic.objects.get(pk=1)

    @property
    def clinic_tz(self) -> str:
        return self.clinic.tz

    @cached_property
    def by_id(self) -> dict[int, Branch]:
        return {branch.pk: branch for branch in Branch.objects.order_by("id")}

    @cached_property
    def default_id(self) -> int:
        """The actor's own branch, else the default one; an empty installation gets one from the clinic's settings."""
        if self.by.branch_id is not None:
            return self.by.branch_id
        for branch in self.by_id.values():
            if branch.is_default:
                return branch.pk
        if self.by_id:
            return next(iter(self.by_id))
        made = Branch.objects.create(
            external_id="main", name=self.clinic.name or _("Main branch"), tz=self.clinic.tz, is_default=True
        )
        self.by_id[made.pk] = made
        return made.pk

    def tz(self, branch_id: int | None) -> str:
        branch = self.by_id.get(branch_id) if branch_id is not None else None
        return branch.tz if branch else self.clinic.tz

    def region(self, branch_id: int | None) -> str:
        branch = self.by_id.get(branch_id) if branch_id is not None else None
        return branch.phone_region if branch else "RU"
