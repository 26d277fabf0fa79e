"""Nobody answers, or a lead stands too long: managers and the work list are told, once (R95, R105)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from funnel.models import Lead
from funnel.rules.hours import LATE_SECONDS, Hours, working_seconds
from messaging.actions.alarm import tell_managers
from patients.models import WorkItem
from staff.models import Branch

RECENT = timedelta(days=7)  # an import of older enquiries alarms nobody
AT_ONCE = 500  # leads a run


@transaction.atomic
def escalate_leads(*, now: datetime, at_all_hours: bool = False) -> int:
    """Leads that wait longer than two minutes, of working time or (`at_all_hours`) of any: each once, with a work item and
    one message a branch that names nobody. Whoever answers at the same moment is waited for. How many it were."""
    late = [lead for lead in _waiting(now) if at_all_hours or _waited(lead, now) > LATE_SECONDS]
    if not late:
        return 0
    Lead.objects.filter(pk__in=[lead.pk for lead in late]).update(escalated_at=now)
    WorkItem.objects.bulk_create([_item(lead, now) for lead in late], ignore_conflicts=True)
    for branch_id, number in Counter(lead.branch_id for lead in late).items():
        tell_managers(
            key=f"leads:{branch_id}:{int(now.timestamp())}",
            subject=_("Enquiries wait for an answer"),
            text=_("Enquiries that nobody has answered for two minutes: %(number)s. Open the queue of enquiries."),
            values={"number": number},
            now=now,
            branch_id=branch_id,
        )
    return len(late)


def _waiting(now: datetime) -> list[Lead]:
    """Locked; what somebody else has locked, an answer on its way, is left to the next run."""
    known = Q(created_at__lt=now - timedelta(seconds=LATE_SECONDS), created_at__gte=now - RECENT)
    leads = Lead.objects.filter(
        known, first_response_at=None, lost_at=None, duplicate_of=None, is_spam=False, escalated_at=None
    ).filter(stage="lead")
    ordered = leads.select_related("branch").order_by("created_at", "pk")
    return list(ordered.select_for_update(of=("self",), skip_locked=True)[:AT_ONCE])


def _waited(lead: Lead, now: datetime) -> int:
    """Seconds of working time; a lead of no branch waits at all hours."""
    if lead.branch is None:
        return int((now - lead.created_at).total_seconds())
    return working_seconds(lead.created_at, now, lead.branch.tz, hours_of(lead.branch))


def hours_of(branch: Branch) -> Hours:
    return Hours(branch.opens_at, branch.closes_at, branch.work_days)


def _item(lead: Lead, now: datetime) -> WorkItem:
    return WorkItem(
        kind=WorkItem.Kind.CALL_BACK,
        patient_id=lead.patient_id,
        branch_id=lead.branch_id,
        due_at=now,
        created_at=now,
        dedupe_key=f"lead-wait:{lead.pk}",
    )
