"""Whose leads are whose: somebody bound to a branch sees that branch's, and those that no branch has yet."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from funnel.models import Lead
from staff.access import Actor


def visible_leads(by: Actor) -> QuerySet[Lead]:
    leads = Lead.objects.all()
    return leads if by.branch_id is None else leads.filter(Q(branch=by.branch_id) | Q(branch=None))
