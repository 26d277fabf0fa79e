"""A lead that stands too long comes to the work list once, and leaves it when it moves on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.actions.beats import look_after_leads
from funnel.actions.incoming import Enquiry, answer_lead, take_lead
from funnel.actions.overdue import settle_lead_items, tell_overdue
from funnel.actions.stage_rules import set_stage_rules
from funnel.models import Lead
from patients.models import WorkItem
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW
HOUR = timedelta(hours=1)


def lead(ago: timedelta, phone: str = "+79120000001") -> Lead:
    told = Enquiry(kind="form", created_at=NOW - ago, phone=phone, branch=make.default_branch())
    return take_lead(enquiry=told, by=make.actor(), now=NOW)


@pytest.fixture
def one_hour():
    rule = {"role": "administrator", "limit_minutes": 60, "duty": "позвонить"}
    set_stage_rules(rules={"lead": rule}, by=make.actor(), now=NOW)


def test_a_lead_over_the_limit_is_told_once(one_hour):
    over = lead(2 * HOUR)
    lead(HOUR / 2, "+79120000002")
    assert [tell_overdue(now=NOW), tell_overdue(now=NOW)] == [1, 0]
    item = WorkItem.objects.get()
    assert (item.dedupe_key, item.note, item.branch_id) == (f"lead-limit:{over.pk}:lead", "позвонить", over.branch_id)


def test_history_that_was_imported_fills_no_list(one_hour):
    lead(timedelta(days=30))
    assert tell_overdue(now=NOW) == 0


def test_a_stage_without_a_limit_may_last():
    lead(2 * HOUR)
    assert tell_overdue(now=NOW) == 0


def test_what_was_answered_leaves_the_work_list(one_hour):
    one, other = lead(2 * HOUR), lead(2 * HOUR, "+79120000002")
    look_after_leads(now=NOW)  # a wait and a limit of each
    assert WorkItem.objects.filter(status="open").count() == 4
    answer_lead(lead=one, by=make.actor(), now=NOW)
    assert settle_lead_items(now=NOW) == 2
    left = WorkItem.objects.filter(status="open").values_list("dedupe_key", flat=True)
    assert set(left) == {f"lead-wait:{other.pk}", f"lead-limit:{other.pk}:lead"}
