"""A lead that stands at a stage longer than the rule allows comes to the work list (R105); what is settled leaves it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from funnel.actions.escalation import AT_ONCE, RECENT
from funnel.models import Lead, StageRule
from funnel.queries.leads import LIMIT_ITEM, WAIT_ITEM, lead_of_item
from patients.models import WorkItem


@transaction.atomic
def tell_overdue(*, now: datetime) -> int:
    """One item a lead and stage, due now, with what is to be done there. An import of older leads fills no list: what ran
    out more than a week ago is left alone. How many."""
    items = [
        _item(lead, rule, now)
        for rule in StageRule.objects.exclude(limit_minutes=None)
        for lead in _over(rule, now).select_related("branch")[:AT_ONCE]
    ]
    WorkItem.objects.bulk_create(items, ignore_conflicts=True)
    return len(items)


def _over(rule: StageRule, now: datetime) -> QuerySet[Lead]:
    end = now - timedelta(minutes=rule.limit_minutes or 0)
    key = Concat(Value(LIMIT_ITEM), Cast(OuterRef("pk"), CharField()), Value(f":{rule.stage}"))
    told = WorkItem.objects.filter(dedupe_key=key)
    standing = Lead.objects.filter(lost_at=None, duplicate_of=None, is_spam=False, stage=rule.stage)
    over = standing.filter(stage_at__lt=end, stage_at__gte=end - RECENT).exclude(Exists(told))
    return over.order_by("stage_at", "pk")


def _item(lead: Lead, rule: StageRule, now: datetime) -> WorkItem:
    return WorkItem(
        kind=WorkItem.Kind.CALL_BACK,
        patient_id=lead.patient_id,
        branch_id=lead.branch_id,
        due_at=now,
        created_at=now,
        note=rule.duty[:300],
        dedupe_key=f"{LIMIT_ITEM}{lead.pk}:{rule.stage}",
    )


@transaction.atomic
def settle_lead_items(*, now: datetime) -> int:
    """Items whose lead was answered, moved on, was lost or is spam are done by that. How many."""
    ours = Q(dedupe_key__startswith=WAIT_ITEM) | Q(dedupe_key__startswith=LIMIT_ITEM)
    rows = WorkItem.objects.filter(ours, status=WorkItem.Status.OPEN).order_by("pk")
    keys = {pk: key or "" for pk, key in rows.values_list("pk", "dedupe_key")[: AT_ONCE * 4]}
    leads = Lead.objects.in_bulk({lead_of_item(key) for key in keys.values()})
    done = [pk for pk, key in keys.items() if _settled(key, leads.get(lead_of_item(key) or 0))]
    open_ones = WorkItem.objects.filter(pk__in=done, status=WorkItem.Status.OPEN)
    return open_ones.update(status=WorkItem.Status.DONE, outcome="done", closed_at=now)


def _settled(key: str, lead: Lead | None) -> bool:
    if lead is None or lead.lost_at is not None or lead.is_spam:
        return True
    if key.startswith(WAIT_ITEM):
        return lead.first_response_at is not None or lead.stage != "lead"
    return lead.stage != key.rpartition(":")[2]
